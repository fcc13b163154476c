"""What a visitor gets: a player that compares, and a list that stays."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from browser import open_tab, says, take_examples, upload

pytest.importorskip("gradio", reason="the ui extra is not installed")

from gradio.utils import get_upload_folder

from voiceswap.ui.compare_player import level_db, sounds_to_compare
from voiceswap.ui.result_files import result_file
from voiceswap.ui.texts import LANGUAGES, Texts


@pytest.mark.parametrize("letter", ["a", "中", "🎙"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_result_of_long_names_has_a_path_that_windows_takes(
    tmp_path, monkeypatch, letter, language
):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    path = result_file(Texts(language), f"{50 * letter}.wav", f"{200 * letter}.wav", "flac")
    path.touch()
    temporary = r"C:\Users\firstname.lastname\AppData\Local\Temp\voiceswap-ui-0123456789abcdef"
    assert len(f"{temporary}\\{path.relative_to(tmp_path)}") < 260


def test_results_outlive_a_failure_another_tab_and_a_reload(visit, address, context, swapper):
    context.library.add("Drawn", swapper.sample(5))
    page = visit(address)
    take_examples(page)
    page.click("#swap-go")
    results = page.locator("#visit-results li")
    results.nth(1).wait_for()
    addresses = [
        link.get_attribute("href").partition("file=")[2]
        for link in results.locator("a[download]").all()
    ]
    assert all(Path(path).is_relative_to(get_upload_folder()) for path in addresses)

    open_tab(page, "Convert")
    page.click("#convert-go")
    says(page, "The recording to convert is missing")
    assert results.count() == 2
    page.reload()
    results.nth(1).wait_for()
    page.get_by_role("link", name="中文").click()
    page.wait_for_selector("html[lang=zh-CN] #swap-go")
    results.nth(1).wait_for()
    results.nth(0).get_by_role("button", name="删除").click()
    results.nth(1).wait_for(state="detached")
    assert [Path(path).exists() for path in addresses] == [False, True]

    Path(addresses[1]).unlink()  # as the server does with old ones
    page.reload()
    page.wait_for_selector("#swap-go")
    results.nth(0).wait_for(state="detached")


def test_what_is_compared_plays_at_one_position_and_loudness(visit, address, speech, tmp_path):
    soft = tmp_path / "soft.wav"
    samples, rate = soundfile.read(speech[0])
    soundfile.write(soft, samples * 0.1, rate)
    page = visit(address, "Convert")
    upload(page, "convert-source", soft)
    upload(page, "convert-target", speech[1])
    page.click("#convert-go")
    player = page.locator("#convert-player .vs-player")
    choices = player.locator(".vs-sound")
    choices.nth(2).wait_for()
    assert choices.all_inner_texts() == ["Original", "Converted", "Target"]
    page.wait_for_function(
        "[...document.querySelectorAll('#convert-player audio')].every(a => a.duration > 1)"
    )
    player.get_by_label("Position").fill("0.5")
    choices.nth(2).click()
    player.get_by_label("Volume").fill("0.5")
    times, volumes = (
        page.evaluate(f"[...document.querySelectorAll('#convert-player audio')].map(a => a.{what})")
        for what in ("currentTime", "volume")
    )
    assert times[2] == pytest.approx(0.5, abs=0.05)
    assert volumes[2] < 0.2 < volumes[1] <= 0.5  # the target is much louder than the rest
    player.get_by_role("button", name="Play").click()
    player.get_by_role("button", name="Pause").wait_for()


def test_the_gains_make_all_as_loud_as_the_softest(context, speech, tmp_path):
    soft = tmp_path / "soft.wav"
    samples, rate = soundfile.read(speech[0])
    soundfile.write(soft, samples * 0.3, rate)
    value = sounds_to_compare(context, speech[0], soft, speech[1])
    levels = [
        level_db(context, sound["file"]) + 20 * np.log10(sound["gain"]) for sound in value["sounds"]
    ]
    assert max(levels) - min(levels) < 0.1
    assert max(sound["gain"] for sound in value["sounds"]) == 1
