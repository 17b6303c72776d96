"Everything about the package is written once, in settings.ini; this file hands it to setuptools."
from configparser import ConfigParser
from pathlib import Path
from setuptools import find_packages, setup

root = Path(__file__).parent
parser = ConfigParser(delimiters=['='])
parser.read(root/'settings.ini', encoding='utf-8')
cfg = parser['DEFAULT']

def reqs(key):
    "Requirements under `key`, split at spaces; a marker such as `;python_version>='3.11'` has no spaces in it."
    return cfg.get(key, '').split()

setup(
    name=cfg['lib_name'], version=cfg['version'], description=cfg['description'],
    long_description=(root/'README.md').read_text(encoding='utf-8') if (root/'README.md').exists() else cfg['description'],
    long_description_content_type='text/markdown',
    author=cfg['author'], author_email=cfg['author_email'], url=cfg['git_url'], keywords=cfg['keywords'].split(),
    license='MIT', packages=find_packages(include=[cfg['lib_name'], f"{cfg['lib_name']}.*"]), python_requires=f">={cfg['min_python']}",
    install_requires=reqs('requirements'),
    extras_require={'dev': reqs('dev_requirements'), 'widgets': reqs('widget_requirements'), 'bench': reqs('bench_requirements')},
    entry_points={'console_scripts': reqs('console_scripts'),
                  'nbdev': [f"{cfg['lib_name']}={cfg['lib_name']}._modidx:d"]},   # other nbdev projects can link to our names
    classifiers=['Development Status :: 3 - Alpha', 'Intended Audience :: Science/Research',
                 'Programming Language :: Python :: 3', 'Topic :: Scientific/Engineering :: Artificial Intelligence'],
)
