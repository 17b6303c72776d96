"A process for each notebook, without importing torch in each of them again."
import os, sys
from multiprocessing import get_context
from pathlib import Path

GPU = any(Path('/dev', o).exists() for o in ('nvidiactl', 'dxg', 'kfd'))

def context():
    "On Linux without a GPU processes are forked from a server that has done the imports; elsewhere, where a fork would not be safe, each does its own."
    if sys.platform != 'linux' or GPU: return get_context('spawn')
    os.environ.setdefault('TRITON_INTERPRET', '1')   # before Triton is imported, as 09_kernels needs it
    ctx = get_context('forkserver')
    ctx.set_forkserver_preload(['torch', 'torch._dynamo', 'fastai.basics', 'pandas', 'matplotlib.pyplot', 'nbdev.test', 'nbdev.processors'])
    return ctx
