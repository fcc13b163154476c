"""Two people in one recording."""

import numpy as np
import pytest

from voiceswap.audio import read_audio
from voiceswap.conversion.two_voices import two_pitches
from voiceswap.features import AudioConfig, extract_f0
from voiceswap.notes import AudioWarning


def test_a_man_and_a_woman_are_told_and_each_alone_is_not(tiny, hello, goodbye):
    audio = AudioConfig()
    man, woman = (extract_f0(np.tile(part, 2), audio) for part in (hello, goodbye))
    assert two_pitches(man, audio.frame_rate) is None
    assert two_pitches(woman, audio.frame_rate) is None
    low, high = two_pitches(np.concatenate([man, woman]), audio.frame_rate)
    assert low < 160 < high
    both = np.concatenate([hello, goodbye] * 2)
    with pytest.warns(AudioWarning, match="two people seem to speak in it"):
        tiny.convert(both, hello)


def test_people_who_read_alone_are_taken_for_one(people):
    audio = AudioConfig()
    told = [
        two_pitches(extract_f0(read_audio(p[0], 16000), audio), audio.frame_rate) for p in people
    ]
    assert not any(told)
