"The experiments as they are run: from the command line, in a folder of results of their own, interrupted and gone on with."
import io, math, os, re, signal, subprocess, sys, time
from pathlib import Path
import pytest
from util import root, run

bin = Path(sys.executable).parent
one = {'OMP_NUM_THREADS':'1', 'MKL_NUM_THREADS':'1', 'OPENBLAS_NUM_THREADS':'1'}

def command(*args, **kw): return run(bin/args[0], *args[1:], **one, **kw)

def experiments():
    from nstm.experiments.core import find_experiments
    return find_experiments()

names = sorted(experiments())

def rows_of(results, name='demo'):
    from nstm.tracking import load_rows
    return load_rows(name, results=results)

def processor_time():
    "Seconds that programs which were run and have ended kept a processor busy."
    t = os.times()
    return t.children_user + t.children_system

def lasting(row): return {k: row[k] for k in ('model', 'data', 'seed', 'parameters', 'metrics', 'history')}

def test_list():
    "`nstm_run --list` names every experiment, its question and its models."
    r = command('nstm_run', '--list')
    assert r.returncode == 0, r.stdout
    for e in experiments().values():
        assert re.search(rf'(?m)^{e.name}\s', r.stdout) and e.about in r.stdout
        for m in e.models: assert ' '.join(m.split()) in ' '.join(r.stdout.split())

@pytest.mark.parametrize('name', names)
def test_quick(name, tmp_path, capsys):
    "The quick preset trains, tests, leaves a valid row for each job, a picture and a table with all its models, in less than two minutes of one processor."
    from nstm.experiments.core import jobs_of, lengths_of, table_main
    from nstm.tracking import FIELDS
    start = processor_time()
    r = command('nstm_run', name, '--preset', 'quick', '--workers', 1, '--results', tmp_path)
    took = processor_time()-start
    if 'is not here and could not be downloaded' in r.stdout: pytest.skip('the data set is not here: set NSTM_DATA, or allow the download')
    assert r.returncode == 0, r.stdout
    e,rows = experiments()[name],rows_of(tmp_path, name)
    jobs = jobs_of(e, 'quick')
    assert sorted((j.task,j.model,j.seed) for j in jobs) == sorted((o['data'],o['model'],o['seed']) for o in rows)
    for row in rows:
        assert list(row) == list(FIELDS) and row['status'] == 'finished' and row['experiment'] == name
        assert all(isinstance(v, (int,float)) and math.isfinite(v) for v in row['metrics'].values()), row['metrics']
        assert row['parameters'] > 0 and row['tokens_per_s'] > 0 and row['wall_s'] > 0 and row['device'] and row['config']['steps'] and row['history']
        assert any(lengths_of([row], s) for s in (e.score, 'scaled', 'accuracy', 'loss')), row['metrics']
    assert (tmp_path/f'visualization/{name}.png').stat().st_size > 1000
    assert not list((tmp_path/'.checkpoints').iterdir()), 'checkpoints of a finished run are taken away'
    assert table_main([name, '--results', str(tmp_path)]) == 0   # as `nstm_table`, without starting it
    table = capsys.readouterr().out
    for m in {o['model'] for o in rows}: assert m in table, table
    for t in {o['data'] for o in rows}: assert re.search(rf'(?m)^{t}, \w+ at length', table), table
    assert took < 120, f'{name} --preset quick took {took:.0f} s'

@pytest.mark.parametrize('args,part', [(('no_such',), "'state_tracking'"), (('state_tracking', '--model', 'GPT', '--device', 'cpu'), "'GRU'"),
                                       (('state_tracking', '--results', str(root/'settings.ini/results')), 'no results can be written to')], ids=('name', 'model', 'results'))
def test_wrong(args, part, tmp_path, capsys):
    "What cannot be done is one line on what there is, and exit code 2. (The notebook tests more of them.)"
    from nstm.experiments.core import main
    with pytest.raises(SystemExit) as e: main([*args, *(() if '--results' in args else ('--results', str(tmp_path)))])   # as `nstm_run`, without starting it
    said = capsys.readouterr()
    assert e.value.code == 2 and part in said.err and len((said.out + said.err).strip().splitlines()) == 1, said

def test_no_rows(tmp_path):
    "A table of an experiment that was never run says how to run it."
    r = command('nstm_table', 'state_tracking', '--results', tmp_path)
    assert r.returncode == 2 and 'nstm_run state_tracking' in r.stdout, r.stdout

# The same commands for a small experiment of our own. Two jobs: one for each worker.
program = """
import sys
from nstm.experiments import core
demo = core.Experiment('demo', 'A small one.', models=dict(GRU=dict(mixer='gru'), Transformer=dict(mixer='transformer'), Broken=dict(mixer='transformer', mixer_options=dict(num_heads=5))),
    presets=dict(quick=dict(tasks=('parity',), models=('GRU','Transformer'), d_model=16, batch_size=8, steps=1000, length=12, lr=5e-3, test_lengths=(12,24), test_sequences=32),
                 tiny=dict(tasks=('parity',), d_model=16, batch_size=4, steps=10, length=8, test_lengths=(8,), test_sequences=8)))
core.find_experiments = lambda: dict(demo=demo)
if __name__ == '__main__': sys.exit(core.main(sys.argv[1:]))
"""

@pytest.fixture(scope='module')
def demo(tmp_path_factory):
    "The program, as the beginning of a command line."
    f = tmp_path_factory.mktemp('demo')/'program.py'
    f.write_text(program)
    return sys.executable, str(f), 'demo'

def here(args, results):
    "The same command line without starting the program: exit code, what was printed."
    from contextlib import redirect_stdout, redirect_stderr
    from nstm.experiments import core
    was,out,names = core.find_experiments,io.StringIO(),{'__name__':'demo'}
    exec(program, names)
    try:
        with redirect_stdout(out), redirect_stderr(out): code = core.main(['demo', *args, '--workers', '1', '--results', str(results)])
    except SystemExit as e: code = e.code
    finally: core.find_experiments = was
    return code, out.getvalue()

def alive(group):
    "Processes of a group, but for those that have ended and are not yet buried."
    out = []
    for d in Path('/proc').glob('[0-9]*'):
        try: state,_,pgrp = (d/'stat').read_text().rsplit(')', 1)[1].split()[:3]
        except OSError: continue
        if int(pgrp) == group and state != 'Z': out.append(int(d.name))
    return out

def checkpoints(results): return {(f.name, f.stat().st_mtime_ns) for f in results.glob('.checkpoints/*/*.pt')}

def start_and_stop(cmd, results, how):
    "Start a run in a process group of its own; when it has written a checkpoint, `how(process)`. Returns its exit code and what it printed; none of its processes is left."
    before = checkpoints(results)
    p = subprocess.Popen([*map(str, cmd), '--results', str(results)], cwd=root, env={**os.environ, **one, 'MPLBACKEND':'agg', 'PYTHONUNBUFFERED':'1'}, text=True,
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
                         preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))   # a shell that runs the tests in the background has it ignored
    try:
        end = time.time()+120
        while time.time() < end and p.poll() is None and not checkpoints(results)-before: time.sleep(.02)
        assert p.poll() is None, p.communicate()[0]
        how(p)
        out = p.communicate(timeout=60)[0]
        end = time.time()+10
        while alive(p.pid) and time.time() < end: time.sleep(.1)
        assert not alive(p.pid), f'processes of the run are still there: {alive(p.pid)}'
    finally:
        if alive(p.pid): os.killpg(p.pid, signal.SIGKILL)
    return p.returncode, out

@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    "What lasts of the rows of a run that nothing disturbed, in one process."
    results = tmp_path_factory.mktemp('whole')
    code,out = here([], results)
    assert code == 0, out
    return sorted(map(lasting, rows_of(results)), key=lambda o: o['model'])

@pytest.mark.skipif(not Path('/proc/self/stat').exists(), reason='finds processes by /proc')
def test_interrupt(demo, whole, tmp_path):
    "With two workers: Ctrl-C, then a request to terminate, then a kill. All processes end, checkpoints stay, and `--resume` ends with the rows of an undisturbed run, bit for bit."
    code,out = start_and_stop(demo, tmp_path, lambda p: os.killpg(p.pid, signal.SIGINT))   # as a terminal does it: to all of them
    assert code == 130 and '--resume' in out and 'Traceback' not in out, out
    assert checkpoints(tmp_path)
    rows = rows_of(tmp_path)
    assert rows and {r['status'] for r in rows} == {'interrupted'}, [r['status'] for r in rows]

    code,out = here([], tmp_path)
    assert code == 2 and '--resume' in out and '--restart' in out, out

    code,out = start_and_stop([*demo, '--resume'], tmp_path, lambda p: p.terminate())
    assert code == 130 and 'Traceback' not in out, out
    code,_ = start_and_stop([*demo, '--resume'], tmp_path, lambda p: p.kill())
    assert code == -signal.SIGKILL

    r = run(*demo, '--resume', '--results', tmp_path, **one)
    assert r.returncode == 0, r.stdout
    done = [r for r in rows_of(tmp_path) if r['status'] == 'finished']
    assert any(r['config']['resumed_at_epoch'] > 1 for r in done)
    assert sorted(map(lasting, done), key=lambda o: o['model']) == whole
    assert not list((tmp_path/'.checkpoints').iterdir())

def test_one_fails(tmp_path):
    "A job that fails is told at the end, with exit code 1; the others are finished, and `--resume` tries only what failed again."
    for more,status in (([], ['failed','finished','finished']), (['--resume'], ['failed','failed','finished','finished'])):
        code,out = here(['--preset', 'tiny', *more], tmp_path)
        assert code == 1, out
        assert re.search(r'failed: parity, Broken, seed 0: ValueError: .*divisible', out) and '1 of 3 runs failed' in out, out
        assert sorted(o['status'] for o in rows_of(tmp_path)) == status
