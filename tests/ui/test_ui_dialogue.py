"""The tab that converts two people in one recording, in a real browser."""

import numpy as np
import pytest
import soundfile
from browser import choose, result, samples_of, says, shoot, upload

from voiceswap import convert_dialogue
from voiceswap.examples import GOODBYE, HELLO

pytest.importorskip("gradio", reason="the ui extra is not installed")

RATE = 16000


@pytest.fixture
def talk(tmp_path):
    """A man and a woman, who speak in turns."""
    parts = [soundfile.read(path, dtype="float32")[0] for path in (HELLO, GOODBYE)]
    path = tmp_path / "talk.wav"
    soundfile.write(path, np.concatenate([*parts, *parts]), soundfile.info(HELLO).samplerate)
    return path


def test_two_people_swap_voices_or_one_gets_another(
    visit, address, context, swapper, talk, screenshots, tmp_path
):
    context.library.add("Drawn", swapper.sample(5))
    page = visit(address, "Dialogue")
    upload(page, "dialogue-source", talk)
    for voices in (None, {2: context.library.path("Drawn")}):
        if voices:
            choose(page, "dialogue-second-voices", "Drawn")
        page.click("#dialogue-go")
        samples = samples_of(result(page, "dialogue-result"))
        out = tmp_path / "expected.wav"
        convert_dialogue(swapper, talk, out, voices)
        np.testing.assert_allclose(samples, soundfile.read(out, dtype="float32")[0], atol=1e-3)
    shoot(page, screenshots / "dialogue.png", "dialogue-results", full_page=True)
    link = page.locator("#visit-results a[download]").first
    assert link.get_attribute("download") == "talk-converted.wav"


def test_one_person_alone_is_told(visit, address, tmp_path):
    path = tmp_path / "short.wav"
    soundfile.write(path, soundfile.read(HELLO, frames=16000)[0], 16000)
    page = visit(address, "Dialogue")
    upload(page, "dialogue-source", path)
    page.click("#dialogue-go")
    says(page, "short.wav: no two people can be told apart in it")
