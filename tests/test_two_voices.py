"""Two people in one recording."""

import numpy as np
import pytest
import soundfile

from voiceswap.audio import read_audio
from voiceswap.audio_io.resampling import resample
from voiceswap.conversion.source_pitch import source_pitch
from voiceswap.conversion.two_voices import two_pitches, who_speaks
from voiceswap.features import AudioConfig, extract_f0
from voiceswap.notes import AudioWarning, Note, notes_to

AUDIO = AudioConfig()


def pitches(*samples):
    return two_pitches(extract_f0(np.concatenate(samples), AUDIO), AUDIO.frame_rate)


def test_two_people_are_told_and_each_alone_is_not(tiny, hello, goodbye):
    man = np.tile(hello, 2)
    high = resample(np.tile(hello, 4), 16000 * 1.9, 16000)  # another, 11 semitones above
    assert pitches(man) is None and pitches(high) is None and pitches(goodbye, goodbye) is None
    low_hz, high_hz = pitches(man, high)
    assert 1.6 < high_hz / low_hz < 2.2
    f0 = extract_f0(np.concatenate([man, high]), AUDIO)
    second = np.arange(len(f0)) >= len(man) // 160
    assert (who_speaks(f0, AUDIO.frame_rate) == second)[f0 > 0].mean() > 0.97
    with pytest.warns(AudioWarning, match=r"two people seem to .* one pitch.*--source-voice"):
        tiny.convert(np.concatenate([man, high]), goodbye)


def test_the_characters_of_one_reader_are_no_two_people(tiny, hello, goodbye, tmp_path):
    book = np.concatenate([np.tile(hello, 2), resample(np.tile(hello, 4), 16000 * 1.9, 16000)])
    soundfile.write(tmp_path / "book.wav", book, 16000)
    own = source_pitch(tmp_path / "book.wav")
    notes: list[Note] = []
    with notes_to(notes.append):
        tiny.convert((book, 16000), (goodbye, 16000), source_pitch=own)
        out = tmp_path / "out.wav"
        tiny.convert_file(tmp_path / "book.wav", (goodbye, 16000), out, source_pitch=own)
    assert not notes  # on one pitch, which they do not have


def test_real_people_alone_and_together(people):
    read = [np.concatenate([read_audio(path, 16000) for path in paths[:2]]) for paths in people]
    assert not any(map(pitches, read))
    f0 = [extract_f0(samples, AUDIO) for samples in read]
    middle = [np.median(track[track > 0]) for track in f0]
    lowest, highest = int(np.argmin(middle)), int(np.argmax(middle))
    assert two_pitches(np.concatenate([f0[lowest], f0[highest]]), AUDIO.frame_rate)


def test_two_people_come_out_at_one_pitch(swapper, hello, goodbye):
    man, woman = np.tile(hello, 2), resample(np.tile(hello, 4), 16000 * 1.9, 16000)
    out = swapper.convert((np.concatenate([man, woman]), 16000), (goodbye, 16000))
    f0 = extract_f0(out, swapper.engine.output_audio)
    parts = f0[: len(man) // 160], f0[len(man) // 160 :]
    first, second = (np.median(part[part > 0]) for part in parts)
    assert abs(12 * np.log2(second / first)) < 1
