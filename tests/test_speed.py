"`nstm_bench` as it is run: quickly, with parts of names, interrupted, and with a wrong name."
import json, signal, subprocess, sys, time
from util import root, run

one = {'OMP_NUM_THREADS':'1', 'MKL_NUM_THREADS':'1'}
code = 'from nstm.speed import main; main()'

def rows_of(path): return [json.loads(l) for l in (path/'experiments'/'speed.jsonl').read_text().splitlines()]

def test_quick(tmp_path):
    "A layer of each kind is checked, then timed; decoding and a stream are measured; table, picture and rows are there."
    r = run(sys.executable, '-c', code, '--device', 'cpu', '--quick', '--threads', '1', '--only', 'identity, 16', 'gru', '--results', tmp_path, **one)
    assert r.returncode==0, r.stdout
    rows = rows_of(tmp_path)
    assert {x['config']['direction'] for x in rows}=={'forward','forward+backward','decode','stream','block'}
    assert {x['config']['threads'] for x in rows if x['config']['direction']=='block'}=={1}
    assert all(x['status']=='finished' for x in rows), [x['config'].get('error') for x in rows]
    assert 'checked' in r.stdout and 'met' in r.stdout
    assert (tmp_path/'visualization'/'speed.png').stat().st_size > 1000

def test_interrupted(tmp_path):
    "What was measured before Ctrl-C is kept."
    p = subprocess.Popen([sys.executable, '-c', code, '--device', 'cpu', '--threads', '1', '--only', 'gru', '--parts', 'layers', '--lengths', '8', '16', '32', '--tokens', '4096', '--rounds', '200', '--results', str(tmp_path)],
        cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    seen = []
    for line in p.stdout:
        seen.append(line)
        if line.startswith('T='): break
    p.send_signal(signal.SIGINT)
    rest,_ = p.communicate(timeout=60)
    assert p.returncode==0 and 'interrupted' in rest, ''.join(seen)+rest
    assert len(rows_of(tmp_path))>=1

def test_compiled_first(tmp_path):
    "Processes that compile and choose end well, name who failed, and are ended when their time is over."
    try_it = """
import torch
from nstm.speed import compile_first
s = dict(device=torch.device('cpu'), dtype=torch.float32, d_model=16, num_heads=2, tokens=64, lengths=[32], decode_width=32, decode_layers=1, rep=5, compilers=2, patience=(100., 100.))
left = compile_first(['NSTM scan, identity, 16 states'], ['GRU','nobody'], [('Transformer with cache','eager')], s, print)
assert left=={'nobody': "KeyError: 'nobody'"}, left
left = compile_first([], ['GRU'], [], {**s, 'patience':(.2, .2)}, print)
assert left=={'GRU': 'its configurations were not chosen in 0.2 s'}, left
"""
    r = run(sys.executable, '-c', try_it, TRITON_CACHE_DIR=str(tmp_path), **one)
    assert r.returncode==0, r.stdout
    assert 'chose configurations of 1 of 2 layers' in r.stdout and '2 not done by then' in r.stdout, r.stdout

def test_errors(tmp_path):
    "An unknown name is an error that lists the names."
    r = run(sys.executable, '-c', code, '--device', 'cpu', '--only', 'mamba', '--results', tmp_path, **one)
    assert r.returncode==2 and 'mamba' in r.stdout and 'GRU' in r.stdout
