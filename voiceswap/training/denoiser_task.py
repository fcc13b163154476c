"""Training of the denoiser of references."""

import torch
from torch import Tensor

from voiceswap.conversion.mel_statistics import speech_frames
from voiceswap.dsp.spectra import power
from voiceswap.features import AudioConfig, LogMel
from voiceswap.models.denoiser import Denoiser
from voiceswap.models.layers import length_mask, masked_mean, moments
from voiceswap.training.base_task import BaseTask
from voiceswap.training.degrade import noisy_pairs
from voiceswap.training.export import load_network
from voiceswap.training.segments import Item

SHORTEST = 0.25  # of a batch's segments; references may be short, and without a pause
LEVEL_DB = 3.0  # standard deviation of the segments' levels
INAUDIBLE = 0.01  # of the mean magnitude; below it differences count less and less
COMPRESSION = 0.3  # exponent of magnitudes


class DenoiserTask(BaseTask):
    """Trains a denoiser on speech to which `noisy_pairs` adds rooms and noise.

    Minimises the L1 of log-mels, which is what voices are made of, + `magnitude` * the L1 of
    compressed magnitudes + `statistics` * that of the log-mels' means and log-deviations over time,
    since the first alone leaves too little deviation.

    Args:
        audio: audio settings; the data module's.
        width, blocks, kernel: sizes of the network; see `Denoiser`.
        initial: a checkpoint whose denoiser to start from, which has its own sizes.
        magnitude, statistics: weights of the other losses.
        learning_rate: the highest; see `configure_optimizers`.
        steps: length of its schedule; None is trainer.max_steps.
    """

    network_name = "denoiser"

    def __init__(
        self,
        audio: AudioConfig,
        width: int = 128,
        blocks: int = 4,
        kernel: int = 15,
        initial: str | None = None,
        magnitude: float = 1.0,
        statistics: float = 1.0,
        learning_rate: float = 2e-3,
        steps: int | None = None,
    ):
        super().__init__(audio, learning_rate, steps)
        self.save_hyperparameters(ignore="audio")
        self.denoiser: Denoiser = (
            load_network(initial, "denoiser", audio)
            if initial
            else Denoiser(audio, width, blocks, kernel)
        )
        self.mel = LogMel(audio).mel

    def training_step(self, batch: Item, batch_idx: int) -> None:
        """One step of the denoiser."""
        samples, length = batch["samples"], batch["length"]
        frames = int(torch.empty(()).uniform_(SHORTEST, 1.0) * batch["mel"].shape[-1])
        samples = samples[:, : frames * self.audio.hop_length]
        self.minimise(self._losses(samples, length.clamp(max=frames)))

    def validation_step(self, batch: Item, batch_idx: int) -> None:
        """The error of log-mels."""
        torch.manual_seed(batch_idx)
        self.log(
            "validation/mel", self._losses(batch["samples"], batch["length"])["mel"], prog_bar=True
        )

    def _losses(self, samples: Tensor, length: Tensor) -> dict[str, Tensor]:
        """The losses of segments (batch, samples) that are `length` (batch,) mel frames long."""
        samples = samples * 10 ** (LEVEL_DB / 20 * torch.randn_like(samples[:, :1]))
        speech, noisy = noisy_pairs(samples, self.audio.sample_rate)
        with torch.autocast(samples.device.type, enabled=False):
            wanted, spectrum = self.denoiser.spectrum(speech), self.denoiser.spectrum(noisy)
        found = spectrum * self.denoiser.gains(spectrum).float()
        with torch.autocast(samples.device.type, enabled=False):
            wave = self.denoiser.waveform(found, noisy.shape[-1])
            mels = self.mel(wave), self.mel(speech)
            magnitudes = [(power(x) + 1e-10).sqrt() for x in (found, wanted)]
        frames = mels[0].shape[-1]
        mask = length_mask(length, frames)
        inaudible = INAUDIBLE * mels[1].mean((1, 2), True) + self.audio.log_floor
        found_mel, wanted_mel = ((mel + inaudible).log() for mel in mels)
        counted = mask * speech_frames(wanted_mel, mask)[:, None]
        statistics = [_log_statistics(mel, counted) for mel in (found_mel, wanted_mel)]
        mean = magnitudes[1].mean((1, 2), True) + self.audio.log_floor  # a segment may be silent
        compressed = [(x / mean + INAUDIBLE) ** COMPRESSION for x in magnitudes]
        inside = torch.nn.functional.interpolate(mask, compressed[0].shape[-1])
        return {
            "mel": masked_mean((found_mel - wanted_mel).abs(), mask),
            "magnitude": masked_mean((compressed[0] - compressed[1]).abs(), inside),
            "statistics": (statistics[0] - statistics[1]).abs().mean(),
        }


def _log_statistics(mel: Tensor, mask: Tensor) -> Tensor:
    """Mean and log-deviation of every bin where the mask is one, (2, batch, mels, 1)."""
    mean, deviation = moments(mel, mask)
    return torch.stack([mean, deviation.log()])
