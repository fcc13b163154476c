"""Which channels are mixed, and what is said."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
import soundfile
import torch

from voiceswap.audio import prepare_audio, read_audio
from voiceswap.conversion.reading import read_recording
from voiceswap.features import AudioConfig
from voiceswap.notes import AudioWarning, notes_to
from voiceswap.training.degrade import in_a_room
from voiceswap.ui.errors_in_chinese import in_language


def late(samples, shift):
    return np.concatenate([np.zeros(shift, np.float32), samples[:-shift]])


CASES = {  # the second channel of a recording, how loud the mix has to be, what is said
    "the same": (lambda x, y: x, 0.0, None),
    "softer": (lambda x, y: 0.3 * x, -3.7, None),
    "inverted": (lambda x, y: -x, 0.0, "inverted or late"),
    "inverted and softer": (lambda x, y: -0.6 * x, 0.0, "inverted or late"),
    "silent": (lambda x, y: 0 * x, 0.0, "one channel is silent"),
    "nearly silent": (lambda x, y: 1e-3 * x[::-1], 0.0, "one channel is silent"),
    "late by 1 ms": (lambda x, y: late(x, 16), 0.0, "inverted or late"),
    "late by 30 ms": (lambda x, y: late(x, 480), 0.0, "inverted or late"),
    "late by less than a sample of telephones": (lambda x, y: late(x, 1), -0.3, None),
    "somebody else": (lambda x, y: y, None, None),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("kind", ["file", "array"])
def test_what_would_cancel_is_left_out_and_said(hello, goodbye, tmp_path, case, kind):
    other, level, sentence = CASES[case]
    length = min(len(hello), len(goodbye))
    first, second = hello[:length], goodbye[:length]
    both = np.stack([first, other(first, second)], 1).astype(np.float32)
    notes = []
    with notes_to(notes.append):
        if kind == "file":
            soundfile.write(tmp_path / "both.wav", both, 16000, subtype="FLOAT")
            mixed = read_audio(tmp_path / "both.wav", 16000)
        else:
            mixed = prepare_audio(both, 16000, 16000)
    if level is not None:
        assert 10 * np.log10(np.mean(mixed**2) / np.mean(first**2)) == pytest.approx(level, abs=0.1)
    else:  # both people are in it
        for voice in (first, second):
            assert np.corrcoef(mixed, voice)[0, 1] > 0.4
    assert len(notes) == (sentence is not None)
    if sentence:
        assert sentence in notes[0] and notes[0].endswith(".") and "\n" not in notes[0]


def test_two_people_one_on_each_channel_are_noted_and_one_in_stereo_is_not(hello, goodbye):
    torch.manual_seed(0)

    def in_room(samples):
        return in_a_room(torch.from_numpy(samples)[None], 16000)[1][0].numpy()

    def notes(*channels):
        found = []
        with notes_to(found.append):
            prepare_audio(np.stack(channels, 1), 16000, 16000, "talk.wav")
        return found

    turns = np.concatenate([hello, 0 * goodbye]), np.concatenate([0 * hello, goodbye])
    first, second = (x + 0.2 * late(in_room(y), 80) for x, y in (turns, turns[::-1]))
    for one, other in (turns, (first, 0.1 * second)):
        (sentence,) = notes(one, other)
        assert "talk.wav: two people seem to speak in it, one on each channel" in sentence
        assert "各占一个声道" in in_language("zh", sentence)
    both = sum(turns)
    side = 0.5 + 0.5 * np.sin(np.arange(len(both)) / 16000)
    assert notes(in_room(both), 0.3 * in_room(both)) == []
    assert notes(side**0.5 * both, (1 - side) ** 0.5 * both) == []  # who moves from side to side


@pytest.mark.parametrize("kind", ["file", "array"])
def test_a_recording_whose_highs_are_read_too_is_noted_once(tmp_path, kind):
    samples = 0.1 * np.random.default_rng(0).standard_normal(96000)  # it has highs
    both = np.stack([samples, 0 * samples], 1)
    soundfile.write(tmp_path / "both.wav", both, 48000)
    audio, notes = AudioConfig(), []
    with notes_to(notes.append):
        given = tmp_path / "both.wav" if kind == "file" else (both, 48000)
        recording = read_recording(given, audio, 24000)
        assert recording.full_band(0, 100, replace(audio, sample_rate=24000)) is not None
    assert len(notes) == 1 and pickle.loads(pickle.dumps(notes[0])).text == notes[0].text


def test_of_more_than_two_channels_all_that_add_up_are_used(hello):
    notes = []
    with notes_to(notes.append):
        mixed = prepare_audio(np.stack([hello, -hello, hello, 0.5 * hello], 1), 16000, 16000)
    np.testing.assert_allclose(mixed, hello * 2.5 / 3, atol=1e-4)
    assert len(notes) == 1 and "1 of 4 channels are inverted or late" in notes[0]


def test_a_python_user_gets_a_warning(tiny, hello, goodbye):
    with pytest.warns(AudioWarning, match="inverted or late"):
        converted = tiny.convert(np.stack([hello, -hello]), goodbye)
    np.testing.assert_allclose(converted, tiny.convert(hello, goodbye), atol=1e-4)
