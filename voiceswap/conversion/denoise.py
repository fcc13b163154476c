"""Removes steady noise, which would become part of a voice, or cost words and fill pauses."""

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F

from voiceswap.audio import active_level_db
from voiceswap.spectra import power

WINDOW, HOP = 0.032, 0.008  # seconds of the Fourier transform
VALLEY = (
    25  # frames over which power is averaged before its lowest parts are taken for noise: 0.2 s
)
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


def denoise(samples: np.ndarray, sample_rate: int, loudest_db: float = LOUDEST_DB) -> np.ndarray:
    """`samples` (samples,) with steady noise brought down to 33 dB below the speech, or lower.

    A Wiener filter whose noise is known from the quietest twentieth of every frequency (minimum
    statistics: Martin, 2001), with over-subtraction (Berouti et al., 1979). What has no more noise
    than that comes back as it was, and what has noise above `loudest_db` relative to the speech. So
    does what has no pause, where the quietest parts are speech, and what is steady but has
    harmonics, as a held note has. A pause is quiet at all frequencies at once; speech is at one
    frequency now and at another then.
    """
    if len(samples) < ENOUGH * sample_rate:
        return samples
    n_fft = round(WINDOW * sample_rate / 2) * 2
    window = torch.hann_window(n_fft)
    hop = round(HOP * sample_rate)
    spectrum = torch.stft(
        torch.from_numpy(samples),
        n_fft,
        hop,
        window=window,
        return_complex=True,
        pad_mode="constant",
    )
    powers = power(spectrum)  # (bins, frames)
    valleys = _averaged(powers, VALLEY)
    noise = SHORTFALL * valleys.quantile(LOWEST, dim=1, keepdim=True)
    audible = noise[FIRST_BIN:].sum()
    quietest = SHORTFALL * valleys[FIRST_BIN:].sum(0).quantile(LOWEST)
    if quietest > 10 ** (PAUSE_DB / 10) * audible:
        return samples
    level_db = 10 * float((2 * audible / (n_fft * window.square().sum()) + 1e-12).log10())
    above_speech = level_db - active_level_db(samples - samples.mean(), sample_rate)
    if not INAUDIBLE_DB < above_speech < loudest_db or _has_harmonics(noise[:, 0], sample_rate):
        return samples
    left_db = INAUDIBLE_DB - DEEPER * max(0.0, above_speech - NOISY_DB)
    least = 10 ** ((left_db - above_speech) / 20)
    speech = (_averaged(powers, *SURELY) - EXCESS * noise).clamp(min=0.0)
    gain = (speech / (speech + noise).clamp(min=1e-20)).clamp(min=least)
    return torch.istft(spectrum * gain, n_fft, hop, window=window, length=len(samples)).numpy()


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


def _averaged(power: torch.Tensor, frames: int, bins: int = 1) -> torch.Tensor:
    """Running means of power (bins, frames) over an odd number of frames and of bins."""
    return F.avg_pool2d(
        power[None], (bins, frames), 1, (bins // 2, frames // 2), count_include_pad=False
    )[0]
