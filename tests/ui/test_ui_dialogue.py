"""The tab that converts two people in one recording, in a real browser."""

import threading
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from browser import PATIENCE, choose, result, samples_of, says, shoot, upload

from voiceswap import convert_dialogue
from voiceswap.conversion.turns import Turn
from voiceswap.errors import DataError
from voiceswap.examples import GOODBYE, HELLO

pytest.importorskip("gradio", reason="the ui extra is not installed")

from voiceswap.ui.texts import Texts
from voiceswap.ui.turn_list import rows, turns_of


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


def test_who_speaks_when_is_shown_and_a_corrected_list_is_taken(
    visit, address, swapper, talk, screenshots, tmp_path
):
    page = visit(address, "Dialogue")
    upload(page, "dialogue-source", talk)
    page.click("#dialogue-go")
    result(page, "dialogue-result")
    found = convert_dialogue(swapper, talk, tmp_path / "found.wav")
    page.locator(".vs-strip i").first.wait_for()
    assert page.locator(".vs-strip i").count() == len(found) > 2
    page.get_by_role("button", name="Who speaks when").click()
    page.screenshot(path=screenshots / "turns.png", full_page=True)
    last = page.locator(f"#dialogue-turns [data-testid='cell-{len(found) - 1}-2']")
    last.dblclick()
    page.keyboard.press("Control+a")
    page.keyboard.type("3\n")
    page.click("#dialogue-go")
    samples = samples_of(result(page, "dialogue-result"))
    corrected = [*found[:-1], replace(found[-1], speaker=3)]
    convert_dialogue(swapper, talk, tmp_path / "expected.wav", turns=corrected)
    expected = soundfile.read(tmp_path / "expected.wav", dtype="float32")[0]
    np.testing.assert_allclose(samples, expected, atol=1e-3)
    last.dblclick()
    page.keyboard.press("Control+a")
    page.keyboard.type("Anna\n")
    page.click("#dialogue-go")
    says(page, f"Row {len(found)}: a turn is a start and an end, in seconds or as 1:23.5")
    last.click()
    last.locator(".cell-menu-button").click()
    offered = page.locator(".cell-menu button").all_inner_texts()
    assert [offer.strip() for offer in offered] == ["Add row above", "Add row below", "Delete row"]
    page.keyboard.press("Escape")
    page.locator("#dialogue-source").get_by_label("Clear").click()  # for another recording
    page.wait_for_function(
        "() => !document.querySelector('#dialogue-turns').textContent.includes('0:00.000')"
    )


def test_turns_do_not_come_to_a_recording_that_is_chosen_meanwhile(
    visit, address, swapper, talk, monkeypatch
):
    chosen, convert_files = threading.Event(), swapper.convert_files
    begun = threading.Event()

    def wait(*values):
        begun.set()
        assert chosen.wait(PATIENCE)
        return convert_files(*values)

    monkeypatch.setattr(swapper, "convert_files", wait)
    page = visit(address, "Dialogue")
    page.get_by_role("button", name="Who speaks when").click()
    upload(page, "dialogue-source", talk)
    page.click("#dialogue-go")
    assert begun.wait(PATIENCE)
    page.locator("#dialogue-source").get_by_label("Clear").click()
    upload(page, "dialogue-source", HELLO)
    chosen.set()
    result(page, "dialogue-result")
    page.wait_for_function(
        "() => !document.querySelector('#dialogue-turns').textContent.includes('0:00.000')"
    )


def test_a_call_with_a_person_on_each_channel_is_told_once(visit, address, talk):
    samples, rate = soundfile.read(talk, dtype="float32")
    second = np.arange(len(samples)) // (len(samples) // 2 // 2) % 2
    channels = np.stack([samples * (second == channel) for channel in (0, 1)], 1)
    call = talk.with_name("call.wav")
    soundfile.write(call, channels, rate)
    page = visit(address, "Dialogue")
    upload(page, "dialogue-source", call)
    page.click("#dialogue-go")
    says(page, "call.wav: each of the two has a channel of their own")
    result(page, "dialogue-result")
    assert "both are mixed" not in page.locator("body").inner_text()


def test_a_table_gives_the_turns_that_are_shown_in_it():
    turns = [Turn(0.0, 83.9996, 1), Turn(83.9996, 3600.25, 2)]
    assert rows(turns) == [["0:00.000", "1:24.000", "1"], ["1:24.000", "60:00.250", "2"]]
    cells = [*rows(turns), ["", None, " "], ["", "", ""]]
    expected = [Turn(0.0, 84.0, 1), Turn(84.0, 3600.25, 2)]
    assert turns_of(Texts("en"), cells) == expected
    assert turns_of(Texts("en"), [[0, 84, 1], [84.0, 3600.25, 2.0]]) == expected
    assert all(turns_of(Texts("en"), none) is None for none in ([], [["", "", ""]]))
    for bad in (["0:00"], [1, 0.5, 1], ["0", "x", "1"], [0, 1, None]):
        with pytest.raises(DataError, match=r"^Row 1: a turn is"):
            turns_of(Texts("en"), [bad])


def test_one_person_alone_is_told(visit, address, tmp_path):
    path = tmp_path / "short.wav"
    soundfile.write(path, soundfile.read(HELLO, frames=16000)[0], 16000)
    page = visit(address, "Dialogue")
    upload(page, "dialogue-source", path)
    page.click("#dialogue-go")
    says(page, "short.wav: no two people can be told apart in it")
