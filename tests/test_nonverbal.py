"""Laughter comes out as laughter."""

import copy

import numpy as np
import pytest
import torch
from rates import RATE

from voiceswap import VoiceSwapper
from voiceswap.audio_io.resampling import resample
from voiceswap.conversion.batching import stack
from voiceswap.conversion.mel_statistics import speech_frames
from voiceswap.conversion.nonverbal import unsure
from voiceswap.conversion.recording import Recording
from voiceswap.examples import GOODBYE, HELLO
from voiceswap.features import extract_f0
from voiceswap.models.checkpoint import load_checkpoint, save_checkpoint
from voiceswap.models.layers import length_mask

HA = 0.2  # seconds from one burst to the next


@pytest.fixture(scope="module")
def laughter() -> np.ndarray:
    """Six bursts of 0.11 s with falling pitch, 420 Hz and lower, and one open vowel."""
    times = np.arange(round(0.11 * 16000)) / 16000
    bursts = []
    for number in range(6):
        f0 = 420 * (1 - 0.04 * number)
        harmonics = np.arange(1, 17)[:, None]
        glide = f0 * (1.15 * times - 1.35 * times**2)
        resonances = [1 / (1 + ((f0 * harmonics - at) / 250) ** 2) for at in (1300, 2900, 4200)]
        voiced = (sum(resonances) * np.sin(2 * np.pi * harmonics * glide)).sum(0)
        bursts.append(np.pad(voiced * np.hanning(len(times)) ** 0.5, (0, round(0.09 * 16000))))
    return (0.2 * np.concatenate(bursts)).astype(np.float32)


@pytest.fixture(scope="module")
def with_laughter(hello, laughter) -> np.ndarray:
    pause = np.zeros(3200, np.float32)
    return np.concatenate([hello, pause, laughter, pause])


def spectra(swapper, samples: np.ndarray, first: float) -> np.ndarray:
    """Log-mels of the six bursts from `first` seconds on, each without its mean: (80, frames)."""
    mel = swapper.engine.log_mel(torch.from_numpy(samples)[None])[0].numpy()
    frames = [round(100 * (first + HA * i)) + np.arange(2, 10) for i in range(6)]
    chosen = mel[:, np.concatenate(frames)]
    return chosen - chosen.mean(0)


def whole(swapper, samples: np.ndarray) -> np.ndarray:
    return resample(swapper.convert((samples, 16000), GOODBYE), RATE, 16000)


def streamed(swapper, samples: np.ndarray) -> np.ndarray:
    stream = swapper.stream(GOODBYE, rate=16000)
    return np.concatenate([stream.push(samples), stream.flush()])


@pytest.mark.parametrize("convert", [whole, streamed])
def test_laughter_keeps_its_spectrum(swapper, with_laughter, hello, convert):
    checkpoint = load_checkpoint()
    checkpoint.content_log_variance = None
    without = VoiceSwapper(checkpoint, "cpu")
    given, first = with_laughter[len(hello) - 40000 :], 40000 / 16000 + 0.2
    source, similarities = spectra(swapper, given, first), []
    for converter in (swapper, without):
        made = spectra(swapper, convert(converter, given), first)
        norms = np.sqrt((made**2).sum() * (source**2).sum())
        similarities.append(float((made * source).sum() / norms))
    assert similarities[0] > 0.7 > 0.55 > similarities[1], similarities


def test_what_is_sung_has_the_pitch_that_was_asked_for(swapper):
    """An octave below the source's, whose harmonics would be all that sounds."""
    f0 = np.repeat([220, 247, 262, 294, 330, 349, 392, 440], 6400)
    phase, harmonics = np.cumsum(f0) / 16000, np.arange(1, 18)[:, None]
    resonances = ((700, 80), (1200, 90), (2600, 120))
    gains = sum(1 / (1 + ((f0 * harmonics - at) / width) ** 2) for at, width in resonances)
    song = (0.2 * (gains * np.sin(2 * np.pi * harmonics * phase)).sum(0)).astype(np.float32)
    made = resample(swapper.convert((song, 16000), HELLO, exact_pitch=True), RATE, 16000)
    contours = (extract_f0(samples, swapper.engine.audio) for samples in (made, song))
    octaves = np.log2(np.divide(*(x[x > 0][:300] for x in contours)))
    assert np.mean(np.abs(octaves + 1) < 0.2) > 0.95


def test_an_envelope_has_no_harmonics(swapper):
    times, harmonics = np.arange(16000) / 16000, np.arange(1, 20)[:, None]
    wave = torch.from_numpy(0.01 * np.sin(2 * np.pi * 400 * harmonics * times).sum(0)).float()
    mel, envelope = swapper.engine.log_mel(wave[None]), swapper.engine.envelope
    smooth = envelope(mel, torch.full((1, mel.shape[-1]), 400.0))
    middle = slice(12, 40), slice(20, -20)  # 350 to 1900 Hz
    assert mel[0][middle].std(0).mean() > 2 > 0.4 > smooth[0][middle].std(0).mean()
    torch.testing.assert_close(envelope(mel, torch.zeros(1, mel.shape[-1])), mel)


def shares(swapper, *recordings: np.ndarray) -> torch.Tensor:
    """How unsure the content of recordings is, (recordings, frames), of all in one batch."""
    engine = swapper.engine
    encoded = engine.encoder.encode(
        [Recording(iter([wave]), engine.audio, "speech") for wave in recordings]
    )
    waves, _ = stack([torch.from_numpy(e.recording.samples()) for e in encoded])
    posterior, _ = engine.encoder.content([(e, 0, e.recording.frames) for e in encoded])
    mel, usual = engine.log_mel(waves), load_checkpoint().content_log_variance
    frames = torch.tensor([e.recording.frames for e in encoded])
    mask = None if len(encoded) == 1 else length_mask(frames, mel.shape[-1])
    return unsure(posterior.log_variance, usual, mel, mask)[:, 0]


def test_speech_is_sure_and_laughter_is_not(swapper, hello, goodbye, with_laughter):
    for speech in (hello, goodbye):
        loud = speech_frames(swapper.engine.log_mel(torch.from_numpy(speech)[None]))
        assert shares(swapper, speech)[loud].mean() < 0.02
    start = len(hello) // 160 + 20
    assert shares(swapper, with_laughter)[0, start : start + 110].mean() > 0.8


def test_a_batch_is_as_unsure_as_each_alone(swapper, hello, with_laughter):
    together = shares(swapper, hello, with_laughter)
    alone = shares(swapper, hello)[0]
    torch.testing.assert_close(together[0, : len(alone)], alone, atol=1e-3, rtol=0)
    assert (together[0, len(alone) :] == 0).all()


def test_what_is_usual_is_saved(tmp_path):
    checkpoint = copy.copy(load_checkpoint())
    checkpoint.content_log_variance = -3.25
    kept = load_checkpoint(save_checkpoint(tmp_path / "model.safetensors", checkpoint))
    assert kept.content_log_variance == -3.25
