"""Bands that a reference lacks: telephones, voice messages and low bit rates leave them out."""

import torch
from torch import Tensor

from voiceswap.conversion.core import Utterance
from voiceswap.conversion.mel_statistics import mean_of_speech
from voiceswap.models.autoencoder import Autoencoder

LOWS, MIDDLE = 8, slice(8, 50)  # mel bins up to 0.2 kHz, and of 0.2 to 3 kHz
# Nats of log-mel (39 dB) that a bin above the lows is below the middle where its band was not
# recorded. Of 350 recordings of 16 kHz none has such a bin; telephones have bins 5.5 below.
MISSING = 4.5
# Nats by which a bin's mean, and a single frame of it, are below what a voice usually has there:
# from the second on all of it was recorded, up to the first nothing.
BIN, FRAME = (-1.6, -1.0), (-3.0, -2.0)


def with_all_bands(
    autoencoder: Autoencoder, utterance: Utterance, natural: Tensor, mask: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Log-mels of recordings with what was not recorded as it usually is.

    A band ends gradually, and coders leave out single frames of it, so a recording is compared with
    the same words in the average voice.

    Args:
        autoencoder: whose decoder knows the average voice.
        utterance: of the recordings.
        natural: log-mels (batch, mels, frames) of the recordings.
        mask: (batch, 1, frames), or None where nothing is padded.

    Returns:
        Two tensors (batch, mels, frames): the log-mels, and how much of them was recorded, from 0
        to 1. Recordings that lack no band stay as they are.
    """
    lacking = _lacks_bands(natural, mask)[:, None, None]
    if not lacking.any():
        return natural, torch.ones_like(natural)
    average = natural.new_zeros(len(natural), autoencoder.speaker_encoder.mean.out_features)
    usual = autoencoder.decode(*utterance, average, mask).float()
    of_bins = mean_of_speech(natural, mask, natural - usual)[..., None]
    middle = of_bins.median(1, keepdim=True).values  # what is missing makes the rest louder
    usual = usual + middle
    recorded = _ramp(of_bins - middle, BIN) * _ramp(natural - usual, FRAME)
    recorded = torch.where(lacking, recorded, 1.0)
    return torch.lerp(usual, natural, recorded), recorded


def _lacks_bands(natural: Tensor, mask: Tensor | None) -> Tensor:
    """Which of the log-mels (batch, mels, frames) of recordings lack a band: (batch,), bool."""
    mean = mean_of_speech(natural, mask)
    middle = mean[:, MIDDLE].mean(1, keepdim=True)
    return (mean[:, LOWS:] < middle - MISSING).any(1)


def _ramp(difference: Tensor, ends: tuple[float, float]) -> Tensor:
    """0 up to the first end, 1 from the second on."""
    return ((difference - ends[0]) / (ends[1] - ends[0])).clamp(0, 1)
