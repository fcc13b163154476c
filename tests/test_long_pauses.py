"""A recording that is mostly silence, as one person's track of a conversation is."""

import numpy as np
import pytest
from rates import RATE
from sounds import log_mel_error_db

from voiceswap.audio_io.resampling import resample
from voiceswap.conversion.reading import read_recording
from voiceswap.dsp.level import active_level_db


def test_words_are_those_without_the_silence_and_hum_is_no_hiss(swapper, hello, goodbye):
    hum = 0.002 * np.sin(2 * np.pi * 50 * np.arange(20 * 16000) / 16000)
    source = np.concatenate([hum.astype(np.float32), hello])
    made = swapper.convert((source, 16000), (goodbye, 16000))
    alone = swapper.convert((hello, 16000), (goodbye, 16000))
    words = (resample(samples[-len(alone) :], RATE, 16000) for samples in (made, alone))
    assert log_mel_error_db(*words, swapper.engine.audio) < -12
    pause = active_level_db(made[2 * RATE : 15 * RATE], RATE)
    assert pause < active_level_db(alone, RATE) - 45


@pytest.mark.parametrize(("seconds", "kept"), [(1, 1.0), (0.5, 1.0), (10, 0.4)])
def test_long_pauses_are_left_out_where_they_are_many(swapper, hello, seconds, kept):
    noise = 1e-4 * np.random.default_rng(0).standard_normal(round(16000 * seconds))
    source = np.concatenate([hello, noise.astype(np.float32)])
    near = read_recording((source, 16000), swapper.engine.audio, RATE).near_speech
    assert near.mean() == pytest.approx(kept, abs=0.15)
    assert near[: len(hello) // 160].mean() > 0.95 and near[-1] == (kept == 1.0)
