"""Short-time spectra of waveforms, their powers, and waveforms of spectra."""

import torch
from torch import Tensor


def power(spectrum: Tensor) -> Tensor:
    """Squared magnitudes. `abs` guards against overflow, which takes twice as long."""
    return spectrum.real.square().addcmul(spectrum.imag, spectrum.imag)


def stft(samples: Tensor, window: Tensor, hop: int) -> Tensor:
    """Complex spectrum (bins, frames) of a waveform (samples,), or of each of a batch.

    Frame t is centred on sample t * hop; beyond the ends is silence.
    """
    return torch.stft(
        samples, len(window), hop, window=window, pad_mode="constant", return_complex=True
    )


def mirrored_stft(samples: Tensor, n_fft: int) -> Tensor:
    """As `stft`, with Hann windows a quarter of their length apart, and mirrored ends."""
    window = torch.hann_window(n_fft, device=samples.device)
    return torch.stft(samples, n_fft, n_fft // 4, window=window, return_complex=True)


def istft(spectrum: Tensor, window: Tensor, hop: int, length: int) -> Tensor:
    """Waveform (length,) of a spectrum by `stft`, or of each of a batch."""
    return torch.istft(spectrum, len(window), hop, window=window, length=length)
