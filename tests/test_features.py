import math

import numpy as np
import pytest
import torch

from voiceswap.errors import CheckpointError
from voiceswap.features import AudioConfig, LogMel, extract_f0, log_f0_statistics

AUDIO = AudioConfig()


def test_padding_and_batching_change_no_frame(hello, goodbye):
    log_mel = LogMel(AUDIO)
    size = max(len(hello), len(goodbye)) + 5000
    batch = torch.stack(
        [torch.from_numpy(np.pad(wave, (0, size - len(wave)))) for wave in (hello, goodbye)]
    )
    for wave, mel in zip((hello, goodbye), log_mel(batch), strict=True):
        alone = log_mel(torch.from_numpy(wave)[None])[0]
        assert alone.shape == (80, AUDIO.frames(len(wave)))
        torch.testing.assert_close(mel[:, : alone.shape[1]], alone, atol=1e-3, rtol=0)


def test_log_mel_has_a_gradient_and_a_floor(hello):
    wave = torch.from_numpy(hello)[None].requires_grad_()
    mel = LogMel(AUDIO)(wave)
    mel.sum().backward()
    assert mel.min() >= math.log(AUDIO.log_floor) - 1e-4
    assert torch.isfinite(wave.grad).all() and wave.grad.abs().max() > 0


@pytest.mark.parametrize("hertz", [80.0, 155.0, 310.0])
def test_f0_of_a_known_pulse_train(hertz):
    times = np.arange(32000) / 16000
    wave = sum(np.cos(2 * np.pi * hertz * k * times) for k in range(1, 15)).astype(np.float32) / 15
    f0 = extract_f0(wave, AUDIO)
    assert len(f0) == 200 and (f0 > 0).mean() > 0.9
    assert abs(1200 * np.log2(np.median(f0[f0 > 0]) / hertz)) < 10  # cents
    mean, spread = log_f0_statistics(f0)
    assert math.isclose(mean, math.log(hertz), abs_tol=0.01) and spread < 0.051


def test_noise_is_unvoiced_and_still_has_statistics():
    f0 = extract_f0(np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32), AUDIO)
    assert (f0 > 0).mean() < 0.2
    assert all(map(math.isfinite, log_f0_statistics(np.zeros(100))))


def test_a_mismatch_names_both_values():
    with pytest.raises(
        CheckpointError, match="hop_length is 160 in the autoencoder and 256 in the vocoder"
    ):
        AUDIO.require_same(AudioConfig(hop_length=256), "the autoencoder", "the vocoder")
