"What several tests need: the checkout, copies of it, and commands run in it."
import os, shutil, subprocess, sys
from pathlib import Path

root = Path(__file__).resolve().parent.parent
left_out = {'.venv', '.git', '_docs', '_proc', 'build', 'dist', '__pycache__', '.ipynb_checkpoints', '.pytest_cache', 'checkpoints'}

def project_files(at=root):
    "Files that belong to the project: those git tracks or would track; outside a repository, all but what is built."
    r = subprocess.run(['git', 'ls-files', '-co', '--exclude-standard', '-z'], cwd=at, capture_output=True, text=True)
    names = r.stdout.split('\0') if r.returncode == 0 else [str(f.relative_to(at)) for f in at.rglob('*')]
    keep = lambda f: not left_out & set(f.parts) and not any(p.endswith('.egg-info') for p in f.parts)
    return sorted(f for n in set(names) if n for f in [Path(n)] if keep(f) and ((at/f).is_symlink() or (at/f).is_file()))

def scratch_copy(dst):
    "A copy of the project's files in the folder `dst`; links stay links."
    for f in project_files():
        (dst/f).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root/f, dst/f, follow_symlinks=False)
    return dst

def snapshot(at, files):
    return {str(f): (at/f).read_bytes() for f in files if (at/f).is_file()}

def run(*cmd, cwd=root, timeout=600, **env):
    "Run a program of this environment; what it printed comes back with its exit code."
    bin = Path(sys.executable).parent
    e = {**os.environ, 'PATH': f"{bin}{os.pathsep}{os.environ['PATH']}", 'MPLBACKEND': 'agg', **env}
    return subprocess.run([str(c) for c in cmd], cwd=cwd, env=e, timeout=timeout, text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
