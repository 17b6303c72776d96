"What several files of tests share while they run: one browser. (Playwright starts once in a process; a fixture imported into two files would start it twice.)"
import shutil
import pytest

chromium = next(filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))), None)
flags = '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'.split()

@pytest.fixture(scope='session')
def browser():
    "Chromium of this machine, without a window."
    if not chromium: pytest.skip('no chromium on this machine (Debian: apt-get install chromium)')
    sync_api = pytest.importorskip('playwright.sync_api', reason='no playwright in this environment (pip install playwright)')
    with sync_api.sync_playwright() as p:
        b = p.chromium.launch(executable_path=chromium, args=flags)
        yield b
        b.close()
