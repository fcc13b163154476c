"""The tab that swaps two recordings, in a real browser."""

import pytest
import soundfile
from browser import (
    PATIENCE,
    assert_same,
    choose,
    has_recording,
    result,
    says,
    shoot,
    shoot_for_docs,
    swap_two,
    take_examples,
    upload,
)

from voiceswap.examples import HELLO

pytest.importorskip("gradio", reason="the ui extra is not installed")

from gradio_client import Client, handle_file


def test_swap(visit, address, swapper, speech, screenshots):
    page = visit(address)
    swap_two(page, swapper, speech[:2])
    meters = page.locator("#swap-results [role=meter]")
    meters.nth(7).wait_for()
    assert meters.count() == 8
    before, after = (float(meters.nth(i).get_attribute("aria-valuenow")) for i in (2, 3))
    assert after > before  # A's content is more similar to B's voice
    shoot(page, screenshots / "swap.png", "swap-results", full_page=True)


def test_swap_of_the_examples_with_the_keyboard_alone(visit, address, screenshots):
    page = visit(address)
    for name in ("A man says hello", "A woman says goodbye", "Swap voices"):
        button = page.get_by_role("button", name=name)
        button.focus()
        page.keyboard.press("Enter")
        if name != "Swap voices":
            has_recording(page, "swap-a" if "man says hello" in name else "swap-b")
    assert result(page, "swap-ab")[:4] == b"RIFF"
    shoot_for_docs(page, screenshots / "page.png")


def test_a_swap_is_stopped(visit, address, endless):
    begun, ended = endless
    page = visit(address)
    take_examples(page)
    page.click("#swap-go")
    assert begun.acquire(timeout=PATIENCE)
    page.click("#swap-stop")
    assert ended.acquire(timeout=PATIENCE)
    page.wait_for_selector("#swap-go")


def test_a_recording_and_a_saved_voice_take_each_other_s_place(visit, address, context, swapper):
    context.library.add("Drawn", swapper.sample(5))
    page = visit(address)
    take_examples(page, "A man says hello")
    choose(page, "swap-voice-a", "Drawn")
    page.wait_for_selector("#swap-a button[aria-label='Clear']", state="detached")
    take_examples(page, "A man says hello")
    page.wait_for_function("document.querySelector('#swap-voice-a input').value === ''")


def test_a_saved_voice_takes_a_speaker_s_place(address, context, swapper, speech):
    """The voice says the example sentence; formats other than wav are had by their names."""
    context.library.add("Drawn", swapper.sample(5))
    client = Client(address, verbose=False)
    files = client.predict(handle_file(speech[0]), None, None, "Drawn", "flac", api_name="/swap")[
        :2
    ]
    assert all(file.endswith(".flac") for file in files)
    for file, expected in zip(
        files,
        (swapper.convert(speech[0], swapper.sample(5)), swapper.convert(HELLO, speech[0])),
        strict=True,
    ):
        assert_same(soundfile.read(file, dtype="float32")[0], expected)


def test_a_mistake_is_a_sentence_and_leaves_the_page_usable(visit, address, tmp_path):
    page = visit(address)
    page.click("#swap-go")
    says(page, "Speaker A is missing")
    words = tmp_path / "words.wav"
    words.write_text("no sound at all")
    upload(page, "swap-a", words)
    take_examples(page, "A woman says goodbye")
    page.click("#swap-go")
    shown = says(page, "words.wav can't be read as audio")
    assert "/tmp" not in shown and "Traceback" not in shown
    page.click("#swap-a button[aria-label='Clear']")
    page.wait_for_selector("#swap-a button[aria-label='Clear']", state="detached")
    take_examples(page, "A man says hello")
    page.click("#swap-go")
    assert result(page, "swap-ab")[:4] == b"RIFF"
