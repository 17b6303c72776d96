"`make test`: every notebook through nbdev_test, then pytest; the last lines say how many passed. Arguments go to pytest."
import ast, json, os, re, subprocess, sys, time
from configparser import ConfigParser
from pathlib import Path
import pytest

root = Path(__file__).resolve().parent.parent
cfg = ConfigParser(delimiters=['=']); cfg.read(root/'settings.ini')
skip = set(cfg['DEFAULT']['tst_flags'].split())

def is_test(node):
    "An assert, or a call of test_eq, test_close, test_fail, expect_fail, ..."
    f = getattr(node, 'func', None)
    return isinstance(node, ast.Assert) or re.match(r'test_|expect_fail', getattr(f, 'id', getattr(f, 'attr', ''))) is not None

def count_tests(nb):
    "How many tests stand in the cells of a notebook that nbdev_test runs."
    n = 0
    for c in json.loads(nb.read_text(encoding='utf-8'))['cells']:
        src = ''.join(c['source'])
        flags = {o.strip().split()[0] for o in re.findall(r'^#\|(.*)$', src, re.M) if o.strip()}
        if c['cell_type'] != 'code' or flags & (skip|{'export', 'exports'}): continue
        try: n += sum(map(is_test, ast.walk(ast.parse(src))))
        except SyntaxError: pass   # cell magics
    return n

def run_notebooks():
    "(names, tests in them, names that failed); two at a time, one thread each."
    nbs = sorted(o for o in (root/'nbs').rglob('*.ipynb') if '.ipynb_checkpoints' not in o.parts)
    env = {**os.environ, 'OMP_NUM_THREADS':'1', 'MKL_NUM_THREADS':'1', 'OPENBLAS_NUM_THREADS':'1'}
    p = subprocess.Popen(['nbdev_test', '--n_workers', '2', '--do_print', '--timing'], cwd=root, env=env,
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    out = ''
    for line in p.stdout:
        out += line
        if not line.startswith('Starting'): print(line.replace(f'{root}/', '').rstrip(), flush=True)
    failed = re.findall(r'^\t(\S+\.ipynb)$', out, re.M) if p.wait() else []
    if p.returncode and not failed: failed = ['nbdev_test itself']
    return nbs, sum(map(count_tests, nbs)), failed

class Counts:
    "What pytest did."
    def __init__(self): self.passed,self.failed,self.skipped = 0,0,0
    def pytest_runtest_logreport(self, report):
        if report.failed: self.failed += 1
        elif report.skipped: self.skipped += 1
        elif report.when == 'call': self.passed += 1
    def pytest_collectreport(self, report): self.failed += report.failed

if __name__ == '__main__':
    os.chdir(root)
    start = time.time()
    nbs,n_tests,bad = run_notebooks()
    c = Counts()
    code = pytest.main(['-q', '-rfEs', '--durations=5', 'tests', *sys.argv[1:]], plugins=[c])
    failed = len(bad) + max(c.failed, int(code not in (0,)))
    skipped = f', {c.skipped} skipped' if c.skipped else ''
    verdict = 'all passed' if not failed else f"failed: {', '.join(bad + ([f'{c.failed} of pytest'] if code else []))}"
    print(f'\n{len(nbs)} notebooks with {n_tests} tests, {c.passed + c.failed} pytest tests{skipped}: {verdict}, in {(time.time()-start)/60:.1f} minutes')
    print(f'{len(nbs) - len(bad) + c.passed} passed, {failed} failed{skipped}')
    sys.exit(bool(failed))
