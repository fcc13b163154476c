"""The tab that converts one recording, in a real browser; its conversion can be stopped."""

import shutil

import av
import numpy as np
import pytest
import soundfile
from browser import PATIENCE, choose, field, ready, result, samples_of, says, shoot, type_in, upload
from videos import video


def test_convert_with_every_setting(
    visit, address, context, swapper, speech, screenshots, tmp_path
):
    context.library.add("Saved one", swapper.embed(speech[2]))
    page = visit(address, "Convert")
    upload(page, "convert-source", speech[0])
    upload(page, "convert-target", speech[1])
    choose(page, "convert-voices", "Saved one")
    page.get_by_role("button", name="Settings").click()
    for label, value in (
        ("Pitch, semitones", "2"),
        ("Pitch range", "0.5"),
        ("Strength of the target voice, %", "75"),
    ):
        type_in(page.get_by_role("spinbutton", name=label, exact=True), value)
    page.check("#convert-another input")
    type_in(field(page, "convert-seed"), "3")
    page.click("#convert-go")
    samples = samples_of(result(page, "convert-result"))
    targets = [speech[1], context.library.path("Saved one")]
    path = tmp_path / "expected.wav"
    options = {"pitch_shift": 2, "pitch_range": 0.5, "strength": 0.75, "seed": 3}
    swapper.convert_file(speech[0], targets, path, **options)
    np.testing.assert_allclose(samples, soundfile.read(path, dtype="float32")[0], atol=1e-3)
    shoot(page, screenshots / "convert.png", "convert-results", full_page=True)


def test_opening_the_settings_changes_nothing(visit, address, swapper, speech, monkeypatch):
    """Also after another reading was asked for, and not wanted after all."""
    sent, real = [], swapper.convert_file

    def convert_file(*arguments, **options):
        sent.append(options["seed"])
        return real(*arguments, **options)

    monkeypatch.setattr(swapper, "convert_file", convert_file)
    page = visit(address, "Convert")
    upload(page, "convert-source", speech[0])
    upload(page, "convert-target", speech[1])
    page.get_by_role("button", name="Settings").click()
    page.check("#convert-another input")
    ready(field(page, "convert-seed"))
    page.uncheck("#convert-another input")
    field(page, "convert-seed").wait_for(state="detached")
    page.click("#convert-go")
    result(page, "convert-result")
    assert sent == [None]


@pytest.mark.parametrize("way", ["button", "closed browser"])
def test_a_conversion_is_stopped(visit, address, endless, monkeypatch, speech, way):
    begun, ended = endless
    page = visit(address, "Convert")
    upload(page, "convert-source", speech[0])
    upload(page, "convert-target", speech[1])
    page.click("#convert-go")
    assert begun.acquire(timeout=PATIENCE)
    if way == "closed browser":
        page.context.close()
        assert ended.acquire(timeout=PATIENCE)
        return
    page.get_by_text("about 0:").first.wait_for()  # the time that is left
    assert page.locator("#convert-go").count() == 0  # Stop stands in its place
    assert "no recording to compare" not in page.locator("#convert-results").inner_text()
    page.get_by_role("button", name="Stop").click()
    assert ended.acquire(timeout=PATIENCE)
    page.get_by_role("button", name="Stop").wait_for(state="hidden")
    assert not page.locator("#convert-results").is_visible()
    monkeypatch.undo()
    page.click("#convert-go")
    assert result(page, "convert-result")[:4] == b"RIFF"


def test_a_note_is_shown_once_in_a_call(visit, address, speech, tmp_path):
    inverted = tmp_path / "inverted.wav"
    samples, rate = soundfile.read(speech[0])
    soundfile.write(inverted, np.stack([samples, -0.9 * samples], 1), rate)
    page = visit(address, "Convert")
    upload(page, "convert-source", inverted)
    upload(page, "convert-target", speech[1])
    page.click("#convert-go")
    result(page, "convert-result")
    assert says(page, "one channel is inverted").count("inverted.wav") == 1


@pytest.mark.parametrize("name", ["memo.mp4", "memo.mkv", "memo"])
def test_a_recorder_takes_what_no_browser_calls_audio(visit, address, speech, tmp_path, name):
    shutil.copy(speech[0], tmp_path / name)
    page = visit(address, "Convert")
    upload(page, "convert-source", tmp_path / name)
    upload(page, "convert-target", speech[1])
    page.click("#convert-go")
    assert result(page, "convert-result")[:4] == b"RIFF"


def test_a_video_stays_a_video(visit, address, speech, tmp_path):
    samples, _ = soundfile.read(speech[0], dtype="float32")
    page = visit(address, "Convert")
    upload(page, "convert-source", video(tmp_path / "talk.mp4", samples))
    upload(page, "convert-target", speech[1])
    page.click("#convert-go")
    (tmp_path / "result.mp4").write_bytes(result(page, "convert-result"))
    with av.open(str(tmp_path / "result.mp4")) as container:
        assert container.streams.video and container.streams.audio


def test_a_video_is_dropped_on_a_recorder(visit, address):
    page = visit(address, "Convert")
    page.evaluate("""() => {
        const dropped = new DataTransfer();
        dropped.items.add(new File(["no sound"], "memo.mp4", { type: "video/mp4" }));
        document.querySelector("#convert-source .upload-container").dispatchEvent(
            new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: dropped }));
    }""")
    page.wait_for_selector("#convert-source button[aria-label='Clear']")
    assert page.locator(".toast-body").count() == 0
