"""The vocoder: log-mel spectrogram and F0 to waveform."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
import torchaudio.functional
from torch import Tensor, nn

from voiceswap.errors import CheckpointError
from voiceswap.features import DEFAULT_F0, F0_MIN, MEL_MEAN, MEL_STD, AudioConfig, mel_filters
from voiceswap.models.layers import ConvNeXtBlock, masked

NOISE_SAMPLES = 1 << 18
LOG_F0_CENTRE = 5.0  # subtracted from ln F0, so that the input is near zero


class ExcitationState(NamedTuple):
    """The excitation at the first frame of a window of a longer recording; tensors (batch,).

    phase: share of a period gone by. f0: Hz, held from the last voiced frame. frame: its number.
    """

    phase: Tensor
    f0: Tensor
    frame: Tensor


class SourceFilterVocoder(nn.Module):
    """A pulse train at F0 and white noise through time-varying filters.

    A network reads the filters from mel and F0. They are complex gains on the sources' short-time
    spectra, which an inverse STFT turns into a waveform: the source-filter model of speech, as in
    neural source-filter (Wang et al., 2019) and harmonic-plus-noise (Engel et al., "DDSP", 2020)
    synthesis, with the ConvNeXt body and inverse-STFT head of Vocos (Siuzdak, 2023). Pitch needs no
    learning, so it is right for new voices too.

    There are `steps` filters a mel frame, on windows `steps` times shorter than the mel's, so that
    bursts stay short. Pulses go on at the last F0 where F0 is unvoiced; the network closes their
    filter there, and can correct a wrong decision on voicing.

    Args:
        config: the audio settings.
        width, blocks: channels and number of the body's ConvNeXt blocks.
        steps: filters a mel frame; files that name none have two.

    Raises:
        CheckpointError: `steps` does not divide the hop.
    """

    def __init__(self, config: AudioConfig, width: int = 256, blocks: int = 6, steps: int = 2):
        super().__init__()
        if config.hop_length % steps or config.n_fft % (2 * steps):
            raise CheckpointError(
                f"A vocoder of {steps} filters a frame needs hop_length to be a multiple of "
                f"{steps}, and n_fft of {2 * steps}."
            )
        self.config = config
        self.architecture = {"width": width, "blocks": blocks, "steps": steps}
        self.steps, self.n_fft, self.hop = steps, config.n_fft // steps, config.hop_length // steps
        self.input = nn.Conv1d(config.n_mels + 2, width, 7, padding=3)
        self.blocks = nn.ModuleList(ConvNeXtBlock(width) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.output = nn.Linear(width, steps * 3 * (self.n_fft // 2 + 1))
        nn.init.normal_(self.output.weight, std=1e-2)
        nn.init.zeros_(self.output.bias)
        self.register_buffer("window", torch.hann_window(self.n_fft), persistent=False)
        noise = torch.randn(NOISE_SAMPLES, generator=torch.Generator().manual_seed(0))
        self.register_buffer("noise", noise, persistent=False)
        self.window: Tensor
        self.noise: Tensor

    def forward(
        self,
        mel: Tensor,
        f0: Tensor,
        mask: Tensor | None = None,
        state: ExcitationState | None = None,
    ) -> Tensor:
        """Synthesize waveforms.

        In evaluation the noise is always the same, so the output is; in training it is drawn anew.

        Args:
            mel: log-mel (batch, mels, frames).
            f0: (batch, frames), Hz, 0 where unvoiced.
            mask: (batch, 1, frames), or None where nothing is padded.
            state: the excitation at the first frame, for a window of a longer recording.

        Returns:
            (batch, frames * hop) samples.
        """
        voiced = (f0 > 0).float()
        log_f0 = (f0.clamp(min=F0_MIN).log() - LOG_F0_CENTRE) * voiced
        h = self.input(
            masked(
                torch.cat([(mel - MEL_MEAN) / MEL_STD, log_f0[:, None], voiced[:, None]], 1), mask
            )
        )
        for block in self.blocks:
            h = block(h, mask)
        filters = self.output(
            self.norm(h.transpose(1, 2))
        ).float()  # (batch, frames, steps * 3 * bins)
        log_gain, phase, log_noise_gain = (
            filters.unflatten(-1, (self.steps, -1)).flatten(1, 2).transpose(1, 2).chunk(3, 1)
        )
        pulses, noise = self.pulses(f0, state), self._noise(f0, state)
        if mask is not None:
            inside = mask[:, 0].repeat_interleave(self.config.hop_length, -1)
            pulses, noise, mask = (
                pulses * inside,
                noise * inside,
                mask.repeat_interleave(self.steps, -1),
            )
        spectrum = self._spectrum(pulses) * torch.polar(log_gain.clamp(-12, 5).exp(), phase)
        spectrum = spectrum + self._spectrum(noise) * log_noise_gain.clamp(-12, 5).exp()
        return self._waveform(masked(spectrum, mask))

    def pulses(self, f0: Tensor, state: ExcitationState | None = None) -> Tensor:
        """One band-limited unit pulse a period: (batch, frames * hop) samples.

        Where F0 (batch, frames) is unvoiced, the last one is held.
        """
        rate, hop = self.config.sample_rate, self.config.hop_length
        held = _hold_f0(f0, state)
        ahead = torch.cat([held[:, 1:], held[:, -1:]], 1)
        part = torch.arange(hop, device=f0.device) / hop
        fine = (held[..., None] * (1 - part) + ahead[..., None] * part).flatten(1)
        exact = torch.float32 if f0.device.type == "mps" else torch.float64
        phase = torch.cumsum(fine.to(exact) / rate, -1)
        if state is not None:
            phase = phase + state.phase.to(exact)[:, None]
        distance = (phase - phase.round()).float()  # to the nearest pulse, in periods
        return torch.sinc(distance * rate / fine) * (rate / fine).sqrt()  # equal power at any pitch

    def _noise(self, f0: Tensor, state: ExcitationState | None) -> Tensor:
        batch, frames = f0.shape
        samples = frames * self.config.hop_length
        if self.training:
            return torch.randn(batch, samples, device=f0.device)
        first = (
            torch.zeros(batch, dtype=torch.long, device=f0.device)
            if state is None
            else state.frame * self.config.hop_length
        )
        return self.noise[
            (first[:, None] + torch.arange(samples, device=f0.device)) % NOISE_SAMPLES
        ]

    def _spectrum(self, x: Tensor) -> Tensor:
        padded = F.pad(x, (self.n_fft // 2, self.n_fft // 2))
        frames = x.shape[-1] // self.hop
        spectrum = torch.stft(
            padded, self.n_fft, self.hop, window=self.window, center=False, return_complex=True
        )
        return spectrum[..., :frames] / math.sqrt(self.n_fft)

    def _waveform(self, spectrum: Tensor) -> Tensor:
        length = spectrum.shape[-1] * self.hop
        silent = (
            self.n_fft // 2 // self.hop + 1
        )  # frames after the last that reach into the output, as in a padded batch
        spectrum = F.pad(spectrum, (0, silent)) * math.sqrt(self.n_fft)
        return torch.istft(spectrum, self.n_fft, self.hop, window=self.window, length=length)


def _hold_f0(f0: Tensor, state: ExcitationState | None = None) -> Tensor:
    """F0 (batch, frames) with the last voiced F0 in each unvoiced frame, at first DEFAULT_F0."""
    index = torch.arange(f0.shape[-1], device=f0.device).expand_as(f0)
    last = torch.where(f0 > 0, index, -1).cummax(-1).values
    before = (
        f0.new_full((len(f0), 1), DEFAULT_F0) if state is None else state.f0.to(f0.dtype)[:, None]
    )
    return torch.where(last >= 0, f0.gather(-1, last.clamp(min=0)), before)


def excitation_states(
    f0: Tensor, frames: Sequence[int], config: AudioConfig
) -> list[ExcitationState]:
    """The excitation of one long F0 contour (frames,) at each of `frames`, as batches of one."""
    hop = config.hop_length
    held = _hold_f0(f0[None])[0].double()
    ahead = torch.cat([held[1:], held[-1:]])
    phase = torch.cumsum((held * hop + (ahead - held) * (hop - 1) / 2) / config.sample_rate, 0)
    phase, held = (
        torch.cat([first, x]) for first, x in ((phase.new_zeros(1), phase), (held[:1], held))
    )
    return [
        ExcitationState(
            (phase[at : at + 1] % 1.0).float(), held[at : at + 1].float(), torch.tensor([at])
        )
        for at in frames
    ]


@torch.inference_mode()
def griffin_lim(log_mel: Tensor, config: AudioConfig, iterations: int = 60) -> Tensor:
    """Waveforms (batch, frames * hop) of log-mels without a vocoder: intelligible, not natural.

    Griffin and Lim (1984) with momentum (Perraudin et al., 2013), from phase zero, so that the
    result is always the same.
    """
    filters = mel_filters(config).to(log_mel.device)
    magnitude = (torch.linalg.pinv(filters) @ log_mel.exp()).clamp(min=0)
    return torchaudio.functional.griffinlim(
        F.pad(magnitude, (0, 1)),  # one frame more, so that the last hop is whole
        window=torch.hann_window(config.n_fft, device=log_mel.device),
        n_fft=config.n_fft,
        hop_length=config.hop_length,
        win_length=config.n_fft,
        power=1.0,
        n_iter=iterations,
        momentum=0.99,
        length=log_mel.shape[-1] * config.hop_length,
        rand_init=False,
    )
