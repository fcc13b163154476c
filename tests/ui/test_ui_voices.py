"""The tab of the voice library, in a real browser."""

import os
from pathlib import Path

import numpy as np
import pytest
from browser import (
    assert_same,
    choose,
    field,
    open_tab,
    played,
    result,
    samples_of,
    says,
    shoot,
    type_in,
    upload,
)

pytest.importorskip("gradio", reason="the ui extra is not installed")

from gradio.utils import get_upload_folder
from gradio_client import Client

from voiceswap.conversion.random_voice import SEEDS
from voiceswap.conversion.voice_file import describe_voice
from voiceswap.conversion.voice_library import VoiceLibrary
from voiceswap.errors import VoiceswapError
from voiceswap.examples import HELLO
from voiceswap.ui.app_context import AppContext
from voiceswap.ui.starter_voices import NAMES, open_library
from voiceswap.ui.texts import Texts
from voiceswap.ui.voice_exports import VoiceExports
from voiceswap.ui.voice_map import apart, map_points

EVIL = "${alert(1)}<img src=x onerror=alert(1)>`"


def test_voices_are_made_chosen_played_renamed_exported_and_deleted(
    visit, address, context, swapper, speech, screenshots, tmp_path
):
    page = visit(address, "Voices")
    map_ = page.locator("#voices-map")
    map_.get_by_text("No voices yet").wait_for()
    for action in ("listen", "use", "rename", "delete"):  # off until a voice is chosen
        assert page.locator(f"#voices-{action}").is_disabled()

    upload(page, "recordings-audio", speech[1])
    type_in(field(page, "recordings-name"), EVIL)
    page.click("#recordings-keep")
    map_.locator(".vs-dot").wait_for()
    for shown in (".vs-dot", ".vs-listed"):  # as text, not run
        assert map_.locator(shown).all_inner_texts() == [EVIL] == context.library.names()
    np.testing.assert_allclose(
        context.library.voice(EVIL).code, swapper.embed(speech[1]).code, atol=1e-4
    )

    open_tab(page, "Random voice")
    type_in(field(page, "draw-seed"), "7")
    page.click("#draw-listen")
    expected = swapper.convert(HELLO, swapper.sample(7))
    assert_same(samples_of(played(page, "voices-preview")), expected)
    type_in(field(page, "draw-name"), "Random")
    page.click("#draw-keep")
    page.wait_for_selector(".vs-dot >> nth=1")

    open_tab(page, "Between two")
    choose(page, "walk-from", "Random")
    choose(page, "walk-to", EVIL)
    type_in(field(page, "walk-way"), "25")
    type_in(field(page, "walk-name"), "A quarter")
    page.click("#walk-keep")
    page.wait_for_selector(".vs-dot >> nth=2")
    ends = [context.library.voice(name).code for name in ("Random", EVIL)]
    np.testing.assert_allclose(
        context.library.voice("A quarter").code, 0.75 * ends[0] + 0.25 * ends[1], atol=1e-5
    )

    open_tab(page, "Blend up to four")
    choose(page, "blend-voice-1", "Random")
    choose(page, "blend-voice-2", "A quarter")
    type_in(field(page, "blend-share-1"), "0")
    type_in(field(page, "blend-name"), "Mix")
    page.click("#blend-keep")
    page.wait_for_selector(".vs-dot >> nth=3")
    np.testing.assert_allclose(
        context.library.voice("Mix").code, context.library.voice("A quarter").code, atol=1e-5
    )

    map_.locator(".vs-dot[data-name=Random]").click()
    page.wait_for_selector(".vs-dot[aria-pressed=true][data-name=Random]")
    page.click("#voices-listen")
    assert_same(samples_of(played(page, "voices-spoken")), expected)
    shoot(page, screenshots / "voices.png", full_page=True)
    with page.expect_download() as download:
        page.click("#voices-export")
    exported = tmp_path / download.value.suggested_filename
    download.value.save_as(exported)
    np.testing.assert_array_equal(swapper.load_voice(exported).code, swapper.sample(7).code)

    type_in(field(page, "voices-new-name"), "无名")
    page.click("#voices-rename")
    page.wait_for_selector(".vs-dot[data-name=无名][aria-pressed=true]")
    page.click("#voices-delete")
    page.click("#voices-delete-sure")
    page.wait_for_selector(".vs-dot[data-name=无名]", state="detached")
    assert "无名" not in context.library.names() and len(context.library.names()) == 3

    open_tab(page, "Import")
    upload(page, "import-file", exported)
    page.wait_for_function(
        "document.querySelector('#import-name input, #import-name textarea').value === 'Random'"
    )
    page.click("#import-keep")
    page.wait_for_selector(".vs-dot[data-name=Random]")


def test_what_is_refused_is_a_sentence_and_takes_nothing_away(visit, address, context, swapper):
    for name in ("Anna", "Ben"):
        context.library.add(name, swapper.sample(5))
    page = visit(address, "Voices")
    page.locator(".vs-listed[data-name=Anna]").click()
    page.wait_for_selector("#voices-rename:enabled")
    page.click("#voices-rename")
    says(page, "A voice needs a name.")
    type_in(field(page, "voices-new-name"), "Ben")
    page.click("#voices-rename")
    says(page, "There is a voice 'Ben' already")
    page.click("#recordings-listen")
    says(page, "Record or upload the voice first.")
    open_tab(page, "Train a voice")
    page.click("#adapt-go")
    says(page, "Upload recordings of the voice first.")
    assert page.locator("#voices-chosen input").input_value() == "Anna"
    assert page.get_by_text("Error", exact=True).filter(visible=True).count() == 0
    page.click("#voices-delete")
    context.library.delete("Anna")  # by another visitor
    page.click("#voices-delete-sure")
    says(page, "There is no voice 'Anna'.")


def test_a_voice_is_used_in_convert(visit, address, context, swapper, speech):
    context.library.add("Drawn", swapper.sample(5))
    page = visit(address, "Voices")
    page.locator(".vs-listed[data-name=Drawn]").click()
    page.click("#voices-use:enabled")
    page.get_by_role("tab", name="Convert", exact=True, selected=True).wait_for()
    page.locator("#convert-voices .token").get_by_text("Drawn").wait_for()
    upload(page, "convert-source", speech[0])
    page.click("#convert-go")
    expected = swapper.convert(speech[0], swapper.sample(5))
    assert_same(samples_of(result(page, "convert-result")), expected)


def test_an_empty_library_starts_with_voices_of_nobody(swapper, tmp_path):
    english, chinese = zip(*NAMES.values(), strict=True)
    library = open_library(tmp_path / "en", swapper, "en")
    assert library.names() == sorted(english) and len(english) in range(4, 9)
    np.testing.assert_array_equal(library.voice("Coral").code, swapper.sample(23).code)
    library.delete("Coral")
    left = sorted(set(english) - {"Coral"})
    assert open_library(tmp_path / "en", swapper, "zh").names() == left
    assert open_library(tmp_path / "zh", swapper, "zh").names() == sorted(chinese)


def test_each_voice_is_read_and_exported_once_while_it_stays_as_it_is(
    address, context, swapper, monkeypatch
):
    for name in ("Anna", "Ben"):
        context.library.add(name, swapper.sample(5))
    read, load_voice = [], swapper.load_voice

    def counted(path):
        read.append(Path(path).stem)
        return load_voice(path)

    def copies_of_anna():  # the client puts its own there too
        return set(Path(get_upload_folder()).glob("*/Anna.safetensors"))

    monkeypatch.setattr(swapper, "load_voice", counted)
    client = Client(address, verbose=False)
    exported = client.predict("Anna", api_name="/export_voice")
    copies = copies_of_anna()
    for _ in range(3):
        shown = map_points(context, "Anna")
        assert [voice["name"] for voice in shown["voices"]] == ["Anna", "Ben"]
        client.predict("Anna", api_name="/export_voice")
    assert sorted(read) == ["Anna", "Ben"]
    assert copies_of_anna() == copies
    np.testing.assert_array_equal(load_voice(exported).code, swapper.sample(5).code)
    context.library.delete("Anna")
    context.library.add("Anna", swapper.sample(6))
    exported = client.predict("Anna", api_name="/export_voice")
    np.testing.assert_array_equal(load_voice(exported).code, swapper.sample(6).code)


def test_an_export_lasts_an_hour_from_when_it_was_last_wanted(swapper, tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    context = AppContext(swapper, VoiceLibrary(tmp_path / "voices", swapper), Texts("en"))
    context.library.add("Anna", swapper.sample(5))
    exports = VoiceExports(context.library)
    first = exports.file("Anna")
    os.utime(first, (0, 0))
    assert exports.file("Anna") == first and first.stat().st_mtime > 0
    first.unlink()
    second = exports.file("Anna")
    assert second != first
    context.library.rename("Anna", "Carol")
    assert exports.file("Carol").exists() and not second.exists()
    with pytest.raises(VoiceswapError, match=r"^There is no voice 'Ben'.$"):
        exports.file("Ben")


def test_names_on_the_map_lie_apart():
    places = apart(np.full((5, 2), 0.5))
    near = np.abs(np.subtract.outer(places[:, 1], places[:, 1]))[~np.eye(5, dtype=bool)]
    assert near.min() > 0.1 and places.min() >= 0 and places.max() <= 1


def test_every_visit_has_another_random_voice(visit, address, context):
    seeds = set()
    for _ in range(2):
        page = visit(address, "Voices")
        open_tab(page, "Random voice")
        page.wait_for_function("document.querySelector('#draw-seed input').value > 0")
        seeds.add(field(page, "draw-seed").input_value())
    assert len(seeds) == 2
    type_in(field(page, "draw-seed"), "")
    page.click("#draw-listen")
    says(page, "The seed is missing")
    type_in(field(page, "draw-seed"), str(SEEDS - 1))  # the largest that a visit may begin with
    type_in(field(page, "draw-name"), "Anna")
    page.click("#draw-keep")
    says(page, "The voice is in the library.")
    assert describe_voice(context.library.path("Anna"))["drawn"] == SEEDS - 1
