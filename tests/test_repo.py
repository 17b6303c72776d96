"The repository: what lies at its top, notebooks and package in step, outputs small and sound, results readable."
import ast, json, re, sys
from pathlib import Path
import pytest
from util import root, project_files, scratch_copy, snapshot, run

notebooks = sorted((root/'nbs').glob('*.ipynb'))
def cells(nb): return json.loads(nb.read_text(encoding='utf-8'))['cells']
def ids(o): return o.stem

def test_top_level():
    "The names that the project is made of, and little else."
    want = {'settings.ini', 'nbs', 'nstm', '_quarto.yml', 'results', 'README.md', 'LICENSE', 'Makefile', 'constraints.txt', 'pyproject.toml', '.ci'}
    have = {f.parts[0] for f in project_files()}
    assert want <= have, f'missing: {sorted(want-have)}'
    assert have <= want | {'setup.py', 'tests', '.gitignore', '.gitattributes', '.github', 'CONTRIBUTING.md', 'shared'}, f'unexpected: {sorted(have-want)}'
    assert 'MIT License' in (root/'LICENSE').read_text()

def test_quarto_link():
    "nbdev looks for _quarto.yml beside the notebooks; there is one configuration, at the root."
    link = root/'nbs/_quarto.yml'
    assert link.is_symlink() and link.resolve() == root/'_quarto.yml' and not Path(link.readlink()).is_absolute()

def test_in_step(tmp_path):
    "Exporting and cleaning the notebooks again changes no file: nobody edited a module by hand or left an uncleaned notebook."
    at = scratch_copy(tmp_path/'copy')
    files = [f for f in project_files() if f.parts[0] in ('nbs', 'nstm') or f.name in ('pyproject.toml', 'settings.ini')]
    before = snapshot(at, files)
    for cmd in ('nbdev_export', 'nbdev_clean'):
        r = run(cmd, cwd=at)
        assert r.returncode == 0, r.stdout
    after = snapshot(at, sorted(f.relative_to(at) for d in ('nbs', 'nstm') for f in (at/d).rglob('*') if f.is_file() and '__pycache__' not in f.parts)
                         + [Path('pyproject.toml'), Path('settings.ini')])
    changed = sorted(k for k in before.keys() | after.keys() if before.get(k) != after.get(k) and not k.endswith('nbdev.yml'))
    assert not changed, f'run nbdev_export and nbdev_clean; they change {changed}'

def test_readme_in_step():
    "README.md is what `make readme` makes of nbs/index.ipynb."
    r = run(sys.executable, '-c', 'import sys; sys.path.insert(0, ".ci"); import docs; sys.stdout.write(docs.readme_md())')
    assert r.returncode == 0, r.stdout
    assert (root/'README.md').read_text(encoding='utf-8') == r.stdout, 'README.md is not that of nbs/index.ipynb: make readme'

def test_readme_links():
    "Every file that the README names is in the repository."
    files = {str(f) for f in project_files()}
    for link in re.findall(r'(?:\]\(|src="|href=")([^)"#\s]+)', (root/'README.md').read_text(encoding='utf-8')):
        if not re.match(r'\w+:', link): assert link in files or (root/link).is_dir(), f'README.md links to {link}, which is not there'

def test_notebook_links():
    "Links between notebooks, and to pictures, lead to files (as they do in Jupyter and on GitHub)."
    bad = []
    for nb in notebooks:
        for c in cells(nb):
            if c['cell_type'] != 'markdown': continue
            text = re.sub(r'(?s)```.*?```|`[^`\n]*`', '', ''.join(c['source']))
            for link in re.findall(r'\]\(([^)#\s]+)', text):
                if not re.match(r'\w+:', link) and not (nb.parent/link).exists(): bad.append(f'{nb.name}: {link}')
    assert not bad, bad

@pytest.mark.parametrize('nb', notebooks, ids=ids)
def test_notebook_form(nb):
    "A title, a line that says what it is about, an export at the end; no failed cell, no heavy output, no widget state."
    d = json.loads(nb.read_text(encoding='utf-8'))
    first = ''.join(next(c['source'] for c in d['cells'] if c['cell_type'] == 'markdown'))
    assert re.match(r'# \S.*\n+> \S', first), 'the first text cell is `# Title`, an empty line, `> what it is about`'
    assert 'nbdev_export()' in ''.join(d['cells'][-1]['source']) or not any('#| export' in ''.join(c['source']) for c in d['cells']), 'the last cell exports'
    assert 'widgets' not in d['metadata']
    for c in d['cells']:
        for o in c.get('outputs', []):
            assert o['output_type'] != 'error', f"an error is stored under: {''.join(c['source'])[:80]}"
            for mime,v in o.get('data', {}).items():
                size = len(json.dumps(v)) * (3/4 if mime == 'image/png' else 1)
                assert size <= 100_000, f"{size/1000:.0f} kB of {mime} under: {''.join(c['source'])[:80]}"

@pytest.mark.parametrize('nb', notebooks, ids=ids)
def test_pictures_are_there(nb):
    "A figure is kept as a picture, not as a line that says that there was one."
    for c in cells(nb):
        for o in c.get('outputs', []):
            d = o.get('data', {})
            assert '<Figure' not in ''.join(d.get('text/plain', '')) or d.keys() & {'image/png', 'image/svg+xml'}, f"no picture under: {''.join(c['source'])[:80]}"

@pytest.mark.parametrize('nb', notebooks, ids=ids)
def test_import_cells(nb):
    "Imports stand in import cells, with settings at most: nbdev_docs runs these cells alone."
    for c in cells(nb):
        src = ''.join(c['source'])
        if c['cell_type'] != 'code' or re.search(r'(?m)^#\|\s*export|^\s*[%!]', src): continue
        kinds = {type(o) for o in ast.parse(src).body}
        if kinds & {ast.Import, ast.ImportFrom} and 'nbdev_export' not in src:
            assert not kinds & {ast.For, ast.While, ast.With, ast.Assert, ast.If}, f'move the import out of the cell: {src[:120]}'

def test_in_sidebar():
    "Every notebook has its place in the site's sidebar."
    import fnmatch, yaml
    def names(o):
        if isinstance(o, str): yield o
        elif isinstance(o, list): yield from (n for x in o for n in names(x))
        elif isinstance(o, dict): yield from names(o.get('contents', o.get('href', [])))
    pats = list(names(yaml.safe_load((root/'_quarto.yml').read_text())['website']['sidebar']['contents']))
    out = [nb.name for nb in notebooks if not any(fnmatch.fnmatch(nb.name, p) for p in pats)]
    assert not out, f'give {out} a section in _quarto.yml'

def test_no_machine_paths():
    "Nothing in the repository names a folder of the machine it was written on."
    pat = re.compile(r'(?<![\w.])/(?:work|root|home|Users|tmp|opt)/[\w.-]+')
    bad = []
    for f in project_files():
        if f.suffix not in ('.py', '.ipynb', '.md', '.ini', '.toml', '.yml', '.txt', '.jsonl', '.json', '.css') and f.name not in ('Makefile', 'run'): continue
        if f == Path('tests/test_repo.py'): continue
        s = (root/f).read_text(encoding='utf-8')
        if f.suffix == '.ipynb': s = re.sub(r'"image/png": "[^"]*"', '', s)
        bad += [f'{f}: {m[0]}' for m in pat.finditer(s)]
    assert not bad, bad[:10]

rows = sorted((root/'results/experiments').glob('*.jsonl'))

@pytest.mark.parametrize('f', rows, ids=ids)
def test_results(f):
    "Every line is one whole JSON object without NaN, has every field that nstm.tracking records, and names its own experiment."
    from nstm.tracking import FIELDS, read_rows
    def refuse(s): raise ValueError(f'{s} in {f.name}')
    lines = [json.loads(o, parse_constant=refuse) for o in f.read_text(encoding='utf-8').splitlines()]
    assert lines and lines == read_rows(f)
    for n,row in enumerate(lines, 1):
        assert FIELDS.keys() <= row.keys(), f'{f.name}:{n} lacks {sorted(FIELDS.keys() - row.keys())}'
        assert row['experiment'] == f.stem, f'{f.name}:{n}'

def test_docstrings():
    "Every public function and class says in a docstring what it is."
    bare = []
    for f in sorted((root/'nstm').rglob('*.py')):
        tree = ast.parse(f.read_text(encoding='utf-8'))
        public = {e.value for o in tree.body if isinstance(o, ast.Assign) and getattr(o.targets[0], 'id', '') == '__all__' for e in o.value.elts}
        bare += [f'{f.stem}.{o.name}' for o in tree.body if isinstance(o, (ast.FunctionDef, ast.ClassDef)) and o.name in public and not ast.get_docstring(o)]
    assert not bare, bare
