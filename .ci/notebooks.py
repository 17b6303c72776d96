"`make notebooks`: run notebooks again in place, keep what they show, then clean and export. Cells marked slow or cuda keep the output they have."
import asyncio, os, re, subprocess, sys, time
from configparser import ConfigParser
from pathlib import Path
import nbformat
from nbclient import NotebookClient

root = Path(__file__).resolve().parent.parent
cfg = ConfigParser(delimiters=['=']); cfg.read(root/'settings.ini')
flags = '|'.join(cfg['DEFAULT']['tst_flags'].split())

class Client(NotebookClient):
    async def async_execute_cell(self, cell, cell_index, **kw):
        if re.search(rf'^#\|\s*({flags}|eval:\s*false)\b', cell.source, re.M) or 'nbdev_export()' in cell.source: return cell
        return await super().async_execute_cell(cell, cell_index, **kw)

def rerun(f):
    nb = nbformat.read(f, 4)
    start = time.time()
    Client(nb, timeout=1800, kernel_name='python3', resources={'metadata': {'path': str(f.parent)}}, store_widget_state=False).execute()
    for o in (o for c in nb.cells for o in c.get('outputs', [])): o.get('data', {}).pop('application/vnd.jupyter.widget-view+json', None)   # a view of a kernel that is gone
    nbformat.write(nb, f)
    print(f'  {f.name}: {time.time()-start:.0f} s', flush=True)

if __name__ == '__main__':
    os.environ['IN_TEST'] = '1'   # as in nbdev_test: short runs, no progress bars
    os.environ.pop('MPLBACKEND', None)
    subprocess.run(['nbdev_export'], cwd=root, check=True)
    for f in [Path(o).resolve() for o in sys.argv[1:]] or sorted((root/'nbs').glob('*.ipynb')): rerun(f)
    for cmd in ('nbdev_clean', 'nbdev_export'): subprocess.run([cmd], cwd=root, check=True)
