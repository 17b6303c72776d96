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
    "JupyterLab with one small notebook, settings of its own, and nothing to fetch; its address."
    at = tmp_path_factory.mktemp('lab')
    nb = dict(cells=[dict(cell_type='code', id=f'c{i}', metadata={}, source=o, outputs=[], execution_count=None) for i,o in enumerate(cells)],
              metadata=dict(kernelspec=dict(name='python3', display_name='python3', language='python')), nbformat=4, nbformat_minor=5)
    (at/'play.ipynb').write_text(json.dumps(nb))
    quiet = at/'LAB_SETTINGS_DIR/@jupyterlab/apputils-extension/notification.jupyterlab-settings'
    quiet.parent.mkdir(parents=True); quiet.write_text(json.dumps(dict(fetchNews='false', checkForUpdates=False)))
    own = {f'JUPYTER{k}': str(at/k) for k in ('_CONFIG_DIR', '_RUNTIME_DIR', '_DATA_DIR', 'LAB_SETTINGS_DIR', 'LAB_WORKSPACES_DIR')}
    cmd = [sys.executable, '-m', 'jupyterlab', '--no-browser', '--ip=127.0.0.1', '--port=0', '--allow-root', '--IdentityProvider.token=', f'--ServerApp.root_dir={at}',
           '--LabApp.news_url=None', '--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate', '--LabApp.extension_manager=readonly',
           "--ServerApp.jpserver_extensions={'jupyterlab': True, 'jupyter_lsp': False, 'jupyter_server_terminals': False}"]
    with (at/'log').open('w') as log:
        p = subprocess.Popen(cmd, cwd=root, env={**os.environ, **own, 'PYTHONPATH': str(root), 'OMP_NUM_THREADS': '1'}, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            end,info = time.time()+60,[]
            while not info and time.time()<end and p.poll() is None: time.sleep(.2); info = [*(at/'_RUNTIME_DIR').glob('jpserver-*.json')]
            assert info, (at/'log').read_text()
            yield json.loads(info[0].read_text())['url']
        finally: p.terminate(); p.wait(20)

def ready(lab, seconds=60):
    "Wait until the notebook has a kernel that listens."
    end = time.time()+seconds
    while time.time()<end:
        with urllib.request.urlopen(f'{lab}api/sessions') as r: kernels = [o['kernel'] for o in json.load(r)]
        if kernels and all(k['execution_state']=='idle' and k['connections'] for k in kernels): return
        time.sleep(.2)
    raise AssertionError(f'no kernel is ready: {kernels}')

def menu(tab, name, item):
    tab.locator('.lm-MenuBar-itemLabel', has_text=re.compile(f'^{name}$')).click()
    tab.locator('.lm-Menu-itemLabel', has_text=re.compile(item)).first.click()

def test_in_jupyterlab(lab, browser):
    "All cells run; two explorers and a player move; a state is edited, a sequence typed; a restart changes nothing of that."
    context = browser.new_context(viewport=dict(width=1200, height=2600))
    tab,said,away = context.new_page(), [], []
    tab.on('pageerror', lambda e: said.append(str(e)))
    tab.on('request', lambda r: away.append(r.url) if not r.url.startswith((lab, lab.replace('http','ws'), 'data:', 'blob:')) else None)
    tab.goto(f'{lab}lab/tree/play.ipynb?reset', wait_until='commit')
    tab.locator('.jp-Notebook .jp-CodeCell').nth(3).wait_for(timeout=60_000)
    ready(lab)
    tab.wait_for_function("document.querySelector('.jp-Notebook-ExecutionIndicator')?.dataset.status === 'idle'", timeout=60_000)

    def run(name, item):
        menu(tab, name, item)
        if 'Restart' in item: tab.locator('.jp-Dialog .jp-mod-accept').click(); tab.wait_for_function("!document.querySelector('.nstm-view[data-old]')", timeout=60_000)
        failed = '[data-mime-type="application/vnd.jupyter.error"]'
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
    context.close()
