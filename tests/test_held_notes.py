"""Held notes of songs have the target's timbre."""

import numpy as np
import pytest
import torch
from rates import RATE

from voiceswap.audio_io.resampling import resample
from voiceswap.conversion.held_notes import average_content

SECONDS = 2.0  # of a note
NOTES = (  # Hz, and resonances of an open, a front and a back vowel
    (220, ((700, 80), (1200, 90), (2600, 120))),
    (262, ((300, 60), (2300, 110), (3000, 150))),
    (196, ((500, 80), (900, 100), (2600, 150))),
)


@pytest.fixture(scope="module")
def notes() -> np.ndarray:
    """Three vowels, each held with vibrato, (samples,) at 16 kHz."""
    times, harmonics, held = np.arange(SECONDS * 16000) / 16000, np.arange(1, 36)[:, None], []
    for hz, resonances in NOTES:
        f0 = hz * (1 + 0.03 * np.sin(2 * np.pi * 5.5 * times))
        gains = sum(1 / (1 + ((f0 * harmonics - at) / width) ** 2) for at, width in resonances)
        gains = gains * (f0 * harmonics < 7500)
        held.append((gains * np.sin(2 * np.pi * harmonics * np.cumsum(f0) / 16000)).sum(0))
    return (0.1 * np.concatenate(held)).astype(np.float32)


def mean_spectrum(swapper, samples: np.ndarray) -> np.ndarray:
    """Mean log-mel of the frames that are loud, each without its level, (80,)."""
    mel = swapper.engine.log_mel(torch.from_numpy(samples)[None])[0].numpy()
    level = mel.mean(0)
    return (mel - level)[:, level > np.quantile(level, 0.4)].mean(1)


def test_held_notes_have_the_targets_timbre(swapper, hello, goodbye, notes):
    song, first = np.concatenate([hello, notes]), round(len(hello) * RATE / 16000)
    target, distances = mean_spectrum(swapper, goodbye), []
    for exact in (True, False):  # by itself, what is no speech follows the source, as laughter does
        made = swapper.convert((song, 16000), (goodbye, 16000), exact_pitch=exact)[first:]
        spectrum = mean_spectrum(swapper, resample(made, RATE, 16000))
        distances.append(float(np.abs(spectrum - target).mean()))
    assert distances[0] < 0.85 * distances[1], distances


def test_an_average_ends_with_its_recording_and_where_its_share_is_zero():
    content, share = torch.randn(2, 4, 40), torch.ones(2, 1, 80)
    share[..., 40:] = 0.0
    mask = torch.ones(2, 1, 80)
    mask[1, :, 30:] = 0.0
    averaged = average_content(content, share, 2, mask)
    alone = average_content(content[1:, :, :15], share[1:, :, :30], 2)
    torch.testing.assert_close(averaged[1:, :, :15], alone)
    assert torch.equal(averaged[..., 20:], content[..., 20:])
    assert averaged[0, :, :20].std() < 0.5 * content[0, :, :20].std()
