"Hands and eyes for a view of nstm.view: what is seen of it, and what must change when it is used."
import time

# What an eye sees of a view: pixels, cursors, strands, numbers
seen = """v => [...v.querySelectorAll('canvas')].map(c => c.toDataURL()).concat([...v.querySelectorAll('.nv-cursor, .nv-bar, .nv-status, .nv-count, .nv-key')].map(e => e.style.left + e.innerText)).concat([...v.querySelectorAll('svg')].map(e => e.innerHTML)).join()"""
# Milliseconds from moving the slider until the browser has painted: the second frame after it begins when the first one is on the screen
steps = """async v => { const s = v.querySelector('.nv-slider'), took = [], frame = () => new Promise(requestAnimationFrame);
  for (let i = 1; i <= 21; i++) { await frame(); const from = performance.now(); s.value = i*3 % 64; s.dispatchEvent(new Event('input')); await frame(); await frame(); took.push(performance.now()-from); }
  return took.sort((a,b) => a-b); }"""

def changed(tab, view, before, what):
    "Wait until the view looks different."
    end = time.time()+15
    while time.time()<end:
        now = view.evaluate(seen)
        if now != before: return now
        tab.wait_for_timeout(50)
    raise AssertionError(f'nothing changed after: {what}')

def play_with(tab, view):
    "Keyboard, slider, click, play and pause: each must change what is seen."
    look = view.evaluate(seen)
    slider,play = view.locator('.nv-slider'),view.locator('.nv-play')
    slider.focus(); slider.press('ArrowRight')
    look = changed(tab, view, look, 'an arrow key')
    assert 'token' in slider.get_attribute('aria-valuetext') and slider.get_attribute('aria-label') == 'token'
    slider.fill('0')
    look = changed(tab, view, look, 'the slider')
    view.locator('.nv-plot').nth(1).click(position=dict(x=150, y=5))
    look = changed(tab, view, look, 'a click into a picture')
    t = int(view.get_attribute('data-t'))
    play.click()
    changed(tab, view, look, 'Play'); assert 'Pause' in play.inner_text()
    tab.wait_for_function('([v,t]) => +v.dataset.t > t+1', arg=[view.element_handle(), t])
    play.click(); assert 'Play' in play.inner_text()
    look = view.evaluate(seen); tab.wait_for_timeout(500); assert view.evaluate(seen) == look, 'a pause that does not'
