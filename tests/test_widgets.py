"The explorers, as a hand and an eye meet them: JupyterLab on the loopback, its kernel, and headless Chromium. (The same view on the static page is tested in test_site.py, with the site that is built there.)"
import json, os, re, subprocess, sys, time, urllib.request
import pytest
from util import root
from views import changed, play_with, seen, steps

cells = ["""from nstm.specimens import specimen
from nstm.tasks import make_task
from nstm.models import NSTMClassifier
from nstm.widgets import Explorer, FRONT, read_text, watch
import torch
torch.manual_seed(0)""",
f"""s3 = specimen('s3', {str(root/'results/models')!r})
one = Explorer(s3.model, s3.glyphs, examples={{'a': FRONT, 'b': '120 120 120 120'}}, wanted=make_task('s3').follow, title='First')
one""",
"""wide = NSTMClassifier(4, vocab_size=8, d_model=64, n_layers=1, num_states=16, num_heads=8, transition='soft', pool='none')
two = Explorer(wide, list('abcdefgh'), examples={'a': 'abcdefgh'*8}, title='Second')
two""",
"watch(s3.model, read_text(FRONT, s3.glyphs), s3.glyphs, title='Third')"]

@pytest.fixture(scope='module')
def lab(tmp_path_factory):
    "JupyterLab with a small notebook and the one about widgets, without its outputs; settings of its own, and nothing to fetch; its address."
    at = tmp_path_factory.mktemp('lab')
    lesson = json.loads((root/'nbs/41_widgets.ipynb').read_text())
    for c in lesson['cells']:
        if c['cell_type']=='code': c.update(outputs=[], execution_count=None)
    (at/'41_widgets.ipynb').write_text(json.dumps(lesson))
    nb = dict(cells=[dict(cell_type='code', id=f'c{i}', metadata={}, source=o, outputs=[], execution_count=None) for i,o in enumerate(cells)],
              metadata=dict(kernelspec=dict(name='python3', display_name='python3', language='python')), nbformat=4, nbformat_minor=5)
    (at/'play.ipynb').write_text(json.dumps(nb))
    for name,value in (('apputils-extension/notification', dict(fetchNews='false', checkForUpdates=False)), ('notebook-extension/tracker', dict(windowingMode='none'))):   # every cell is there, even where nobody looks
        f = at/f'LAB_SETTINGS_DIR/@jupyterlab/{name}.jupyterlab-settings'
        f.parent.mkdir(parents=True); f.write_text(json.dumps(value))
    own = {f'JUPYTER{k}': str(at/k) for k in ('_CONFIG_DIR', '_RUNTIME_DIR', '_DATA_DIR', 'LAB_SETTINGS_DIR', 'LAB_WORKSPACES_DIR')}
    cmd = [sys.executable, '-m', 'jupyterlab', '--no-browser', '--ip=127.0.0.1', '--port=0', '--allow-root', '--IdentityProvider.token=', f'--ServerApp.root_dir={at}',
           '--LabApp.news_url=None', '--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate', '--LabApp.extension_manager=readonly',
           "--ServerApp.jpserver_extensions={'jupyterlab': True, 'jupyter_lsp': False, 'jupyter_server_terminals': False}"]
    with (at/'log').open('w') as log:
        p = subprocess.Popen(cmd, cwd=root, env={**os.environ, **own, 'PYTHONPATH': str(root), 'OMP_NUM_THREADS': '1', 'IN_TEST': '1', 'NSTM_RESULTS': str(root/'results')}, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            end,info = time.time()+60,[]
            while not info and time.time()<end and p.poll() is None: time.sleep(.2); info = [*(at/'_RUNTIME_DIR').glob('jpserver-*.json')]
            assert info, (at/'log').read_text()
            yield json.loads(info[0].read_text())['url']
        finally: p.terminate(); p.wait(20)

def ready(lab, name, seconds=60):
    "Wait until a notebook has a kernel that listens."
    end = time.time()+seconds
    while time.time()<end:
        with urllib.request.urlopen(f'{lab}api/sessions') as r: kernels = [o['kernel'] for o in json.load(r) if o['path']==name]
        if kernels and all(k['execution_state']=='idle' and k['connections'] for k in kernels): return
        time.sleep(.2)
    raise AssertionError(f'no kernel is ready: {kernels}')

def opened(lab, browser, name, height):
    "A page with a notebook, ready to run; what scripts complain of; what is asked of other machines."
    context = browser.new_context(viewport=dict(width=1200, height=height))
    tab,said,away = context.new_page(), [], []
    tab.on('pageerror', lambda e: said.append(str(e)))
    tab.on('request', lambda r: away.append(r.url) if not r.url.startswith((lab, lab.replace('http','ws'), 'data:', 'blob:')) else None)
    tab.goto(f'{lab}lab/tree/{name}?reset', wait_until='commit')
    tab.locator('.jp-Notebook .jp-CodeCell').nth(3).wait_for(timeout=60_000)
    ready(lab, name)
    tab.wait_for_function("document.querySelector('.jp-Notebook-ExecutionIndicator')?.dataset.status === 'idle'", timeout=60_000)
    return tab, said, away

failed = '[data-mime-type="application/vnd.jupyter.error"]'

def menu(tab, name, item):
    tab.locator('.lm-MenuBar-itemLabel', has_text=re.compile(f'^{name}$')).click()
    tab.locator('.lm-Menu-itemLabel', has_text=re.compile(item)).first.click()

def test_in_jupyterlab(lab, browser):
    "All cells run; two explorers and a player move; a state is edited, a sequence typed; a restart changes nothing of that."
    tab,said,away = opened(lab, browser, 'play.ipynb', 2600)

    def run(name, item):
        menu(tab, name, item)
        if 'Restart' in item: tab.locator('.jp-Dialog .jp-mod-accept').click(); tab.wait_for_function("!document.querySelector('.nstm-view[data-old]')", timeout=60_000)
        tab.wait_for_function(f"document.querySelectorAll('.nstm-view[data-ready]').length === 3 || document.querySelector('{failed}')", timeout=60_000)
        assert not tab.locator(failed).count(), tab.locator(failed).all_inner_texts()
        return [tab.locator('.nstm-view').nth(i) for i in range(3)]

    one,two,three = run('Run', '^Run All Cells$')
    play_with(tab, one)
    for v in (two,three):
        look = v.evaluate(seen)
        v.locator('.nv-slider').fill('9'); changed(tab, v, look, 'the slider')
    took = two.evaluate(steps)
    assert took[len(took)//2] < 100, f'a step of the slider takes {took} ms at 64 tokens and 16 states'

    # a click on a row chooses a state; edit: the second column is another machine from there on
    box = tab.locator('.widget-vbox').first
    one.locator('.nv-slider').fill('6'); tab.wait_for_timeout(300)
    one.locator('.nv-names span', has_text='2').first.click()
    tab.wait_for_function("document.querySelectorAll('.widget-vbox .widget-dropdown select')[1].value === '2'")
    box.locator('.widget-dropdown select').nth(1).select_option('0')
    before,other = one.evaluate(seen),two.evaluate(seen)
    box.locator('.widget-dropdown select').nth(2).select_option('1')
    box.locator('button', has_text='Swap').click()
    changed(tab, one, before, 'a swap')
    one.locator('.nv-column').nth(1).wait_for()
    answers = [one.locator('.nv-column').nth(i).locator('.nv-best .nv-name').inner_text() for i in (0,1)]
    assert answers[0] != answers[1] and one.locator('.nv-column').nth(1).locator('.nv-wrong').count() == 10, answers
    assert 'states 0 and 1 swapped before token 7' in box.inner_text()
    assert two.evaluate(seen) == other, 'one explorer changes another'
    box.locator('button', has_text='Undo').click(); one.locator('.nv-column').nth(1).wait_for(state='detached')

    # type: mistakes are answered in words and the picture stays
    text,look = box.locator('input[type=text]').first,one.evaluate(seen)
    for wrong,words in (('', 'the sequence is empty'), ('012 '*65, '65 tokens, want at most 64'), ('abc', "'abc' is not a token")):
        text.fill(wrong); text.press('Enter'); box.get_by_text(words).wait_for()
        assert one.evaluate(seen) == look
    text.fill('201 201 201'); text.press('Enter'); changed(tab, one, look, 'another sequence')
    assert 'of 3' in one.locator('.nv-count').inner_text()

    tab.evaluate("document.querySelectorAll('.nstm-view').forEach(v => { v.dataset.old = 1; })")
    one,two,three = run('Kernel', 'Restart Kernel and Run All Cells')
    before = one.evaluate(seen)
    box = tab.locator('.widget-vbox').first
    box.locator('button', has_text='Zero').click(); changed(tab, one, before, 'an edit after a restart')
    if shots := os.environ.get('NSTM_SCREENSHOTS'):
        tab.screenshot(path=f'{shots}/lab-light.png'); menu(tab, 'Settings', '^Theme$'); tab.locator('.lm-Menu-itemLabel', has_text=re.compile('^JupyterLab Dark$')).click(); tab.wait_for_timeout(1000); tab.screenshot(path=f'{shots}/lab-dark.png')
    assert not said, said
    assert not away, away
    tab.context.close()

def test_the_widget_notebook(lab, browser):
    "The lesson itself: every cell runs; its explorers play, edit and compare; the threshold is dragged."
    tab,said,away = opened(lab, browser, '41_widgets.ipynb', 1400)
    menu(tab, 'Run', '^Run All Cells$')
    cells = sum(c['cell_type']=='code' for c in json.loads((root/'nbs/41_widgets.ipynb').read_text())['cells'])
    done = f"[...document.querySelectorAll('.jp-Notebook .jp-CodeCell .jp-InputPrompt')].filter(p => /\\d/.test(p.textContent)).length === {cells}"
    tab.wait_for_function(f"document.querySelector('{failed}') || {done}", timeout=240_000)
    assert not tab.locator(failed).count(), tab.locator(failed).all_inner_texts()
    boxes = tab.locator('.widget-vbox:has(.nstm-view)')
    boxes.nth(2).locator('.nstm-view[data-ready]').wait_for(timeout=60_000)
    assert boxes.count() == 3 and tab.locator('.nstm-view[data-ready]').count() >= 9

    box,view = boxes.nth(0),boxes.nth(0).locator('.nstm-view')
    box.locator('input[type=text]').fill('201 120 201 102 120 021 021 102'); box.locator('input[type=text]').press('Enter')
    box.get_by_text('8 tokens, 3 states').wait_for()
    play_with(tab, view)
    view.locator('.nv-slider').fill('3'); tab.wait_for_timeout(300)
    look = view.evaluate(seen)
    box.locator('button', has_text='Freeze').click(); changed(tab, view, look, 'a freeze')
    box.get_by_text('frozen before token 4').wait_for()

    # two models and an edited one on one sequence, which is picked
    box,view = boxes.nth(1),boxes.nth(1).locator('.nstm-view')
    other = view.locator('.nv-beside')
    assert other.locator('option').all_inner_texts() == ['nothing', 'quickstart', 'edited']
    other.select_option('1')
    look = view.evaluate(seen)
    box.locator('.widget-dropdown select').first.select_option(index=4); changed(tab, view, look, 'another digit')
    assert view.locator('.nv-name-of').all_inner_texts() == ['as it is', 'quickstart']

    budget = next(v for v in tab.locator('.nstm-view').all() if v.locator('.nv-also:visible').count())
    look,also = budget.evaluate(seen),budget.locator('.nv-also')
    also.focus(); also.press('End'); changed(tab, budget, look, 'the prune threshold')
    assert '1 state' in budget.locator('.nv-count').inner_text()
    if shots := os.environ.get('NSTM_SCREENSHOTS'):
        for i,v in enumerate(tab.locator('.nstm-view').all()): v.scroll_into_view_if_needed(); v.screenshot(path=f'{shots}/view-{i}.png')
    assert not said, said
    assert not away, away
    tab.context.close()
