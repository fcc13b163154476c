"""What voices are made from: folders of one person's recordings, and notes on bad references."""

import itertools

import numpy as np
import pytest
import soundfile
from talks import write_talks

from voiceswap import VoiceswapError
from voiceswap.audio import read_audio
from voiceswap.batch import convert_folder
from voiceswap.conversion.recording_notes import NO_SPEECH, NO_WORDS, TWO_PEOPLE
from voiceswap.examples import GOODBYE, HELLO
from voiceswap.notes import notes_to
from voiceswap.ui.errors_in_chinese import in_language


def test_a_folder_is_a_target_of_one_person(tmp_path, tiny, hello):
    write_talks(tmp_path / "talks", 2, hello)
    (tmp_path / "anna").mkdir()
    for path in (HELLO, GOODBYE):
        (tmp_path / "anna" / path.name).write_bytes(path.read_bytes())
    (tmp_path / "list.csv").write_text(f"source,target,output\n{HELLO},anna,listed\n")
    for inputs, targets, name in (
        ("talks/day 0/talk-0000.wav", ["anna", GOODBYE], "anna/talk-0000.wav"),
        ("list.csv", [], "listed.flac"),
    ):
        result = convert_folder(
            tmp_path / inputs, [tmp_path / t for t in targets], tmp_path / "out", swapper=tiny
        )
        assert result.exit_status == 0
        source = HELLO if name == "listed.flac" else tmp_path / inputs
        expected = tiny.convert(source, [GOODBYE, HELLO], rate=soundfile.info(source).samplerate)
        samples, _ = soundfile.read(tmp_path / "out" / name)
        np.testing.assert_allclose(samples, expected, atol=1e-3)
    for folder in (tmp_path / "anna", f"{tmp_path}/anna"):
        np.testing.assert_array_equal(
            tiny.convert(hello, folder), tiny.convert(hello, [GOODBYE, HELLO])
        )
    (tmp_path / "nobody").mkdir()
    with pytest.raises(VoiceswapError, match="no recording in the folder"):
        tiny.voice(tmp_path / "nobody")
    with pytest.raises(VoiceswapError, match="no recording in the folder"):
        convert_folder(tmp_path / "talks", [tmp_path / "nobody"], tmp_path / "out", swapper=tiny)


def notes_on(swapper, *samples: np.ndarray) -> list[str]:
    """The notes on a reference of 16 kHz, without its name."""
    notes = []
    with notes_to(notes.append):
        swapper.voice((np.concatenate(samples), 16000))
    return [note.text for note in notes]


def test_two_people_in_a_reference_have_a_note(swapper, hello, goodbye):
    assert notes_on(swapper, hello) == notes_on(swapper, *[hello] * 3) == []
    assert notes_on(swapper, goodbye) == notes_on(swapper, *[goodbye] * 3) == []
    assert notes_on(swapper, hello, hello, goodbye, goodbye) == [TWO_PEOPLE]
    assert notes_on(swapper, hello, goodbye, hello, goodbye) == [TWO_PEOPLE]


def test_people_of_one_sex_in_a_reference_have_a_note(swapper, people):
    read = [
        np.concatenate([read_audio(path, 16000)[:96000] for path in paths[:2]]) for paths in people
    ]
    assert not any(notes_on(swapper, samples) for samples in read)
    joined = [notes_on(swapper, a[:80000], b[:80000]) for a, b in itertools.pairwise(read)]
    assert sum(map(bool, joined)) > 0.6 * len(joined)


@pytest.mark.parametrize("kind", ["noise", "tones", "one word"])
def test_a_reference_with_little_speech_has_a_note(swapper, hello, kind):
    times, rng = np.arange(80000) / 16000, np.random.default_rng(0)
    samples = {
        "noise": 0.1 * rng.standard_normal(80000),
        "tones": 0.1 * sum(np.sin(2 * np.pi * hertz * times) for hertz in (220, 275, 330)),
        "one word": np.concatenate([hello[8000:12000], 0.001 * rng.standard_normal(76000)]),
    }[kind]
    assert notes_on(swapper, samples.astype(np.float32)) == [NO_SPEECH]


def test_sources_have_no_notes_of_references(swapper, hello, goodbye):
    both = np.concatenate([hello, hello, goodbye, goodbye])
    notes = []
    with notes_to(notes.append):
        swapper.convert((both, 16000), GOODBYE, strength=0.5)
    assert notes == []


@pytest.mark.parametrize("to_file", [False, True])
def test_a_source_without_speech_has_a_note_and_a_song_or_a_word_has_none(
    swapper, hello, tmp_path, to_file
):
    def notes_of(samples: np.ndarray, **options) -> list[str]:
        notes = []
        with notes_to(notes.append):
            if to_file:
                soundfile.write(tmp_path / "a.wav", samples, 16000)
                swapper.convert_file(tmp_path / "a.wav", GOODBYE, tmp_path / "b.wav", **options)
            else:
                swapper.convert((samples, 16000), GOODBYE, **options)
        return [note.text for note in notes]

    noise = 0.1 * np.random.default_rng(0).standard_normal(48000).astype(np.float32)
    assert notes_of(noise) == [NO_WORDS]
    assert notes_of(noise, exact_pitch=True) == notes_of(hello[8000:14000]) == []


def test_adaptation_names_the_part(swapper, hello, goodbye):
    from voiceswap.adaptation.adapt import _voice
    from voiceswap.adaptation.recordings import Piece

    notes = []
    with notes_to(notes.append):
        _voice(swapper, Piece("anna.wav", np.concatenate([hello, hello, goodbye, goodbye]), 16000))
    assert notes == [f"anna.wav{TWO_PEOPLE}"]


def test_adaptation_notes_what_it_scores_by_too(tiny, hello, goodbye, monkeypatch):
    from voiceswap.adaptation import adapt

    noted = []
    monkeypatch.setattr(
        adapt, "_voice", lambda _, piece: noted.append(piece.name) or tiny.sample(1)
    )
    long = [(np.concatenate([wave] * 4), 16000) for wave in (hello, goodbye)]
    tiny.adapt(long, steps=1)
    assert sorted(noted) == ["recording 1", "recording 2"]


def test_notes_on_voices_and_sources_are_in_chinese_on_the_page():
    for text in (TWO_PEOPLE, NO_SPEECH, NO_WORDS):
        shown = in_language("zh", f"a: b.wav{text}")
        assert shown.startswith("a: b.wav：") and "people" not in shown and "speech" not in shown
