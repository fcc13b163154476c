"""Hum of the mains, which is no voice."""

import numpy as np
import pytest
from rates import RATE

from voiceswap.conversion.reading import read_recording
from voiceswap.conversion.running_hum import RunningHum
from voiceswap.dsp.hum import HumRemover
from voiceswap.dsp.level import active_level_db
from voiceswap.features import AudioConfig, extract_f0

AUDIO = AudioConfig()


def remove_hum(samples: np.ndarray, rate: int) -> np.ndarray:
    return HumRemover()(samples, rate)


def streamed(samples: np.ndarray, block: int = 1600) -> tuple[np.ndarray, list[np.ndarray]]:
    """What a stream has without hum, and the tones that each block was the first to know."""
    hum, blocks, new = RunningHum(16000), [], []
    for stop in range(block, len(samples) + 1, block):
        start = max(0, stop - 8000)
        blocks.append(hum.remove_from(samples[start:stop], start)[-block:])
        new.append(hum.new)
    return np.concatenate(blocks), new


def sung(pitch: float, seconds: float) -> np.ndarray:
    """A note with overtones."""
    turns = 2 * np.pi * pitch * np.arange(int(seconds * 16000)) / 16000
    return sum(0.1 / k * np.sin(k * turns) for k in range(1, 20)).astype(np.float32)


def quiet(seconds: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    return 1e-4 * rng.standard_normal(int(seconds * 16000), np.float32)


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


@pytest.mark.parametrize("mains", [50.0, 60.03])
def test_the_buzz_of_a_dimmer_is_no_shrill_voice(hello, goodbye, mains):
    # A pulse in each half of a period: all tones are equally loud, far above where F0 ends.
    speech = np.concatenate([hello, goodbye])
    pulses = np.diff(np.floor(2 * mains * np.arange(len(speech) + 1) / 16000))
    buzz = pulses - pulses.mean()
    level = active_level_db(speech, 16000) - 18
    given = speech + 10 ** (level / 20) / buzz.std() * buzz.astype(np.float32)
    clean, humming, left = (
        extract_f0(samples, AUDIO) for samples in (speech, given, remove_hum(given, 16000))
    )
    new = [np.mean((clean == 0) & (f0 > 0)) for f0 in (humming, left)]
    assert new[0] > 0.3 and new[1] < new[0] / 2
    assert np.mean(left > 900) < 0.005


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


@pytest.mark.parametrize("pitch", [100.0, 100.3, 120.0, 349.23])
@pytest.mark.parametrize("silence", [0, 1])
def test_a_long_note_is_no_hum(pitch, silence):
    note = np.concatenate([sung(pitch, 8), silence * quiet(2)])
    assert np.square(remove_hum(note, 16000) - note).sum() < 0.001 * np.square(note).sum()


def test_a_long_note_in_a_stream_is_no_hum(hello, goodbye):
    note = np.concatenate([hello, goodbye, quiet(3), sung(120, 8)]) + 1e-4
    left = streamed(note)[0]
    assert np.square(left - note[: len(left)]).sum() < 0.001 * np.square(note).sum()


def test_hum_that_goes_on_in_a_long_pause_is_removed(hello, goodbye):
    speech = np.concatenate([hello, goodbye])
    given = with_hum(np.concatenate([speech, quiet(12)]), 50.0, 25)
    left = streamed(given)[0][-16000:]
    assert np.square(left).mean() < 0.001 * np.square(given[-16000:]).mean()
    remover, pause = HumRemover(), given[len(speech) :]
    assert remover(pause, 16000) is pause  # of which nothing tells that it is hum
    remover(given[: len(speech)], 16000)
    assert np.square(remover(pause, 16000)).mean() < 0.001 * np.square(pause).mean()


def test_an_offset_and_silence_do_not_hide_hum(hello, goodbye):
    given = with_hum(np.concatenate([hello, goodbye]), 50.0, 25)
    for samples in (given + 0.2, np.concatenate([given, np.zeros(32000, np.float32)])):
        removed = samples - remove_hum(samples, 16000)
        assert np.square(removed).sum() > 0.001 * np.square(given).sum()


def test_a_stream_learns_once_that_a_tone_is_no_voice(hello, goodbye):
    speech = np.concatenate([hello, goodbye])
    given = np.concatenate([with_hum(speech, 60.0, 25), speech, with_hum(speech, 60.0, 25)])
    new = np.concatenate(streamed(given, 4800)[1])
    assert 120 in new and len(new) == len(set(new))


def test_hum_moves_no_pitch_of_a_stream(tiny, hello, goodbye):
    speech, means = np.tile(goodbye, 2), []
    for samples in (speech, with_hum(speech, 60.0, 25)):
        stream = tiny.stream((hello, 16000), latency="low", rate=16000)
        for first in range(0, len(samples), 1600):
            stream.push(samples[first : first + 1600])
        means.append(stream.statistics.log_f0[0])
    assert abs(means[1] - means[0]) < 0.03
