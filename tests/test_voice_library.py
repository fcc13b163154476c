import dataclasses
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceswap import VoiceswapError
from voiceswap.conversion.voice_library import VoiceLibrary, clean_name, file_name
from voiceswap.examples import HELLO
from voiceswap.files import is_safe_name

MAPS = Path("/proc/self/maps")  # of Linux

HOSTILE = [
    "../../out",
    "..",
    ".hidden",
    "/etc/passwd",
    "a\\b",
    "C:con",
    "CON",
    "lpt1.x",
    "نمی\u200cخواهم",
    "50%",
    "%2e%2e",
    "名字 🎙",
    "e\u0301",
    "a\u202egpj.exe",
    "tab\there",
    " . ",
]


@pytest.fixture
def library(swapper, tmp_path):
    return VoiceLibrary(tmp_path / "voices", swapper)


@pytest.fixture(scope="module")
def voice(swapper):
    return swapper.sample(1)


def test_a_voice_is_saved_renamed_exported_and_deleted(library, voice, swapper, tmp_path):
    assert library.names() == []
    assert library.add("Anna", voice) == "Anna"
    np.testing.assert_array_equal(library.voice("Anna").code, voice.code)
    assert library.rename("Anna", "anna") == "anna" and library.names() == ["anna"]
    exported = swapper.save_voice(library.voice("anna"), tmp_path / "elsewhere.safetensors")
    library.add("Ben", swapper.load_voice(exported))
    library.delete("anna")
    assert library.names() == VoiceLibrary(library.folder, swapper).names() == ["Ben"]


@pytest.mark.skipif(not MAPS.exists(), reason="there is no list of mapped files here")
def test_no_voice_keeps_its_file_from_being_deleted_on_windows(library, swapper):
    library.add("Anna", swapper.embed(HELLO))
    used = library.voice("Anna"), library.code("Anna")
    assert library.path("Anna").name not in MAPS.read_text()
    assert used[0].residuals and len(used[1])


def test_one_voice_alone_keeps_its_notes(swapper, voice, tmp_path):
    noted = dataclasses.replace(voice, notes={"consent": "given"})
    path = swapper.save_voice(noted, tmp_path / "noted.safetensors")
    assert swapper.voice(path).notes == swapper.voice([noted]).notes == noted.notes


def test_files_put_there_by_hand_are_voices(library, voice, swapper):
    swapper.save_voice(voice, library.folder / "by hand.safetensors")
    (library.folder / "50%.safetensors").write_text("no voice")
    assert library.names() == ["50%", "by hand"]
    with pytest.raises(VoiceswapError, match="not a saved voice"):
        library.voice("50%")
    library.delete("50%")
    assert library.rename("by hand", "Anna") == "Anna" and library.names() == ["Anna"]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_in_the_folder_and_come_back(library, voice, tmp_path, name):
    kept = library.add(name, voice)
    assert library.names() == [kept] and library.path(kept).parent == library.folder
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [library.path(kept)]
    again = library.rename(kept, name + "!")
    library.delete(again)
    assert not list(library.folder.iterdir())


@given(st.text())
def test_any_name_is_safe_or_a_sentence(text):
    try:
        name = clean_name(text)
    except VoiceswapError as error:
        assert str(error).endswith(".")
        return
    stem = file_name(name)
    assert is_safe_name(stem) and not stem.startswith(".") and len(stem.encode()) <= 200
    assert clean_name(name) == name


def test_a_name_that_is_taken_or_unknown_is_a_sentence_and_changes_nothing(library, voice, swapper):
    library.add("Anna", voice)
    for name in ("Anna", "ANNA", " anna ", "An\u200bna", "An\u200dna", "Anna\u00ad", "Anna\u3164"):
        with pytest.raises(VoiceswapError, match="already"):
            library.add(name, swapper.sample(2))
    np.testing.assert_array_equal(library.voice("Anna").code, voice.code)
    for call in (
        library.voice,
        library.delete,
        library.path,
        lambda name: library.rename(name, "x"),
    ):
        for name in ("Ben", "../voices/Anna", ""):
            with pytest.raises(VoiceswapError, match="There is no voice"):
                call(name)
    library.add("Ben", voice)
    with pytest.raises(VoiceswapError, match="already"):
        library.rename("Ben", "anna")
    with pytest.raises(VoiceswapError, match="too long"):
        library.rename("Ben", "x" * 300)
    for name in (" \u200e\n", "\u200b", "\u200d", "\u2800"):
        with pytest.raises(VoiceswapError, match="needs a name"):
            library.add(name, voice)
    assert library.names() == ["Anna", "Ben"]


def test_a_folder_that_can_not_be_is_a_sentence(library, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(VoiceswapError, match="can't be used for voices"):
        VoiceLibrary(tmp_path / "file", library.swapper)


def test_of_many_who_want_one_name_one_gets_it(library, voice):
    def attempt(_):
        try:
            return library.add("Anna", voice)
        except VoiceswapError:
            return None

    with ThreadPoolExecutor(8) as pool:
        assert sorted(map(str, pool.map(attempt, range(16)))) == ["Anna"] + ["None"] * 15
    np.testing.assert_array_equal(library.voice("Anna").code, voice.code)
