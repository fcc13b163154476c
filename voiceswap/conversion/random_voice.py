"""Voices that nobody has, drawn as the speaker codes of people are distributed."""

import math
import secrets
from typing import Any

import numpy as np
import torch

from voiceswap.conversion.options import number
from voiceswap.conversion.voice import Voice
from voiceswap.errors import VoiceswapError
from voiceswap.features import F0_MIN
from voiceswap.models.autoencoder import Autoencoder
from voiceswap.models.speaker_distribution import SpeakerDistribution
from voiceswap.precision import exact_arithmetic, torch_defaults

TRIES = 1000  # draws until one has the pitch
DEVIATIONS = 2  # below the mean, where a melody's low notes are
ANY_PITCH = (0.0, math.inf)
SEEDS = 2**32  # that `any_seed` gives; short enough to note down


def any_seed() -> int:
    """A seed, another one each time: with a fixed one, two people would get one voice."""
    return secrets.randbelow(SEEDS)


@torch_defaults()
def draw_voice(
    autoencoder: Autoencoder,
    distribution: SpeakerDistribution | None,
    seed: int,
    hertz: tuple[float, float] = ANY_PITCH,
) -> Voice:
    """The first voice of the draws by `seed` whose mean pitch is from `hertz[0]` to `hertz[1]` Hz.

    Draws whose low notes would be below F0_MIN, where melodies are cut off, are left out. Where
    `distribution` is None, it is the prior N(0, I). The notes have the seed, as "drawn".

    Raises:
        VoiceswapError: the seed or the range of pitch is none, or no draw has such a pitch.
    """
    encoder, n_mels = autoencoder.speaker_encoder, autoencoder.audio.n_mels
    seed, (low, high) = number("seed", seed), _range(hertz)
    device, size = encoder.mean.weight.device, encoder.mean.out_features
    distribution = distribution or SpeakerDistribution(autoencoder.audio, size)
    generator = torch.Generator().manual_seed(seed)
    identity = torch.stack([torch.ones(n_mels), torch.zeros(n_mels)]).to(device)
    with torch.inference_mode(), exact_arithmetic(device):
        pitches = []
        for _ in range(TRIES):
            code = distribution.sample(generator).to(device)
            log_f0 = encoder.predict_f0_statistics(code[None])[0]
            mean, deviation = log_f0.tolist()
            pitches.append(math.exp(mean))
            lowest = math.exp(mean - DEVIATIONS * deviation)
            if low <= math.exp(mean) <= high and lowest >= F0_MIN:
                return Voice(code, log_f0, identity, notes={"drawn": seed})
    usual = np.quantile(pitches, (0.05, 0.95))
    raise VoiceswapError(
        f"Of {TRIES} random voices none has a mean pitch from {low:g} to {high:g} Hz and low notes "
        f"from {F0_MIN:g} Hz on; most means lie between {usual[0]:.0f} and {usual[1]:.0f} Hz."
    )


def _range(hertz: Any) -> tuple[float, float]:
    """Two numbers, the lower one first. Raises VoiceswapError for anything else."""
    try:
        low, high = map(float, hertz)
        if 0 <= low <= high:
            return low, high
    except (TypeError, ValueError):
        pass
    raise VoiceswapError(
        f"hertz is {hertz!r}, but must be two numbers from 0 on, the lower one first."
    )
