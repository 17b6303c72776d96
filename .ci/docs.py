"""Build the site (`make docs`) or the README (`make readme`) from the notebooks.

The notebooks go through nbdev's own processors, as in `nbdev_docs`; then Quarto renders them where it is installed,
and smalldocs otherwise, both from the same `_quarto.yml`. The finished pages ask nothing of the network."""
import argparse, json, os, re, shutil, subprocess, sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from processes import context

root = Path(__file__).resolve().parent.parent
nbs, proc = root/'nbs', root/'_proc'
os.environ.setdefault('MPLBACKEND', 'agg')

# ---------------------------------------------------------------- notebooks to pages

def showable(src):
    "An exported cell that defines something; one of imports alone is of no use to a reader."
    import ast
    return any(not isinstance(o, (ast.Import, ast.ImportFrom, ast.Expr)) for o in ast.parse(src).body)

def mixes(src):
    "An import among other code: nbdev would run the cell to show the API, alone, where its variables do not exist."
    import ast
    try: tree = ast.parse(src)
    except SyntaxError: return False   # cell magics
    is_import = lambda o: isinstance(o, (ast.Import, ast.ImportFrom))
    return any(map(is_import, ast.walk(tree))) and not all(map(is_import, tree.body))

def split_title(nb):
    "nbdev takes the title and its `>` line from the first text cell and drops the rest of it; so the rest becomes a cell of its own."
    from execnb.nbio import mk_cell
    for i,c in enumerate(nb.cells):
        if c.cell_type == 'markdown':
            m = re.match(r'\s*# [^\n]*\n*(?:> [^\n]*\n*)?', c.source)
            if m and c.source[m.end():].strip():
                nb.cells.insert(i+1, mk_cell(c.source[m.end():], 'markdown'))
                c.source = c.source[:m.end()].rstrip()
            return

def plain(m): return re.sub(r'\[(`[^`]+`)\]\([^)]*\)', r'\1', m[0]).replace(':NoneType=None', '=None')

def page_source(src, dst):
    "One notebook through nbdev's processors: API entries from docments, each with its source folded below; links to other notebooks."
    os.environ['IN_TEST'] = '1'
    sys.path.insert(0, str(root))
    from execnb.nbio import read_nb, write_nb
    from nbdev.processors import FilterDefaults
    os.chdir(src.parent)   # as nbdev_test does, so that relative paths mean the same
    nb = read_nb(src)
    split_title(nb)
    for c in nb.cells:
        if c.cell_type == 'code' and re.match(r'#\|\s*export\b(?!\s*:)', c.source) and showable(c.source):
            c.source = re.sub(r'^(#\|\s*)export\b', r'\1exports', c.source)
        elif c.cell_type == 'code' and not re.search(r'(?m)^#\|\s*(export|exec_doc)', c.source) and mixes(c.source): c.source = '#| eval: false\n' + c.source
    FilterDefaults()(nb)
    for c in nb.cells:
        if c.cell_type == 'code':
            c.source = c.source.replace('#| code-fold: show\n#| code-summary: "Exported source"', '#| code-fold: true\n#| code-summary: "Source"')
        for o in c.get('outputs', []):   # a signature: names in its comments stay plain, and no default needs a type
            md = o.get('data', {}).get('text/markdown')
            if md and md[0].startswith('---'): o.data['text/markdown'] = [re.sub(r'(?s)```python.*?```', plain, ''.join(md))]
        if c.cell_type == 'markdown': c.source = c.source.replace('](../results/', '](results/').replace('src="../results/', 'src="results/')
    write_nb(nb, dst)
    return src.name

def process(force, n_workers):
    "Fill `_proc` with what changed since last time."
    from nbdev.config import get_config
    from nbdev.quarto import refresh_quarto_yml
    from nbdev.doclinks import nbglob
    refresh_quarto_yml()
    stamp = proc/'.stamp'
    newest = max(f.stat().st_mtime for f in [*root.glob('nstm/*.py'), root/'settings.ini', Path(__file__)])
    if force or not stamp.exists() or stamp.stat().st_mtime < newest: shutil.rmtree(proc, ignore_errors=True)
    proc.mkdir(exist_ok=True)
    notebooks = [Path(o) for o in nbglob(nbs, file_glob='*.ipynb', as_path=True)]
    for f in proc.glob('*.ipynb'):
        if f.name not in {o.name for o in notebooks}: f.unlink()
    todo = [o for o in notebooks if not (proc/o.name).exists() or (proc/o.name).stat().st_mtime < o.stat().st_mtime]
    kw = dict(max_tasks_per_child=1) if sys.version_info >= (3,11) else {}   # a process of its own for each notebook
    with ProcessPoolExecutor(n_workers, mp_context=context(), **kw) as ex:
        for name in ex.map(page_source, todo, [proc/o.name for o in todo]): print(f'  {name}', flush=True)
    for name in ('_quarto.yml', 'nbdev.yml'): shutil.copy(nbs/name, proc/name)
    shutil.rmtree(proc/'assets', ignore_errors=True); shutil.copytree(nbs/'assets', proc/'assets')
    shutil.rmtree(proc/'results', ignore_errors=True)
    if (root/'results/visualization').exists(): shutil.copytree(root/'results/visualization', proc/'results/visualization')
    stamp.touch()
    return get_config()

# ---------------------------------------------------------------- pages that stand alone

def output_names():
    "`01_gates.html -> gates.html`, the names nbdev's links use."
    res = {}
    for f in proc.glob('*.ipynb'):
        m = re.search(r'^output-file: (\S+)$', ''.join(json.loads(f.read_text())['cells'][0]['source']), re.M)
        if m and m[1] != f'{f.stem}.html': res[f'{f.stem}.html'] = m[1]
    return res

def stand_alone(site, cfg):
    "Point every link and asset of the finished site at the site itself."
    names = output_names()
    base = re.compile(re.escape(f"{cfg.doc_host}{cfg.doc_baseurl}") + r'/(?=[\w-]+\.html)')
    cdn = re.compile(r'https://cdn\.jsdelivr\.net/(?:npm/katex@[\w.-]+/dist|gh/mathjax[^"]*)/(?:contrib/)?')
    source = re.compile(r'<a[^>]*href="' + re.escape(cfg.git_url) + r'/blob[^>]*>source</a>')   # the source is folded below
    for old,new in names.items():
        if (site/old).exists(): (site/old).rename(site/new)
    renamed = re.compile(r'\b(' + '|'.join(map(re.escape, names)) + r')\b') if names else None
    for f in [*site.rglob('*.html'), *site.rglob('*.json'), *site.rglob('*.xml')]:
        s = t = f.read_text(encoding='utf-8')
        if f.suffix == '.html':
            t = cdn.sub('assets/katex/', base.sub('', t))
            t = source.sub('', t)
            t = re.sub(r'<img src="data:image/png;base64,', '<img alt="Figure: output of the code above" src="data:image/png;base64,', t)
        if renamed: t = renamed.sub(lambda m: names[m[1]], t)
        if t != s: f.write_text(t, encoding='utf-8')
    ids = {f.name: {*re.findall(r'\bid="([^"]+)"', f.read_text(encoding='utf-8'))} for f in site.glob('*.html')}
    def known(m): # nbdev links `Class.method` to an anchor that only patched methods have; the others are described with their class
        page,cls,method = m[1],m[2],m[3]
        return m[0] if page not in ids or f'{cls}.{method}' in ids[page] or cls not in ids[page] else f'href="{page}#{cls}"'
    for f in site.glob('*.html'):
        s = f.read_text(encoding='utf-8')
        t = re.sub(r'href="([\w-]+\.html)#([\w-]+)\.([\w.-]+)"', known, s)
        if t != s: f.write_text(t, encoding='utf-8')
    for f in site.rglob('*.css'):   # themes ask for web fonts; styles.css names fonts that are there
        s = f.read_text(encoding='utf-8')
        t = re.sub(r'@import\s+(?:url\()?["\']?https?://[^)"\']*["\']?\)?;', '', s)
        if t != s: f.write_text(t, encoding='utf-8')

def build_site(force=False, n_workers=2):
    "Build `_docs`; say which generator did it."
    quarto = shutil.which('quarto')
    if not quarto and sys.version_info < (3,11): sys.exit('The site needs Quarto, or Python 3.11 for smalldocs; this is Python ' + sys.version.split()[0])
    cfg = process(force, n_workers)
    out = proc/cfg.doc_path.name
    shutil.rmtree(out, ignore_errors=True)
    if quarto: subprocess.run([quarto, 'render', str(proc), '--no-cache', '--no-execute'], check=True)
    else:
        from smalldocs.site import build
        for w in build(proc, quiet=True).warnings:
            if not re.search('html-math-method|output-file', w): print(f'  warning: {w}')   # both seen to in `stand_alone`
    stand_alone(out, cfg)
    shutil.rmtree(cfg.doc_path, ignore_errors=True)
    shutil.move(out, cfg.doc_path)
    n = len([*cfg.doc_path.glob('*.html')])
    print(f"{cfg.doc_path.name}/index.html: {n} pages, rendered by {'Quarto' if quarto else 'smalldocs (no `quarto` program was found)'}")

# ---------------------------------------------------------------- the README

def directives(src):
    "The `#|` lines that open a cell: `{name: value}`, and the source without them."
    lines,res = src.split('\n'),{}
    while lines and lines[0].startswith('#|'):
        k,_,v = lines.pop(0)[2:].strip().partition(':')
        res[k.strip().split(' ')[0]] = v.strip()
    return res,'\n'.join(lines).strip()

def output_md(o):
    "One stored output as GitHub shows it."
    if o['output_type'] == 'stream': return '' if o['name'] == 'stderr' else indent(''.join(o['text']))
    if o['output_type'] == 'error': raise ValueError('index.ipynb holds the output of a failed cell')
    d = {k: ''.join(v) if isinstance(v, list) else v for k,v in o['data'].items()}
    if 'text/markdown' in d: return d['text/markdown'].strip()
    if 'image/png' in d: raise ValueError('a picture in index.ipynb is a file under results/, linked as ![...](../results/...), so that the README can show it')
    if 'text/html' in d and '<table' in d['text/html']: return re.sub(r'(?s)<style.*?</style>\s*', '', d['text/html']).strip()
    return indent(d.get('text/plain', ''))

def indent(s): return '\n'.join(('    ' + l).rstrip() for l in s.rstrip().split('\n')) if s.strip() else ''

def readme_md():
    "The README's text: index.ipynb without its hidden cells, links as they are seen from the root."
    nb = json.loads((nbs/'index.ipynb').read_text(encoding='utf-8'))
    parts = ['<!-- Made from nbs/index.ipynb by `make readme`: edit the notebook. -->']
    for c in nb['cells']:
        src = ''.join(c['source'])
        if c['cell_type'] == 'markdown': parts.append(re.sub(r'(?m)^> (?=\S)', '> ', src.strip()))
        if c['cell_type'] != 'code': continue
        d,code = directives(src)
        if d.keys() & {'hide','export','exports','exporti','default_exp'} or d.get('include') == 'false' or 'nbdev_export()' in code: continue
        if code and d.get('echo') != 'false': parts.append(f'```python\n{code}\n```')
        if d.get('output') != 'false': parts += filter(None, map(output_md, c['outputs']))
    res = '\n\n'.join(parts) + '\n'
    res = re.sub(r'(\]\(|src="|href=")\.\./', r'\1', res)
    return re.sub(r'(\]\(|href=")(?=[\w-]+\.ipynb)', r'\1nbs/', res)

def write_readme():
    f = root/'README.md'
    s = readme_md()
    if not f.exists() or f.read_text(encoding='utf-8') != s: f.write_text(s, encoding='utf-8')
    f.touch()   # nbdev_prepare rebuilds it only when it is older than the notebook
    print(f'README.md: {len(s):,} characters from nbs/index.ipynb')

if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('what', choices=['site', 'readme'], nargs='?', default='site')
    p.add_argument('--force', action='store_true', help='process every notebook again')
    p.add_argument('--n_workers', type=int, default=2)
    a = p.parse_args()
    os.chdir(root)
    if a.what == 'readme': write_readme()
    else: build_site(a.force, a.n_workers)
