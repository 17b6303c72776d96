"The site, as a reader's browser sees it: built once, served on the loopback, opened page by page in headless Chromium."
import functools, http.server, os, shutil, sys, threading
from collections import Counter
from pathlib import Path
from urllib.parse import urljoin, urldefrag, unquote
import pytest
from util import root, scratch_copy, run
from views import changed, play_with, seen, steps

@pytest.fixture(scope='session')
def site(tmp_path_factory):
    "Build in a copy of the project, so that a site that someone is reading stays; what `make docs` processed is used where it is current."
    if sys.version_info < (3,11) and not shutil.which('quarto'): pytest.skip('the site needs Quarto, or Python 3.11 for smalldocs')
    at = scratch_copy(tmp_path_factory.mktemp('site')/'copy')
    if (root/'_proc').exists(): shutil.copytree(root/'_proc', at/'_proc')
    r = run(sys.executable, '.ci/docs.py', 'site', cwd=at, timeout=900)
    assert r.returncode == 0, r.stdout
    assert 'broken link' not in r.stdout, r.stdout
    return at/'_docs'

@pytest.fixture(scope='session')
def base(site):
    "The site's address."
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args): pass
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), functools.partial(Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f'http://127.0.0.1:{server.server_port}/'
    server.shutdown(); server.server_close()

# What a page shows about itself once it has loaded; text of formulas and code set aside
facts = """() => {
  const all = s => [...document.querySelectorAll(s)];
  const text = document.querySelector('main').cloneNode(true);
  text.querySelectorAll('.katex, pre, code, script, style, mjx-container').forEach(e => e.remove());
  return {
    title: document.title,
    links: all('a[href]').map(a => a.getAttribute('href')),
    ids: all('[id]').map(e => e.id),
    images: all('img').filter(i => !i.complete || !i.naturalWidth).map(i => i.src.slice(0,100)),
    noalt: all('main img').filter(i => !i.alt).length,
    formulas: all('.math').length, drawn: all('.math .katex, .math mjx-container').length,
    errors: all('.katex-error, mjx-merror').map(e => e.title || e.textContent),
    raw: (text.innerText.match(/\\$\\$|\\\\[([]|\\\\(?:frac|mathrm|sum|circ)|\\$[^$\\n]{1,80}[_^\\\\][^$\\n]{0,80}\\$/g) || []),
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  }}"""

@pytest.fixture(scope='session')
def pages(site, base, browser):
    "Every page: what it shows, what it asked for, what it complained about."
    res = {}
    context = browser.new_context(viewport={'width':1300, 'height':900})
    for f in sorted(site.rglob('*.html')):
        name = f.relative_to(site).as_posix()
        tab,said,asked,failed = context.new_page(), [], [], []
        tab.on('console', lambda m: said.append(f'{m.type}: {m.text}') if m.type in ('error','warning') else None)
        tab.on('pageerror', lambda e: said.append(str(e)))
        tab.on('request', lambda r: asked.append(r.url))
        tab.on('response', lambda r: failed.append(f'{r.status} {r.url}') if r.status >= 400 else None)
        tab.goto(base + name, wait_until='load')
        tab.wait_for_function('document.querySelectorAll(".math").length === document.querySelectorAll(".math .katex, .math mjx-container, .math .katex-error").length || performance.now() > 15000')
        res[name] = dict(tab.evaluate(facts), said=said, asked=asked, failed=failed)
        tab.close()
    context.close()
    return res

def report(pages, key, what):
    bad = {n: p[key] for n,p in pages.items() if p[key]}
    assert not bad, f'{what}: {bad}'

def test_builds(site):
    "The build succeeds; this one needs no browser."
    assert (site/'index.html').exists() and (site/'search.json').exists() and (site/'assets/katex/katex.min.js').exists()

def test_every_notebook_has_a_page(site, pages):
    "One page a notebook, a home page, and each with a title."
    n = len([*(root/'nbs').glob('*.ipynb')])
    assert len(pages) >= n and 'index.html' in pages, sorted(pages)
    assert all(p['title'] for p in pages.values())

def test_console_is_silent(pages): report(pages, 'said', 'the console says')
def test_nothing_missing(pages):
    report(pages, 'failed', 'not found'); report(pages, 'images', 'pictures that do not load')
def test_pictures_are_described(pages): report(pages, 'noalt', 'pictures without alt text')
def test_no_page_is_too_wide(pages): assert all(p['wide'] <= 1 for p in pages.values()), {n:p['wide'] for n,p in pages.items()}

def test_nothing_leaves_the_machine(pages, base):
    "No page asks another host for anything."
    away = {n: [u for u in p['asked'] if not u.startswith((base, 'data:', 'blob:'))] for n,p in pages.items()}
    assert not any(away.values()), {n:u for n,u in away.items() if u}

def test_formulas(pages):
    "Every formula is drawn, none is left as TeX."
    report(pages, 'errors', 'formulas that KaTeX refuses'); report(pages, 'raw', 'TeX left in the text')
    assert sum(p['formulas'] for p in pages.values()) > 10
    assert all(p['formulas'] == p['drawn'] for p in pages.values()), {n: (p['formulas'], p['drawn']) for n,p in pages.items()}

def test_links(pages, site, base):
    "Every link inside the site leads to a page or file, every anchor to an element."
    bad = []
    for name,p in pages.items():
        for href in set(p['links']):
            url,frag = urldefrag(urljoin(base + name, href))
            if not url.startswith(base): continue
            to = unquote(url[len(base):].split('?')[0]) or 'index.html'
            if to.endswith('/'): to += 'index.html'
            if not (site/to).exists(): bad.append(f'{name}: {href}')
            elif frag and to in pages and unquote(frag) not in pages[to]['ids']: bad.append(f'{name}: {href} (no such anchor)')
    assert not bad, bad

def test_ids_are_unique(pages):
    "An anchor names one place only."
    twice = {n: [i for i,k in Counter(p['ids']).items() if k > 1] for n,p in pages.items()}
    assert not any(twice.values()), {n:i for n,i in twice.items() if i}

def test_sidebar_reaches_every_page(pages):
    "From the home page, one click to each lesson."
    near = {urldefrag(h)[0].removeprefix('./') for h in pages['index.html']['links']}
    assert set(pages) - {'404.html'} <= near | {'index.html'}, sorted(set(pages) - near)

def test_dark_mode(base, browser):
    "The switch darkens the page, and the choice lasts."
    def shade(tab): return sum(map(int, tab.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0,3)")))
    context = browser.new_context(color_scheme='light')
    tab = context.new_page(); tab.goto(base + 'index.html')
    light = shade(tab)
    tab.locator('.quarto-color-scheme-toggle:visible').first.click()
    tab.wait_for_timeout(500)
    dark = shade(tab)
    assert light > 600 and dark < 150, (light, dark)
    tab.goto(base + 'checks.html')
    assert shade(tab) < 150
    context.close()

def test_search(base, browser):
    "Typing `route` finds a lesson, and the result opens it."
    tab = browser.new_page(); tab.goto(base + 'index.html')
    box = tab.locator('input[type=search]:visible').first
    box.click(); box.type('route', delay=30)
    hits = tab.locator('.search-result, .aa-Item a')
    hits.first.wait_for(timeout=10_000)
    assert 'rout' in ' '.join(hits.all_inner_texts()).lower()
    href = hits.first.get_attribute('href')
    hits.first.click(); tab.wait_for_load_state()
    assert urldefrag(urljoin(base, href))[0] == urldefrag(tab.url)[0]
    tab.close()

def test_small_screen(base, browser):
    "On a telephone the page fits, and the sidebar opens."
    context = browser.new_context(viewport={'width':390, 'height':800}, is_mobile=True)
    tab = context.new_page(); tab.goto(base + 'checks.html')
    assert tab.evaluate('document.documentElement.scrollWidth') <= 391
    context.close()

def test_explorers_move(site, base, browser):
    "The page 'Explore the states' plays without a kernel and without a network, by mouse and by keyboard, in light and dark."
    sizes = {f.name: f.stat().st_size for f in site.rglob('*.html') if 'nstm-view' in f.read_text(encoding='utf-8')}
    assert {'explore.html', 'widgets.html', 'view.html', 'index.html'} <= sizes.keys() and max(sizes.values()) < 1_000_000, sizes
    context = browser.new_context(viewport={'width':1300, 'height':900})
    tab,said = context.new_page(), []
    tab.on('pageerror', lambda e: said.append(str(e)))
    tab.goto(base + 'explore.html')
    tab.wait_for_function("document.querySelectorAll('.nstm-view[data-ready]').length === document.querySelectorAll('.nstm-view').length")
    context.set_offline(True)
    views = tab.locator('.nstm-view').all()
    assert len(views) >= 6
    for v in views:
        look = v.evaluate(seen)
        v.locator('.nv-slider').fill('2'); changed(tab, v, look, 'the slider')
        assert v.evaluate('v => v.scrollWidth - v.clientWidth') <= 1
    play_with(tab, views[0])
    look = views[0].evaluate(seen)
    views[0].locator('.nv-beside').select_option('2'); changed(tab, views[0], look, 'another edit beside it')
    budget = next(v for v in views if v.locator('.nv-also:visible').count())
    look,also = budget.evaluate(seen),budget.locator('.nv-also')
    also.focus(); also.press('End'); changed(tab, budget, look, 'the prune threshold')
    assert '1 state' in budget.locator('.nv-count').inner_text()
    took = next(v for v in views if v.locator('.nv-slider').get_attribute('max') == '63').evaluate(steps)
    assert took[len(took)//2] < 100, f'a step of the slider takes {took} ms'

    # the automaton: a click on a state shows what forms it
    shown = lambda: [e.inner_text() for e in tab.locator('div[class^="p p"]').all() if e.is_visible()]
    first = shown()
    tab.locator('label[title="state 3"]').click()
    assert len(first) == len(shown()) == 1 and first != shown() and 'State 3' in shown()[0] and 'arrangement' in shown()[0], (first, shown())
    if shots := os.environ.get('NSTM_SCREENSHOTS'): tab.screenshot(path=f'{shots}/explore-light.png', full_page=True)
    tab.locator('.quarto-color-scheme-toggle:visible').first.click()
    tab.wait_for_function("[...document.querySelectorAll('.nstm-view')].every(v => v.style.colorScheme === 'dark')")
    ink = tab.evaluate("getComputedStyle(document.querySelector('div[class^=\"p p\"] code')).color")
    assert sum(map(int, ink[4:-1].split(','))) < 200, f'the automaton stands on white, its words are {ink}'
    if shots: tab.wait_for_timeout(500); tab.screenshot(path=f'{shots}/explore-dark.png', full_page=True)
    assert not said, said
    context.close()
