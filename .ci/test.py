"`make test`: every notebook as nbdev_test runs it, and pytest, two jobs at a time; the last lines say how many passed. Arguments go to pytest."
import ast, json, os, re, subprocess, sys, tempfile, time
from concurrent.futures import ThreadPoolExecutor, as_completed
from configparser import ConfigParser
from pathlib import Path
from xml.etree import ElementTree
from processes import context

root = Path(__file__).resolve().parent.parent
cfg = ConfigParser(delimiters=['=']); cfg.read(root/'settings.ini')
skip = cfg['DEFAULT']['tst_flags'].split()
long = 'test_experiments', 'test_site', 'test_widgets', '56_dynamic_states', '50_experiments', 'test_break'   # these first, so that no core waits for them at the end

# ---------------------------------------------------------------- notebooks

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
        if c['cell_type'] != 'code' or flags & {*skip, 'export', 'exports'}: continue
        try: n += sum(map(is_test, ast.walk(ast.parse(src))))
        except SyntaxError: pass   # cell magics
    return n

def in_process(nb, log):
    "Test one notebook with what nbdev_test calls; what is printed goes to the file `log`."
    fd = os.open(log, os.O_WRONLY|os.O_CREAT)
    os.dup2(fd, 1); os.dup2(fd, 2)
    from nbdev.test import test_nb
    sys.exit(not test_nb(nb, skip_flags=skip, basepath=root)[0])

def test_notebook(nb, tmp):
    "In a process of its own, so that no notebook leans on another. (passed, failed, skipped, what was printed)"
    log = tmp/f'{nb.stem}.log'
    p = context().Process(target=in_process, args=(nb, log))
    p.start(); p.join()
    out = log.read_text(encoding='utf-8', errors='replace') if log.exists() else ''
    return 1-bool(p.exitcode), int(bool(p.exitcode)), 0, out if p.exitcode else ''

# ---------------------------------------------------------------- pytest

def test_file(f, tmp):
    "One file of tests: (passed, failed, skipped, what pytest printed)."
    xml = tmp/f'{f.stem}.xml'
    r = subprocess.run([sys.executable, '-m', 'pytest', '-q', '-rfEs', '--durations=5', '--durations-min=5', f'--junitxml={xml}', f, *sys.argv[1:]], cwd=root,
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    n = dict.fromkeys(('tests','failures','errors','skipped'), 0)
    if xml.exists():
        for s in ElementTree.parse(xml).iter('testsuite'): n = {k: n[k]+int(s.get(k)) for k in n}
    failed = n['failures'] + n['errors']
    if r.returncode not in (0,5): failed = max(failed, 1)   # 5: the arguments chose none of these tests
    return max(0, n['tests']-failed-n['skipped']), failed, n['skipped'], r.stdout

# ---------------------------------------------------------------- all of it

def timed(f, *args):
    start = time.time()
    return *f(*args), time.time()-start

def run_all(jobs):
    "{file: (passed, failed, skipped)} of jobs (function, file), two at a time."
    res = {}
    with tempfile.TemporaryDirectory() as tmp, ThreadPoolExecutor(2) as ex:
        futures = {ex.submit(timed, f, o, Path(tmp)): o for f,o in jobs}
        try:
            for fut in as_completed(futures):
                o,(*n,out,took) = futures[fut],fut.result()
                res[o] = n
                print(f"{'FAILED' if n[1] else 'passed'} {o.relative_to(root)} in {took:.0f} s", *filter(None, [out.strip().replace(f'{root}/', '')]), sep='\n', flush=True)
        except BaseException: ex.shutdown(wait=False, cancel_futures=True); raise
    return res

if __name__ == '__main__':
    os.chdir(root)
    start = time.time()
    os.environ.update(OMP_NUM_THREADS='1', MKL_NUM_THREADS='1', OPENBLAS_NUM_THREADS='1')   # a core for each job
    nbs = sorted(o for o in (root/'nbs').rglob('*.ipynb') if '.ipynb_checkpoints' not in o.parts)
    jobs = [(test_file, o) for o in sorted((root/'tests').glob('test_*.py'))] + [(test_notebook, o) for o in nbs]
    res = run_all(sorted(jobs, key=lambda j: long.index(j[1].stem) if j[1].stem in long else len(long)))
    bad = [o.name for o,n in res.items() if n[1]]
    passed,failed,skipped = map(sum, zip(*res.values()))
    n = sum(sum(v[:2]) for o,v in res.items() if o.suffix == '.py')
    also = f', {skipped} skipped' if skipped else ''
    print(f"\n{len(nbs)} notebooks with {sum(map(count_tests, nbs))} tests, {n} pytest tests{also}: {'failed: ' + ', '.join(sorted(bad)) if bad else 'all passed'}, in {(time.time()-start)/60:.1f} minutes")
    print(f'{passed} passed, {failed} failed{also}')
    sys.exit(bool(failed))
