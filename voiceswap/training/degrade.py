"""Speech in bad conditions: noise, other people, a room, a telephone."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

CLEAN, ROOM, NOISE, OTHERS, TELEPHONE = 0.25, 0.25, 0.85, 0.18, 0.1  # shares; OTHERS is of NOISE
REVERBERATION = 0.15, 0.6  # seconds in which a room's sound falls by 60 dB
DIRECT_DB = 0.0, 10.0  # the way from mouth to microphone, above the room
DELAY = 0.0025  # seconds until the first reflection
NEAR = 0.03  # seconds of a room's sound that are taken for the voice itself
NOISE_DB = 0.0, 25.0  # speech above the noise
TILT = 0.0, 0.8  # exponents of the noise's spectrum: white to pink and beyond
BUMPS, BUMPS_NEPERS = 9, 1.5  # of the noise's spectrum, up and down
TALKERS = 4  # whose sum is others talking
LOWEST, HIGHEST = (60.0, 300.0), (3300.0, 7000.0)  # edges of a telephone's band, Hz
# In pairs of speech and noisy speech: share in rooms, speech above the noise, share with none,
# share whose noise swells, by at most so many nepers, within so many seconds.
PAIR_ROOM, PAIR_NOISE_DB, QUIET = 0.4, (-3.0, 30.0), 0.25
SWELLING, SWELL_NEPERS, SWELL_SECONDS = 0.4, 2.0, 0.25


def degrade(samples: Tensor, sample_rate: int) -> Tensor:
    """Samples (batch, samples), each by chance as they are or in bad conditions; torch's draws.

    The speech keeps its level. Padding, where samples are zero to the end, gets noise too.
    """
    chance = torch.rand(5, len(samples), 1, device=samples.device)
    wave = torch.where(chance[0] < ROOM, in_a_room(samples, sample_rate)[1], samples)
    noise = torch.where(chance[1] < OTHERS, _others(samples), _noise(samples))
    ratio = (_power(samples) / _power(noise)).sqrt() * 10 ** (-_drawn(samples, *NOISE_DB) / 20)
    wave = wave + (chance[2] < NOISE) * ratio * noise
    wave = torch.where(chance[3] < TELEPHONE, by_telephone(wave, sample_rate), wave)
    return torch.where(chance[4] < CLEAN, samples, wave)


def noisy_pairs(samples: Tensor, sample_rate: int) -> tuple[Tensor, Tensor]:
    """Speech of samples (batch, samples), by chance by telephone, and it in rooms and noise."""
    chance = torch.rand(5, len(samples), 1, device=samples.device)
    voice = torch.where(chance[1] < TELEPHONE, by_telephone(samples, sample_rate), samples)
    near, far = in_a_room(voice, sample_rate)
    speech, recorded = (torch.where(chance[0] < PAIR_ROOM, x, voice) for x in (near, far))
    swelling = torch.where(chance[2] < SWELLING, _swell(samples, sample_rate), 1.0)
    noise = torch.where(chance[3] < OTHERS, _others(samples), swelling * _noise(samples))
    level = (_power(speech) / _power(noise)).sqrt()
    level = level * 10 ** (-_drawn(samples, *PAIR_NOISE_DB) / 20) * (chance[4] >= QUIET)
    return speech, recorded + level * noise


def _swell(samples: Tensor, sample_rate: int) -> Tensor:
    """Gains (batch, samples) that rise and fall."""
    knots = 2 + round(samples.shape[-1] / (SWELL_SECONDS * sample_rate))
    heights = torch.empty(len(samples), 1, knots, device=samples.device)
    heights.uniform_(-SWELL_NEPERS, SWELL_NEPERS)
    return F.interpolate(heights, samples.shape[-1], mode="linear")[:, 0].exp()


def _drawn(samples: Tensor, low: float, high: float) -> Tensor:
    """A number for each of the batch, (batch, 1)."""
    return torch.empty(len(samples), 1, device=samples.device).uniform_(low, high)


def _power(samples: Tensor) -> Tensor:
    """Mean power where there are samples, (batch, 1)."""
    return samples.square().sum(-1, True) / (samples != 0).sum(-1, True).clamp(min=1) + 1e-10


def in_a_room(samples: Tensor, sample_rate: int) -> tuple[Tensor, Tensor]:
    """With noise that decays as the room's impulse response (Polack, 1988): its start, and all."""
    size = round(REVERBERATION[1] * sample_rate)
    time = torch.arange(size, device=samples.device) / sample_rate
    decay = 10 ** (-3 * time / _drawn(samples, *REVERBERATION))
    room = torch.randn(len(samples), size, device=samples.device) * decay * (time >= DELAY)
    room = room / room.norm(dim=-1, keepdim=True) * 10 ** (-_drawn(samples, *DIRECT_DB) / 20)
    room[:, 0] = 1.0
    length = samples.shape[-1] + size
    spectrum = torch.fft.rfft(samples, length)
    near, far = (
        torch.fft.irfft(spectrum * torch.fft.rfft(part, length), length)[..., : samples.shape[-1]]
        for part in (room * (time < NEAR), room)
    )
    return near, far


def _noise(samples: Tensor) -> Tensor:
    """Noise with a random spectrum."""
    length = samples.shape[-1]
    spectrum = torch.fft.rfft(torch.randn_like(samples))
    bins = torch.arange(1, spectrum.shape[-1] + 1, device=samples.device)
    place = bins.log() / math.log(len(bins)) * (BUMPS - 1)
    left = place.long().clamp(max=BUMPS - 2)
    heights = torch.empty(len(samples), BUMPS, device=samples.device)
    heights.uniform_(-BUMPS_NEPERS, BUMPS_NEPERS).mul_(_drawn(samples, 0.0, 1.0))
    bumps = torch.lerp(heights[:, left], heights[:, left + 1], place - left)
    return torch.fft.irfft(spectrum * (bumps - _drawn(samples, *TILT) * bins.log()).exp(), length)


def _others(samples: Tensor) -> Tensor:
    """Others of the batch, who talk at the same time."""
    length = samples.shape[-1]
    moved = (samples.roll((1 + k, length * (k + 1) // 7), (0, 1)) for k in range(TALKERS))
    return torch.stack(list(moved)).sum(0)


def by_telephone(samples: Tensor, sample_rate: int) -> Tensor:
    """Without what is below and above a random band; edges of 12 dB an octave."""
    spectrum = torch.fft.rfft(samples)
    bins = torch.arange(spectrum.shape[-1], device=samples.device)
    hertz = bins * (sample_rate / samples.shape[-1]) + 1.0
    lowest, highest = _drawn(samples, *LOWEST), _drawn(samples, *HIGHEST)
    gain = 1 / ((1 + (lowest / hertz) ** 4) * (1 + (hertz / highest) ** 4)).sqrt()
    return torch.fft.irfft(spectrum * gain, samples.shape[-1])
