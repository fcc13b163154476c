"""Removes steady noise, which would become part of a voice, or cost words and fill pauses."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from voiceswap.audio import active_level_db
from voiceswap.spectra import power

WINDOW, HOP = 0.032, 0.008  # seconds of the Fourier transform
# Frames over which power is averaged before its lowest parts are taken for noise, 0.2 s, and from
# one such mean to the next.
VALLEY, EVERY = 25, 5
LOWEST, SHORTFALL = (
    0.05,
    1.2,
)  # the share of time that is noise alone at least, and what such low parts lack of the mean
SURELY = (5, 3)  # frames and bins over which power is averaged to tell speech from noise
EXCESS = 1.5  # times the noise that such an average has to surpass
ENOUGH = 2.0  # seconds in which there may be pauses
PAUSE_DB = 3.5  # what the quietest frames have more than the quietest parts of each frequency
INAUDIBLE_DB = (
    -33.0
)  # noise this far below the speech is left, and louder noise is brought down to there
NOISY_DB, DEEPER = -27.0, 0.7  # noise above the first is brought down that much further per dB
LOUDEST_DB = -6.0  # relative to the speech; removing louder noise costs words
LOUDEST_OF_REFERENCES_DB = -2.0  # whose words don't count; above is a voice that never changes
FIRST_BIN = 2  # of what counts: below 60 Hz are an offset and rumble
RIPPLE_DB, SMOOTH = 2.5, 13  # deviation of noise from its running mean over so many bins, at most
RIPPLE_BAND = (200.0, 3000.0)  # Hz; where harmonics show
PIECE, FADE = 60.0, 1.0  # seconds of a long recording at once, and from one piece to the next


@dataclass(frozen=True)
class SteadyNoise:
    """Power (bins, 1) of a noise that never ends, and the least gain that it is to have."""

    power: torch.Tensor
    least: float

    def removed(self, spectrum: torch.Tensor) -> torch.Tensor:
        """A spectrum (bins, frames) by `transform`, without the noise.

        By a Wiener filter with over-subtraction (Berouti et al., 1979).
        """
        speech = (averaged(power(spectrum), *SURELY) - EXCESS * self.power).clamp(min=0.0)
        gain = speech / (speech + self.power).clamp(min=1e-20)
        return spectrum * gain.clamp(min=self.least)


def denoise(samples: np.ndarray, sample_rate: int, loudest_db: float = LOUDEST_DB) -> np.ndarray:
    """`samples` (samples,) with steady noise brought down to 33 dB below the speech, or lower.

    See `find_noise`. What is too short or has no such noise comes back as it was.
    """
    if len(samples) < ENOUGH * sample_rate:
        return samples
    spectrum = transform(samples, sample_rate)
    level_db = active_level_db(samples - samples.mean(), sample_rate)
    # In memory a frame's bins are neighbours: summed as such, they take a tenth of the time of
    # `averaged`.
    valleys = power(spectrum).mT.unfold(0, VALLEY, EVERY).mean(-1).mT
    noise = find_noise(valleys, level_db, sample_rate, loudest_db)
    if noise is None:
        return samples
    return inverse(noise.removed(spectrum), sample_rate, len(samples))


def find_noise(
    valleys: torch.Tensor, speech_db: float, sample_rate: int, loudest_db: float = LOUDEST_DB
) -> SteadyNoise | None:
    """The steady noise of a recording, known from the quietest twentieth of every frequency.

    That is minimum statistics (Martin, 2001). There is none to remove in what has little, in what
    has noise above `loudest_db` relative to the speech, in what has no pause, where the quietest
    parts are speech, and in what is steady but has harmonics, as a held note has. A pause is quiet
    at all frequencies at once; speech is at one frequency now and at another then.

    Args:
        valleys: power by `transform`, averaged over VALLEY frames, (bins, frames).
        speech_db: active level.
        sample_rate: Hz.
        loudest_db: relative to the speech.
    """
    noise = SHORTFALL * valleys.quantile(LOWEST, dim=1, keepdim=True)
    audible = noise[FIRST_BIN:].sum()
    quietest = SHORTFALL * valleys[FIRST_BIN:].sum(0).quantile(LOWEST)
    if quietest > 10 ** (PAUSE_DB / 10) * audible:
        return None
    window = _window(sample_rate)
    level_db = 10 * float((2 * audible / (len(window) * window.square().sum()) + 1e-12).log10())
    above_speech = level_db - speech_db
    if not INAUDIBLE_DB < above_speech < loudest_db or _has_harmonics(noise[:, 0], sample_rate):
        return None
    left_db = INAUDIBLE_DB - DEEPER * max(0.0, above_speech - NOISY_DB)
    return SteadyNoise(noise, 10 ** ((left_db - above_speech) / 20))


def transform(samples: np.ndarray, sample_rate: int) -> torch.Tensor:
    """Spectrum (bins, frames) of samples (samples,), HOP seconds from frame to frame."""
    window, hop = _window(sample_rate), round(HOP * sample_rate)
    wave = torch.from_numpy(samples)
    return torch.stft(
        wave, len(window), hop, window=window, return_complex=True, pad_mode="constant"
    )


def inverse(spectrum: torch.Tensor, sample_rate: int, length: int) -> np.ndarray:
    """Samples (length,) of a spectrum by `transform`."""
    window, hop = _window(sample_rate), round(HOP * sample_rate)
    return torch.istft(spectrum, len(window), hop, window=window, length=length).numpy()


def _window(sample_rate: int) -> torch.Tensor:
    return torch.hann_window(round(WINDOW * sample_rate / 2) * 2)


def denoise_blocks(blocks: Iterator[np.ndarray], sample_rate: int) -> Iterator[np.ndarray]:
    """`denoise` of a recording in blocks (samples,), piece by piece, with fades between pieces.

    Gives as many samples in all. The result does not depend on how the recording is cut.
    """
    longest, fade = round(PIECE * sample_rate), round(FADE * sample_rate)
    rising = np.linspace(0, 1, fade, dtype=np.float32)
    held, before = np.zeros(0, np.float32), np.zeros(0, np.float32)

    def joined(piece: np.ndarray) -> np.ndarray:
        clean = denoise(piece, sample_rate)
        if len(before):
            clean = np.concatenate([before + rising * (clean[:fade] - before), clean[fade:]])
        return clean

    for block in blocks:
        held = np.concatenate([held, block])
        while len(held) > longest + round(ENOUGH * sample_rate):
            piece = joined(held[:longest])
            held, before = held[longest - fade :], piece[-fade:]
            yield piece[:-fade]
    if len(held):
        yield joined(held)


def _has_harmonics(noise: torch.Tensor, sample_rate: int) -> bool:
    """Whether powers (bins,) rise and fall from bin to bin, as those of a voice do."""
    level_db = 10 * (noise + 1e-14).log10()
    smooth = F.avg_pool1d(level_db[None], SMOOTH, 1, SMOOTH // 2, count_include_pad=False)[0]
    first, last = (round(edge / (sample_rate / 2) * (len(noise) - 1)) for edge in RIPPLE_BAND)
    return float((level_db - smooth)[first:last].std()) > RIPPLE_DB


def averaged(powers: torch.Tensor, frames: int, bins: int = 1) -> torch.Tensor:
    """Running means of powers (bins, frames) over an odd number of frames and of bins."""
    return F.avg_pool2d(
        powers[None], (bins, frames), 1, (bins // 2, frames // 2), count_include_pad=False
    )[0]
