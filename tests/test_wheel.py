"The wheel: what is in it, and that it works where the checkout is not. `.ci/run` does the same in environments of its own."
import os, subprocess, sys, sysconfig, venv, zipfile
from configparser import ConfigParser
from pathlib import Path
import pytest
from util import root, scratch_copy, run

@pytest.fixture(scope='session')
def wheel(tmp_path_factory):
    "Built from a copy of the project's files, so that nothing untracked can slip in."
    at = scratch_copy(tmp_path_factory.mktemp('wheel')/'copy')
    r = run(sys.executable, '-m', 'pip', 'wheel', '--quiet', '--no-deps', '--no-build-isolation', '-w', at.parent, at)
    assert r.returncode == 0, r.stdout
    whl, = at.parent.glob('*.whl')
    return whl

@pytest.fixture(scope='session')
def env_python(wheel, tmp_path_factory):
    "A new environment with the wheel; its requirements are lent from this one, without this one's editable install."
    at = tmp_path_factory.mktemp('venv')/'env'
    venv.create(at, with_pip=True)
    py = at/'bin/python'
    site = Path(subprocess.check_output([py, '-c', 'import sysconfig; print(sysconfig.get_path("purelib"))'], text=True).strip())
    r = run(py, '-m', 'pip', 'install', '--quiet', '--no-deps', '--no-index', wheel, cwd=at)
    assert r.returncode == 0, r.stdout
    (site/'lent.pth').write_text(sysconfig.get_path('purelib') + '\n')   # a .pth in a folder so added is not read: the editable install stays out
    return py

def test_contents(wheel):
    "The package and its metadata, nothing else."
    names = zipfile.ZipFile(wheel).namelist()
    tops = {n.split('/')[0] for n in names}
    assert {t for t in tops if not t.endswith('.dist-info')} == {'nstm'}, tops
    want = {str(f.relative_to(root)) for f in (root/'nstm').rglob('*.py')}
    assert want == {n for n in names if n.startswith('nstm/')}

def test_metadata(wheel):
    "Name, licence and open requirements; test and notebook tools only as extras."
    z = zipfile.ZipFile(wheel)
    meta = z.read(next(n for n in z.namelist() if n.endswith('/METADATA'))).decode()
    head = meta.split('\n\n')[0]
    assert 'Name: nstm' in head and 'MIT' in head and 'Requires-Python: >=3.10' in head
    reqs = [l.split(': ',1)[1] for l in head.splitlines() if l.startswith('Requires-Dist')]
    own = [r for r in reqs if 'extra ==' not in r]
    assert not [r for r in own if '==' in r.split(';')[0] or '<' in r.split(';')[0]], own
    assert not [r for r in own if r.startswith(('ipywidgets', 'jupyterlab', 'pytest', 'nbdev', 'playwright', 'smalldocs'))], own

def test_installed(env_python, tmp_path):
    "Imports, the documents' examples, a fastai fit and the command, run from an empty folder."
    env = {k:v for k,v in os.environ.items() if not k.startswith('PYTHON')}
    r = subprocess.run([env_python, root/'tests/installed.py'], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300)
    print(r.stdout)
    assert r.returncode == 0, r.stdout + r.stderr
    assert not [*tmp_path.iterdir()], 'importing or running left files behind'

@pytest.mark.parametrize('command', [o.split('=')[0] for o in (lambda c: (c.read(root/'settings.ini'), c['DEFAULT']['console_scripts'].split())[1])(ConfigParser(delimiters=['=']))])
def test_command(env_python, command, tmp_path):
    "Each command that settings.ini names exists and explains itself."
    r = subprocess.run([env_python.parent/command, '--help'], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert r.returncode == 0 and 'usage' in r.stdout.lower(), r.stdout + r.stderr
