"""Songs: intervals that stay as they were sung."""

import re

import numpy as np
import pytest
import torch

from voiceswap import VoiceswapError
from voiceswap.audio_io.resampling import resample
from voiceswap.batch import BatchOptions
from voiceswap.conversion.options import ConversionOptions, pitch_options
from voiceswap.conversion.pitch import place_contour
from voiceswap.conversion.reading import read_recording
from voiceswap.features import AudioConfig, extract_f0
from voiceswap.notes import notes_to

AUDIO = AudioConfig()
INTERVALS = np.array([4, -3, 5, -4, 3])  # semitones from note to note
MELODY = np.concatenate([[0], np.cumsum(INTERVALS)])


def melody(root, frames=600):
    """F0 (frames,) of MELODY from `root` Hz on."""
    note = np.arange(frames) * len(MELODY) // frames
    return (root * 2 ** (MELODY[note] / 12)).astype(np.float32)


def intervals(f0):
    notes = np.array_split(f0, len(MELODY))
    return np.diff([12 * np.log2(np.median(note[note > 0])) for note in notes])


def sung(swapper, words, root):
    """Words (samples,), sung: their mel spectrogram through the vocoder, MELODY from `root` Hz."""
    recording = read_recording((words, 16000), swapper.engine.audio, swapper.sample_rate)
    f0 = np.where(recording.f0 > 0, melody(root, recording.frames), 0).astype(np.float32)
    with torch.inference_mode():
        mel = swapper.engine.log_mel(torch.from_numpy(recording.samples())[None])
        return swapper.engine.vocode(mel, torch.from_numpy(f0)[None])[0].numpy()


@pytest.fixture(scope="module")
def song(swapper, hello):
    return sung(swapper, np.concatenate([hello, hello]), 110)


@pytest.fixture(scope="module")
def soprano(swapper, goodbye):
    return sung(swapper, np.concatenate([goodbye, goodbye]), 700)  # to 990 Hz


@pytest.mark.parametrize("singer", ["song", "soprano"])
@pytest.mark.parametrize("target", ["hello", "goodbye"])
def test_a_song_keeps_its_intervals(swapper, singer, target, request):
    voice = request.getfixturevalue(target), 16000
    out = swapper.convert(request.getfixturevalue(singer), voice, exact_pitch=True)
    f0 = extract_f0(resample(out, swapper.sample_rate, 16000), AUDIO)
    np.testing.assert_allclose(intervals(f0), INTERVALS, atol=0.3)


@pytest.mark.parametrize(
    "root, voice, octaves",
    [(110, 110, 0), (110, 210, 1), (200, 110, 0), (220, 110, -1), (400, 1000, 0), (70, 30, 0)],
)
def test_an_octave_stays_where_the_voice_can_sing_it(root, voice, octaves):
    f0, statistics = melody(root), torch.tensor([np.log(voice), 0.2], dtype=torch.float32)
    people, options = np.zeros(len(f0)), ConversionOptions(exact_pitch=True)
    notes: list[str] = []
    with notes_to(notes.append):
        moved, _ = place_contour(f0, people, statistics, options, "song")
    np.testing.assert_allclose(moved.numpy(), f0 * 2.0**octaves, rtol=1e-4)
    assert ["octave" in str(told) for told in notes] == [True] * abs(octaves)


def test_a_chorus_an_octave_above_its_verse_stays_there(swapper, song, goodbye):
    chorus = resample(song, 2, 1)  # twice as fast, so an octave higher
    notes: list[str] = []
    with notes_to(notes.append):
        out = swapper.convert(np.tile([*song, *chorus], 2), (goodbye, 16000), exact_pitch=True)
    f0 = extract_f0(resample(out, swapper.sample_rate, 16000), AUDIO)
    verse, higher = np.array_split(f0[: len(f0) // 2], [2 * len(f0) // 6])
    octaves = np.log2(np.median(higher[higher > 0]) / np.median(verse[verse > 0]))
    assert abs(octaves - 1) < 0.1 and not notes


def test_an_octave_leaves_room_for_the_shift():
    f0, statistics = melody(400), torch.tensor([np.log(400), 0.2], dtype=torch.float32)
    options = ConversionOptions(exact_pitch=True, pitch_shift=12)
    notes: list[str] = []
    with notes_to(notes.append):
        moved, _ = place_contour(f0, np.zeros(len(f0)), statistics, options, "song")
    np.testing.assert_allclose(moved.numpy(), f0, rtol=1e-4)
    assert notes and "moved by +12 semitones" in str(notes[0]) and "another octave" in str(notes[0])


def test_commands_and_lists_say_exact():
    assert pitch_options("exact") == {"pitch_shift": 0.0, "exact_pitch": True}
    assert pitch_options("exact-12") == {"pitch_shift": -12.0, "exact_pitch": True}
    usual = BatchOptions(pitch_shift=2)
    assert usual.changed({"pitch": "exact"}) == BatchOptions(exact_pitch=True)
    assert BatchOptions(exact_pitch=True).changed({"pitch": "-2,5"}).pitch_shift == -2.5
    with pytest.raises(VoiceswapError, match="a number from -24 to 24, 'exact', or 'exact' with"):
        usual.changed({"pitch": "high"})
    for pitch in ("exact12", "exact+25", "exact high", "inexact", ""):
        with pytest.raises(VoiceswapError, match="pitch is"):
            pitch_options(pitch)


def test_a_stream_has_no_exact_pitch(swapper, hello):
    with pytest.raises(VoiceswapError, match="can't know a song's octave"):
        swapper.stream((hello, 16000), exact_pitch=True)


def test_a_pitch_that_ends_flattens_the_melody_with_a_note(tiny, hello, goodbye):
    notes = []
    with notes_to(notes.append):
        for shift in (0, 12, -24):
            tiny.convert((hello, 16000), (goodbye, 16000), pitch_shift=shift)
    [told] = notes
    assert re.search(r": \d\d% of its voice would be below 60 Hz, .*shift the pitch less", told)
