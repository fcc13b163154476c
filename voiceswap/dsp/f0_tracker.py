"""SwiftF0, a pretrained F0 tracker, on any device and in batches.

The network and weights of Nieradzik, "SwiftF0: fast and accurate monophonic pitch detection" (2025;
MIT licence), release 0.3.0, which is published for another runtime.
"""

import math
from functools import cache

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from voiceswap import weights
from voiceswap.dsp.spectra import power
from voiceswap.errors import CheckpointError

SAMPLE_RATE = 16000
HOP = 256  # samples of a frame
SIZES = (1024, 2048, 512)  # of the Fourier transforms
BANDS = 128  # of each spectrogram, log-spaced
SCORED = 96  # bands that are scored, lowest first; one less comes out
WIDTH = 12  # channels of the blocks
UNVOICED_PEAK = 1e-3  # a frame below this peak is unvoiced: the network never had digital silence
WEIGHTS = weights.FOLDER / "swift-f0.safetensors"

# Kernels over bands and frames, and dilations over bands.
BLOCKS = (((7, 3), 1), ((7, 1), 17), ((5, 1), 27), ((3, 1), 40), ((3, 1), 48), ((7, 3), 2))


class F0Tracker(nn.Module):
    """16 kHz waveforms to F0 and voicing, one value every 256 samples.

    Three log-spectrograms go through residual blocks of convolutions whose dilations are distances
    of harmonics; pitch is a local mean over 95 log-spaced candidates, voicing a smaller head.
    """

    def __init__(self) -> None:
        super().__init__()
        self.input = nn.Conv2d(len(SIZES), WIDTH, 3, padding=1)
        self.body = nn.ModuleList(_HarmonicBlock(*shape) for shape in BLOCKS)
        self.narrow = nn.Conv2d(WIDTH, 4, 3)
        self.pitch = nn.Conv2d(4, 1, 1)
        self.peak = nn.Conv2d(4, 4, (5, 1), padding=(2, 0))
        self.hidden = nn.Conv1d(5, 16, 3, padding=1)
        self.voicing = nn.Conv1d(16, 1, 1)
        for size in SIZES:
            self.register_buffer(f"window_{size}", torch.hann_window(size), persistent=False)
            self.register_buffer(f"bank_{size}", torch.zeros(size // 2 + 1, BANDS))
        self.register_buffer("candidates", torch.zeros(SCORED - 1))  # Hz
        self.candidates: Tensor

    def spectra(self, samples: Tensor) -> Tensor:
        """Log-spectrograms (batch, 3, 128, frames) of waveforms (batch, samples)."""
        frames = max(1, samples.shape[-1] // HOP)
        padded = F.pad(samples, (0, max(0, HOP - samples.shape[-1])))
        spectra = []
        for size in SIZES:
            inside = F.pad(padded, (size // 2, size // 2 + HOP))
            window = getattr(self, f"window_{size}")
            spectrum = torch.stft(
                inside, size, HOP, window=window, center=False, return_complex=True
            )
            bands = getattr(self, f"bank_{size}").T @ power(spectrum[..., :frames]).sqrt()
            spectra.append((bands + 1e-8).log())
        return torch.stack(spectra, 1)

    def forward(
        self, samples: Tensor, f0_min: float, f0_max: float, lengths: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """F0 in Hz between the bounds, and voicing from 0 to 1 (voiced from 0.5 on).

        Args:
            samples: waveforms (batch, samples) at 16 kHz.
            f0_min, f0_max: Hz; the candidates to choose from.
            lengths: (batch,), samples of each, where some are padded with zeros: what comes out
                for them is then as alone, and means nothing beyond.

        Returns:
            (batch, frames) each, a frame for every 256 whole samples and at least one. Frame t is
            centred on sample 256 * t.
        """
        spectra = self.spectra(samples)
        mask = None if lengths is None else _mask(lengths, spectra.shape[-1])
        h = _masked(F.relu(self.input(_masked(spectra, mask))), mask)
        for block in self.body:
            h = block(h, mask)
        h = F.relu(self.narrow(F.pad(h[:, :, :SCORED], (1, 1, 1, 0))))
        scores = self.pitch(h)[:, 0].transpose(1, 2)  # (batch, frames, candidates)
        summary = torch.cat([self.peak(h).amax(2), spectra.mean((1, 2))[:, None]], 1)
        voicing = self.voicing(F.relu(self.hidden(_masked(summary, mask))))[:, 0].sigmoid()
        inside = (self.candidates >= f0_min) & (self.candidates <= f0_max)
        f0 = self._local_mean(scores.masked_fill(~inside, -math.inf))
        voicing = voicing * inside[scores.argmax(-1)]
        return f0, voicing * (self._peaks(samples, f0.shape[-1]) >= UNVOICED_PEAK)

    def _local_mean(self, scores: Tensor) -> Tensor:
        """F0: the mean of ln F0 over the best candidate and its neighbours."""
        exact = torch.float32 if scores.device.type == "mps" else torch.float64
        near = scores.argmax(-1, keepdim=True) + torch.arange(-1, 2, device=scores.device)
        padded = F.pad(scores, (1, 1), value=-math.inf)
        shares = padded.gather(-1, near + 1).to(exact).softmax(-1)
        log_f0 = self.candidates.to(exact).log()[near.clamp(0, SCORED - 2)]
        return (shares * log_f0).sum(-1).exp()

    @staticmethod
    def _peaks(samples: Tensor, frames: int) -> Tensor:
        """The greatest magnitude in each frame's own samples, (batch, frames)."""
        own = F.pad(samples, (0, max(0, HOP - samples.shape[-1])))[:, : frames * HOP]
        return own.unflatten(-1, (frames, HOP)).abs().amax(-1)


class _HarmonicBlock(nn.Module):
    def __init__(self, kernel: tuple[int, int], dilation: int):
        super().__init__()
        padding, dilations = (kernel[0] // 2 * dilation, kernel[1] // 2), (dilation, 1)
        self.first = nn.Conv2d(WIDTH, WIDTH, kernel, padding=padding, dilation=dilations)
        self.second = nn.Conv2d(WIDTH, WIDTH, kernel, padding=padding, dilation=dilations)

    def forward(self, h: Tensor, mask: Tensor | None) -> Tensor:
        inner = _masked(F.relu(self.first(h)), mask)
        return _masked(F.relu(h + self.second(inner)), mask)


def _mask(lengths: Tensor, frames: int) -> Tensor:
    """Which frames are of items of so many samples and not of padding: (batch, frames), float."""
    own = (lengths // HOP).clamp(min=1)
    return (torch.arange(frames, device=lengths.device) < own[:, None]).float()


def _masked(x: Tensor, mask: Tensor | None) -> Tensor:
    """`x` (batch, ..., frames) with its padding set to zero."""
    if mask is None:
        return x
    return x * mask.view(len(mask), *[1] * (x.ndim - 2), -1)


@cache
def f0_tracker(device: str = "cpu") -> F0Tracker:
    """The tracker with its weights, in evaluation mode. Raises CheckpointError without its file."""
    network = F0Tracker()
    try:
        state = load_file(WEIGHTS)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{WEIGHTS.name} is missing from the package or damaged; install voiceswap again."
        ) from error
    for size in SIZES:  # filters overlap little, so their files hold what is not zero
        rows, columns = state.pop(f"bank_{size}.index").long()
        bank = torch.zeros(size // 2 + 1, BANDS)
        bank[rows, columns] = state.pop(f"bank_{size}.value")
        state[f"bank_{size}"] = bank
    network.load_state_dict(state)
    return network.to(device).eval().requires_grad_(False)
