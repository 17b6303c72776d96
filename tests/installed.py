"""Run with the Python of an environment where the wheel is installed, outside the checkout: imports, the documents' examples, a fastai fit.
`python installed.py --quick` leaves out the fit."""
import subprocess, sys, time, tempfile
from pathlib import Path
done = []

def check(f):
    "Run `f` now; a failure ends the program with its traceback."
    f(); done.append(f.__name__); print(f'  ok {f.__name__}: {f.__doc__}', flush=True)

@check
def imports():
    "`import nstm` comes from site-packages and needs neither fastai nor matplotlib; under 5 s beyond torch"
    t0 = time.time(); import torch; t1 = time.time(); import nstm; t2 = time.time()
    assert 'site-packages' in nstm.__file__, nstm.__file__
    heavy = {m.split('.')[0] for m in sys.modules} & {'fastai', 'matplotlib', 'pandas', 'seaborn', 'sklearn', 'nbdev', 'IPython'}
    assert not heavy, f'import nstm also imports {sorted(heavy)}'
    assert t2-t1 < 5, f'{t2-t1:.1f} s beyond torch'
    print(f'  nstm {nstm.__version__} imports in {t2-t1:.2f} s after torch ({t1-t0:.1f} s)')

@check
def propagator():
    "the documents' StatePropagator on [32,128] and [32,16,128]"
    import torch
    from nstm import StatePropagator
    m = StatePropagator(state_dim=128, gate_type='gru', num_heads=4, enable_communication=True)
    for shape in ((32,128), (32,16,128)):
        out = m(torch.randn(shape), torch.randn(shape))
        assert out.shape == shape and out.isfinite().all()

@check
def manager_and_layer():
    "the documents' StateManager and NSMLayer"
    import torch
    from nstm import StateManager, NSMLayer
    state_manager = StateManager(state_dim=128, max_states=64, initial_states=16, prune_threshold=0.3)
    layer = NSMLayer(state_dim=128, token_dim=64, num_heads=4)
    states = state_manager()
    assert states.shape == (state_manager.get_active_count(), 128) == (16, 128)
    out = layer(states.unsqueeze(0).expand(2,-1,-1), torch.randn(2,10,64))
    assert out.shape == (2,16,128) and out.isfinite().all()
    pruned = state_manager.prune_low_importance_states()
    assert state_manager().shape == (16-pruned, 128)
    new = state_manager.allocate_states(2)
    assert new == 2 and state_manager().shape == (18-pruned, 128)

@check
def simple_model():
    "the documents' SimpleNSM on [32,784]"
    import torch
    from nstm.models import SimpleNSM
    model = SimpleNSM(input_dim=784, state_dim=128, num_states=16, output_dim=10, gate_type='gru')
    x,y = torch.randn(32,784), torch.randint(0,10,(32,))
    loss = torch.nn.functional.cross_entropy(model(x), y); loss.backward()
    assert loss.isfinite() and all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())

@check
def sequence_layer():
    "NSTM like nn.GRU(batch_first=True), also in two pieces"
    import torch
    from nstm import NSTM
    torch.manual_seed(0)
    m = NSTM(32, num_states=4, num_heads=4).eval(); x = torch.randn(2,12,32)
    y,_ = m(x); a,s = m(x[:,:5]); b,_ = m(x[:,5:], s)
    assert y.shape == x.shape and torch.allclose(torch.cat([a,b],1), y, atol=1e-5)

@check
def all_modules():
    "every module of the package imports, also on a machine without Triton"
    code = "import pkgutil, importlib, nstm\nfor m in pkgutil.iter_modules(nstm.__path__): importlib.import_module('nstm.'+m.name)"
    for before in ("import sys; sys.modules['triton'] = None\n", ''): subprocess.run([sys.executable, '-c', before+code], check=True)

if '--quick' not in sys.argv:
    @check
    def fastai_fit():
        "a fastai Learner trains an NSTMClassifier, and it learns"
        import torch
        from torch.utils.data import TensorDataset
        import fastai.callback.all   # gives a Learner `fit_one_cycle` and `no_bar`
        from fastai.basics import Learner, DataLoader, DataLoaders, accuracy, CrossEntropyLossFlat
        from nstm.models import NSTMClassifier
        import fastai, fastcore
        torch.manual_seed(0); torch.set_num_threads(1)
        x = torch.randint(0, 4, (512,12)); y = (x[:,0] >= 2).long()
        ds = TensorDataset(x, y)
        dls = DataLoaders(DataLoader(ds, bs=64, shuffle=True), DataLoader(ds, bs=256))
        learn = Learner(dls, NSTMClassifier(num_classes=2, vocab_size=4, d_model=32, n_layers=1, num_states=4, num_heads=2, transition='soft'), loss_func=CrossEntropyLossFlat(), metrics=accuracy)   # the order of tokens is in the moves
        with learn.no_bar(), learn.no_logging(): learn.fit_one_cycle(5, 1e-2)
        acc = float(learn.recorder.values[-1][-1])
        print(f'  fastai {fastai.__version__}, fastcore {fastcore.__version__}, torch {torch.__version__}: accuracy {acc:.3f}')
        assert acc > .9

    @check
    def command():
        "nstm_quickstart says what it takes"
        r = subprocess.run([Path(sys.executable).parent/'nstm_quickstart', '--help'], capture_output=True, text=True, timeout=120)
        assert r.returncode == 0 and '--epochs' in r.stdout, r.stdout + r.stderr

print(f'{len(done)} passed, 0 failed')
