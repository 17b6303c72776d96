"Break one equation in a lesson, and the tests of that lesson must fail: they would notice a wrong formula."
import json, shutil, sys
import pytest
from util import root, scratch_copy, run

# (notebook, what stands there, what is put in its place, which mistake that is)
broken = [
    ('01_gates', '(1-z)*n + z*h', 'z*n + (1-z)*h', 'GRU: keep and write exchanged'),
    ('01_gates', 'torch.tanh(xn + r*hn)', 'torch.tanh(xn + hn)', 'GRU: no reset gate'),
    ('01_gates', 'c = f*c + i*g', 'c = f*c + g', 'LSTM: no input gate'),
    ('08_sequence', '@ M, None if c is None', '@ M.flip(-2), None if c is None', 'move: the wrong state arrives'),
    ('08_sequence', '.tanh(), w), None, w', '.tanh(), 1-w), None, w', 'write: keep and write exchanged'),
    ('08_sequence', 'w = 1-gate(f) if', 'w = gate(f) if', 'scan: keeps where it writes'),
]

@pytest.fixture(scope='module')
def copy(tmp_path_factory): return scratch_copy(tmp_path_factory.mktemp('break')/'copy')

@pytest.mark.parametrize('name,old,new,mistake', broken, ids=[f'{o[0]}: {o[3]}' for o in broken])
def test_break(copy, name, old, new, mistake):
    f = copy/f'nbs/{name}.ipynb'
    original = f.read_text(encoding='utf-8')
    nb,n = json.loads(original),0
    for c in nb['cells']:
        src = ''.join(c['source'])
        if c['cell_type'] == 'code' and '#| export' in src and old in src:
            c['source'] = src.replace(old, new); n += 1
    assert n == 1, f'{name} has {n} exported cells with `{old}`; write the equation as it now stands into this test'
    try:
        f.write_text(json.dumps(nb), encoding='utf-8')
        r = run('nbdev_test', '--path', f'nbs/{name}.ipynb', cwd=copy, OMP_NUM_THREADS='1', MKL_NUM_THREADS='1')
        assert r.returncode != 0 and f'{name}.ipynb' in r.stdout, f'{name} did not notice: {mistake}'
    finally: f.write_text(original, encoding='utf-8')
