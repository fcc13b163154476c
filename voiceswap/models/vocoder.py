"""The vocoder: log-mel spectrogram and F0 to waveform."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from voiceswap.dsp.spectra import istft, power
from voiceswap.errors import CheckpointError
from voiceswap.features import F0_MIN, MEL_MEAN, MEL_STD, AudioConfig
from voiceswap.models.excitation import ExcitationState, frame_phases
from voiceswap.models.high_band import (
    CROSSOVER,
    GAIN_POINTS,
    HighBand,
    filter_head,
    interpolate_gains,
    match_high_band,
)
from voiceswap.models.layers import ConvNeXtBlock, masked

NOISE_SAMPLES = 1 << 18
LOG_F0_CENTRE = 5.0  # subtracted from ln F0, so that the input is near zero


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

    The waveform may have a higher rate than the mel's recordings. Filters from 7 kHz on are then
    those of the high band, blocks of their own, so that speech at the mel's rate can teach the
    rest.

    Args:
        config: the audio settings of the mel.
        width, blocks: channels and number of the body's ConvNeXt blocks.
        steps: filters a mel frame; files that name none have two.
        rate: Hz of the waveform; zero is the mel's.
        high_blocks: number of the high band's ConvNeXt blocks, where `rate` is above the mel's.

    Attributes:
        output_audio: the audio settings at the waveform's rate, with as many frames a second.

    Raises:
        CheckpointError: `steps` does not divide the hop, or `rate` does not suit it.
    """

    def __init__(
        self,
        config: AudioConfig,
        width: int = 256,
        blocks: int = 6,
        steps: int = 2,
        rate: int = 0,
        high_blocks: int = 2,
    ):
        super().__init__()
        audio = config.at_rate(rate) if rate else config
        if audio.hop_length % steps or audio.n_fft % (2 * steps):
            raise CheckpointError(
                f"A vocoder of {steps} filters a frame needs hop_length to be a multiple of "
                f"{steps}, and n_fft of {2 * steps}, at {audio.sample_rate} Hz."
            )
        self.config, self.output_audio = config, audio
        self.architecture = {"width": width, "blocks": blocks, "steps": steps}
        self.steps, self.n_fft, self.hop = steps, audio.n_fft // steps, audio.hop_length // steps
        self.input = nn.Conv1d(config.n_mels + 2, width, 7, padding=3)
        self.blocks = nn.ModuleList(ConvNeXtBlock(width) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.output = filter_head(width, steps * 3 * (config.n_fft // steps // 2 + 1))
        self.high_band = None
        if audio.sample_rate > config.sample_rate:
            self.architecture |= {"rate": rate, "high_blocks": high_blocks}
            self.crossover = round(CROSSOVER * self.n_fft / audio.sample_rate)
            bins = self.n_fft // 2 + 1 - self.crossover
            self.high_band = HighBand(width, high_blocks, steps, bins)
        with torch.device("cpu"):  # on the meta device PyTorch imports its compiler for these
            window = torch.hann_window(self.n_fft)
            noise = torch.randn(NOISE_SAMPLES, generator=torch.Generator().manual_seed(0))
            gain_points = torch.tensor(GAIN_POINTS)
        self.register_buffer("window", window, persistent=False)
        self.register_buffer("noise", noise, persistent=False)
        self.register_buffer("gain_points", gain_points, persistent=False)
        self.window: Tensor
        self.noise: Tensor
        self.gain_points: Tensor

    def forward(
        self,
        mel: Tensor,
        f0: Tensor,
        mask: Tensor | None = None,
        state: ExcitationState | None = None,
        high_gain: Tensor | None = None,
    ) -> Tensor:
        """Synthesize waveforms.

        In evaluation the noise is always the same, so the output is; in training it is drawn anew.

        Args:
            mel: log-mel (batch, mels, frames).
            f0: (batch, frames), Hz, 0 where unvoiced.
            mask: (batch, 1, frames), or None where nothing is padded.
            state: the excitation at the first frame, for a window of a longer recording.
            high_gain: log-gains of the high band (batch, HIGH_BANDS); see `high_band_gain`.

        Returns:
            (batch, frames * hop) samples at the rate of `output_audio`.
        """
        log_gain, phase, log_noise_gain = self._filters(mel, f0, mask).unbind(1)
        if high_gain is not None and self.high_band is not None:
            gains = interpolate_gains(high_gain, self.gain_points, self._frequencies())[..., None]
            log_gain, log_noise_gain = log_gain + gains, log_noise_gain + gains
        pulses, noise = self.pulses(f0, state), self._noise(f0, state)
        if mask is not None:
            inside = mask[:, 0].repeat_interleave(self.output_audio.hop_length, -1)
            pulses, noise, mask = (
                pulses * inside,
                noise * inside,
                mask.repeat_interleave(self.steps, -1),
            )
        gain = log_gain.clamp(-12, 5).exp()
        # Three times as quick as torch.polar, and the same.
        spectrum = self._spectrum(pulses) * torch.complex(gain * phase.cos(), gain * phase.sin())
        spectrum = spectrum + self._spectrum(noise) * log_noise_gain.clamp(-12, 5).exp()
        return self._waveform(masked(spectrum, mask))

    def with_high_band(self, rate: int) -> "SourceFilterVocoder":
        """A vocoder of the same weights that synthesizes at `rate` Hz, with a high band to train.

        One that has a high band for this rate is returned as it is.
        """
        if rate == self.output_audio.sample_rate:
            return self
        low = self.without_high_band()
        high = SourceFilterVocoder(self.config, **low.architecture, rate=rate)
        high.load_state_dict(high.state_dict() | low.state_dict())
        return high.to(self.output.weight.device).train(self.training)

    def without_high_band(self) -> "SourceFilterVocoder":
        """A vocoder of the same weights that synthesizes at the mel's rate."""
        names = ("width", "blocks", "steps")
        low = SourceFilterVocoder(self.config, **{name: self.architecture[name] for name in names})
        state = self.state_dict()
        low.load_state_dict({name: state[name] for name in low.state_dict()})
        return low.to(self.output.weight.device).train(self.training)

    def high_band_gain(self, wave: Tensor, mel: Tensor, f0: Tensor, speech: Tensor) -> Tensor:
        """Log-gains by which a recording's high band exceeds the vocoder's prediction.

        Long-term powers of frames with speech are compared, less that of the noise between them.

        Args:
            wave: recordings (batch, frames * hop) at the rate of `output_audio`.
            mel: their log-mel (batch, mels, frames).
            f0: (batch, frames), Hz.
            speech: which frames are speech, (batch, frames), bool.

        Returns:
            Natural logarithms of amplitudes in HIGH_BANDS, (batch, HIGH_BANDS).
        """
        made, natural = (power(self._spectrum(x)) for x in (self(mel, f0), wave))
        frames = speech.repeat_interleave(self.steps, -1)[:, None]
        return match_high_band(made, natural, frames, self._frequencies())

    def _frequencies(self) -> Tensor:
        """Hz of the filters' bins."""
        bins = torch.arange(self.n_fft // 2 + 1, device=self.window.device)
        return bins * (self.output_audio.sample_rate / self.n_fft)

    def _filters(self, mel: Tensor, f0: Tensor, mask: Tensor | None) -> Tensor:
        """Log-gain and phase of the pulses and log-gain of the noise.

        (batch, 3, bins, frames * steps), with bins beside one another in memory, as in spectra.
        """
        voiced = (f0 > 0).float()
        log_f0 = (f0.clamp(min=F0_MIN).log() - LOG_F0_CENTRE) * voiced
        scaled = (mel - MEL_MEAN) / MEL_STD
        h = self.input(masked(torch.cat([scaled, log_f0[:, None], voiced[:, None]], 1), mask))
        for block in self.blocks:
            h = block(h, mask)

        def split(filters: Tensor) -> Tensor:  # of (batch, frames, steps * 3 * bins)
            return filters.float().unflatten(-1, (self.steps, 3, -1)).flatten(1, 2)

        filters = split(self.output(self.norm(h.transpose(1, 2))))
        if self.high_band is not None:
            low, high = filters[..., : self.crossover], split(self.high_band(h, mask))
            filters = torch.cat([low, high], -1)
        return filters.permute(0, 2, 3, 1)

    def pulses(self, f0: Tensor, state: ExcitationState | None = None) -> Tensor:
        """One band-limited unit pulse a period: (batch, frames * hop) samples.

        Where F0 (batch, frames) is unvoiced, the last one is held.
        """
        rate, hop = self.output_audio.sample_rate, self.output_audio.hop_length
        phase, held = frame_phases(f0, self.output_audio, state)
        ahead = torch.cat([held[:, 1:], held[:, -1:]], 1)
        part = torch.arange(hop, device=f0.device) / hop
        fine = held[..., None] * (1 - part) + ahead[..., None] * part
        phase = (phase[:, :-1, None] + torch.cumsum(fine.to(phase.dtype) / rate, -1)).flatten(1)
        fine = fine.flatten(1)
        distance = (phase - phase.round()).float()  # to the nearest pulse, in periods
        return torch.sinc(distance * rate / fine) * (rate / fine).sqrt()  # equal power at any pitch

    def _noise(self, f0: Tensor, state: ExcitationState | None) -> Tensor:
        batch, frames = f0.shape
        samples = frames * self.output_audio.hop_length
        if self.training:
            return torch.randn(batch, samples, device=f0.device)
        first = (
            torch.zeros(batch, dtype=torch.long, device=f0.device)
            if state is None
            else state.frame * self.output_audio.hop_length
        )
        return self.noise[
            (first[:, None] + torch.arange(samples, device=f0.device)) % NOISE_SAMPLES
        ]

    def _spectrum(self, x: Tensor) -> Tensor:
        padded = F.pad(x, (self.n_fft // 2, self.n_fft // 2))
        frames = x.shape[-1] // self.hop
        spectrum = torch.stft(
            padded,
            self.n_fft,
            self.hop,
            window=self.window,
            center=False,
            normalized=True,
            return_complex=True,
        )
        return spectrum[..., :frames]

    def _waveform(self, spectrum: Tensor) -> Tensor:
        length = spectrum.shape[-1] * self.hop
        # Frames after the last that reach into the output, as in a padded batch.
        silent = self.n_fft // 2 // self.hop + 1
        spectrum = F.pad(spectrum.mT, (0, 0, 0, silent)).mT  # bins stay together in memory
        wave = istft(spectrum, self.window, self.hop, length, normalized=True)
        # Sources of unit power have less of it in a band, the higher the rate.
        return wave * math.sqrt(self.output_audio.sample_rate / self.config.sample_rate)
