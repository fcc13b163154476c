import math

import numpy as np
import pytest
import torch

from voiceswap.audio import read_audio
from voiceswap.dsp.f0_tracker import f0_tracker
from voiceswap.errors import CheckpointError
from voiceswap.features import (
    F0_MAX,
    F0_MIN,
    AudioConfig,
    F0Batch,
    LogMel,
    extract_f0,
    log_f0_statistics,
)

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
    mean, deviation = log_f0_statistics(f0)
    assert math.isclose(mean, math.log(hertz), abs_tol=0.01) and deviation < 0.051


def test_noise_is_unvoiced_and_still_has_statistics():
    f0 = extract_f0(np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32), AUDIO)
    assert (f0 > 0).mean() < 0.2
    for contour in ([0] * 100, [100, 100, 400, 400]):  # with nothing near the median
        assert all(map(math.isfinite, log_f0_statistics(np.array(contour))))


def test_a_mismatch_names_both_values():
    with pytest.raises(
        CheckpointError, match="hop_length is 160 in the autoencoder and 256 in the vocoder"
    ):
        AUDIO.require_same(AudioConfig(hop_length=256), "the autoencoder", "the vocoder")


def test_the_f0_tracker_equals_the_published_one(hello, goodbye, request):
    """Within a cent where voiced; voicing equal in 99.9 % of frames."""
    swift_f0 = pytest.importorskip("swift_f0", reason="swift-f0 is not installed")
    published, tracker = swift_f0.SwiftF0(threads=1), f0_tracker()
    recordings = [hello, goodbye, hello[:100], np.zeros(16000, np.float32)]
    try:
        people = request.getfixturevalue("people")
    except pytest.skip.Exception:
        people = []
    recordings += [read_audio(paths[0], 16000) for paths in people]
    cents, voicing = [], []
    for samples in recordings:
        expected = published.detect(samples, 16000, F0_MIN, F0_MAX)
        with torch.inference_mode():
            f0, voiced = tracker(torch.from_numpy(samples)[None], F0_MIN, F0_MAX)
        f0, voiced = f0[0].numpy(), voiced[0].numpy() >= 0.5
        theirs = expected.confidence >= 0.5
        voicing += list(voiced == theirs)
        both = voiced & theirs
        cents += list(1200 * np.abs(np.log2(f0[both] / expected.pitch_hz[both])))
    assert max(cents) < 1 and np.mean(voicing) >= 0.999


def test_f0_of_a_batch_is_that_of_its_items(hello, goodbye):
    length, tracker = 40000, f0_tracker()
    waves = torch.stack([torch.from_numpy(wave[:length]) for wave in (hello, goodbye)])
    with torch.inference_mode():
        together = tracker(waves, F0_MIN, F0_MAX)
        for number, wave in enumerate(waves):
            for values, alone in zip(together, tracker(wave[None], F0_MIN, F0_MAX), strict=True):
                torch.testing.assert_close(values[number], alone[0], atol=1e-3, rtol=1e-4)


def test_f0_of_recordings_of_different_lengths_is_as_alone(hello, goodbye):
    recordings = [hello, goodbye[:30001], hello[:5000], np.zeros(8000, np.float32)]
    together = F0Batch(recordings, AUDIO, torch.device("cpu")).contours()
    for f0, wave in zip(together, recordings, strict=True):
        np.testing.assert_allclose(f0, extract_f0(wave, AUDIO), rtol=1e-4)
