"""One server and one browser for all tests of the page; each test leaves the library empty.

VOICESWAP_SCREENSHOTS is a folder for the screenshots of the page; docs/page.png and
docs/page.zh-CN.png are among them.
"""

import os
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile
from browser import CHROMIUM, PATIENCE, open_tab

from voiceswap.conversion.voice_library import VoiceLibrary
from voiceswap.examples import GOODBYE, HELLO


@pytest.fixture(scope="package")
def context(swapper, tmp_path_factory):
    pytest.importorskip("gradio", reason="the ui extra is not installed")
    from voiceswap.ui.app_context import AppContext
    from voiceswap.ui.texts import Texts

    return AppContext(
        swapper,
        VoiceLibrary(tmp_path_factory.mktemp("voices"), swapper),
        Texts("en"),
        max_minutes=3.0,
        max_megabytes=20,
    )


@pytest.fixture(autouse=True)
def empty_library(request):
    """A test that fails does not affect the next."""
    yield
    if "context" in request.fixturenames:
        library = request.getfixturevalue("context").library
        for name in library.names():
            library.delete(name)


@pytest.fixture(scope="package")
def address(context):
    from voiceswap.ui.page import serving

    with serving(context) as (_, address):
        yield address


@pytest.fixture(scope="package")
def chromium():
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("there is no Chromium")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium):
    """Opens the page. A script that fails, an alert, and a request to elsewhere fail the test."""
    wrong, opened = [], []

    def open_page(address, tab=None, width=1180, browser=chromium, **options):
        size = {"width": width, "height": 900}
        opened.append(browser.new_context(viewport=size, **options))
        page = opened[-1].new_page()
        page.set_default_timeout(PATIENCE * 1000)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
        page.on(
            "request",
            lambda sent: sent.url.startswith((address, "data:", "blob:")) or wrong.append(sent.url),
        )
        page.goto(address)
        page.wait_for_selector("#swap-go")
        if tab:
            open_tab(page, tab)
        return page

    yield open_page
    for context in opened:
        context.close()
    assert wrong == []


@pytest.fixture(scope="package")
def screenshots(tmp_path_factory):
    folder = Path(os.environ.get("VOICESWAP_SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="package")
def speech(request, tmp_path_factory):
    """Recordings of eight people, at most three seconds each; held out where there are corpora."""
    folder = tmp_path_factory.mktemp("speech")
    try:
        sources = [recordings[0] for recordings in request.getfixturevalue("people")][:8]
    except pytest.skip.Exception:
        sources = [HELLO, GOODBYE]
    paths = []
    for number in range(8):
        samples, rate = soundfile.read(sources[number % len(sources)], stop=3 * 16000)
        paths.append(folder / f"speaker {number}.flac")
        # Different levels, so that all differ even with two sources.
        soundfile.write(paths[-1], samples * (1 - number / 20), rate)
    return paths


@pytest.fixture
def endless(swapper, monkeypatch):
    """Conversions that run until `progress` raises, as it does to stop them, or the test ends."""
    begun, ended, over = threading.Semaphore(0), threading.Semaphore(0), threading.Event()

    def convert_files(files, progress):
        begun.release()
        while not over.wait(0.05):
            try:
                progress(0.5)
            except BaseException:
                ended.release()
                raise

    monkeypatch.setattr(swapper, "convert_files", convert_files)  # convert_file calls it too
    yield begun, ended
    over.set()


class Delay:
    """Stands in for a Stream: gives in blocks what came, some time later."""

    block, latency = 0.16, 0.4

    def __init__(self, rate):
        self.rate, self.statistics = rate, None
        self.waiting = np.zeros(0, np.float32)

    def push(self, samples):
        self.waiting = np.append(self.waiting, samples)
        block, ahead = round(self.block * self.rate), round((self.latency - self.block) * self.rate)
        ready = max(0, len(self.waiting) - ahead) // block * block
        made, self.waiting = self.waiting[:ready], self.waiting[ready:]
        return made.astype(np.float32)

    def set_pitch_shift(self, semitones):
        """Nothing is converted."""


@pytest.fixture
def delays(swapper, monkeypatch):
    """Streams that convert nothing, and take no time."""
    monkeypatch.setattr(swapper, "stream", lambda *_, rate=24000, **__: Delay(rate))
