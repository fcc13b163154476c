"""Hum of the mains, which is no voice."""

import numpy as np
import pytest
from rates import RATE

from voiceswap.audio import active_level_db
from voiceswap.conversion.reading import read_recording
from voiceswap.dsp.hum import remove_hum
from voiceswap.features import AudioConfig, extract_f0

AUDIO = AudioConfig()


def with_hum(samples: np.ndarray, mains: float, level_db: float) -> np.ndarray:
    """Speech at 16 kHz with the hum of a power supply, so many dB below it."""
    times = np.arange(len(samples)) / 16000
    tones = ((2, 1.0), (4, 0.5), (6, 0.3))
    hum = sum(a * np.sin(2 * np.pi * mains * k * times + k) for k, a in tones)
    scale = 10 ** ((active_level_db(samples, 16000) - level_db) / 20) / np.sqrt(np.mean(hum**2))
    return (samples + scale * hum).astype(np.float32)


@pytest.mark.parametrize(("mains", "level_db"), [(50.0, 20), (49.96, 35), (60.1, 30)])
def test_hum_is_no_voice(hello, goodbye, mains, level_db):
    speech = np.concatenate([hello, goodbye])
    given = with_hum(speech, mains, level_db)
    left = remove_hum(given, 16000) - speech
    assert np.square(left).mean() < 0.03 * np.square(given - speech).mean()
    clean = extract_f0(speech, AUDIO) > 0
    new = [
        np.mean(~clean & (extract_f0(samples, AUDIO) > 0))
        for samples in (given, remove_hum(given, 16000))
    ]
    assert new[0] > 0.08 > 0.01 > new[1]


def test_hum_moves_no_pitch(hello, goodbye):
    speech = np.concatenate([hello, goodbye])
    clean, humming = (
        read_recording((samples, 16000), AUDIO, RATE).f0
        for samples in (speech, with_hum(speech, 60.0, 32))
    )
    means = [np.log(f0[f0 > 0]).mean() for f0 in (clean, humming)]
    assert abs(means[1] - means[0]) < 0.01


def test_what_does_not_hum_stays(hello, goodbye):
    times = np.arange(64000) / 16000
    held = np.sin(2 * np.pi * 120 * times).astype(np.float32)  # a note without a pause
    for samples in (hello, goodbye, held, np.tile(goodbye[:8000], 8), hello[:3000]):
        assert remove_hum(samples, 16000) is samples
    assert not remove_hum(np.zeros(32000, np.float32), 16000).any()


def test_hum_moves_no_pitch_of_a_stream(tiny, hello, goodbye):
    speech, means = np.tile(goodbye, 2), []
    for samples in (speech, with_hum(speech, 60.0, 25)):
        stream = tiny.stream((hello, 16000), latency="low", rate=16000)
        for first in range(0, len(samples), 1600):
            stream.push(samples[first : first + 1600])
        means.append(stream.statistics.log_f0[0])
    assert abs(means[1] - means[0]) < 0.03
