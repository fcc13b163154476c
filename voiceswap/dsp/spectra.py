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


def istft(
    spectrum: Tensor, window: Tensor, hop: int, length: int, normalized: bool = False
) -> Tensor:
    """Waveform (length,) of a spectrum by `stft`, or of each of a batch.

    It is PyTorch's own, sample by sample, which also reads a number of the windows' sum on the host
    to check it, and so waits for all that a device was given. `normalized` is as there.
    """
    size, together = len(window), spectrum if spectrum.ndim == 3 else spectrum[None]
    frames = torch.fft.irfft(together.mT, size, norm="ortho" if normalized else "backward")
    count = frames.shape[1]

    def added(parts: Tensor) -> Tensor:
        whole = [len(parts), size + hop * (count - 1)]
        sums = torch.ops.aten.unfold_backward(parts, whole, 1, size, hop)
        return sums[:, size // 2 : size // 2 + length]

    wave = added(frames * window) / added(window.square().expand(1, count, size))
    return wave if spectrum.ndim == 3 else wave[0]
