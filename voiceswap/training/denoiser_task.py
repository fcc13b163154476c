"""Training of the denoiser of references."""

import torch
from torch import Tensor

from voiceswap.dsp.spectra import power
from voiceswap.features import AudioConfig, LogMel
from voiceswap.models.denoiser import Denoiser
from voiceswap.models.layers import length_mask, masked_mean
from voiceswap.training.base_task import BaseTask
from voiceswap.training.degrade import noisy_pairs
from voiceswap.training.export import load_network
from voiceswap.training.segments import Item

LEVEL_DB = 3.0  # standard deviation of the segments' levels
INAUDIBLE = 0.01  # of the mean magnitude; below it differences count less and less
COMPRESSION = 0.3  # exponent of magnitudes


class DenoiserTask(BaseTask):
    """Trains a denoiser on speech to which `noisy_pairs` adds noise.

    Minimises the L1 of log-mels, which is what voices are made of, + `magnitude` * the L1 of
    compressed magnitudes.

    Args:
        audio: audio settings; the data module's.
        width, blocks, kernel: sizes of the network; see `Denoiser`.
        initial: a checkpoint whose denoiser to start from, which has its own sizes.
        magnitude: weight of the loss of magnitudes.
        learning_rate: the highest; see `optimiser_and_schedule`.
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
        self.minimise(self._losses(batch))

    def validation_step(self, batch: Item, batch_idx: int) -> None:
        """The error of log-mels."""
        torch.manual_seed(batch_idx)
        self.log("validation/mel", self._losses(batch)["mel"], prog_bar=True)

    def _losses(self, batch: Item) -> dict[str, Tensor]:
        """The losses of a batch's segments."""
        samples = batch["samples"]
        samples = samples * 10 ** (LEVEL_DB / 20 * torch.randn_like(samples[:, :1]))
        speech, noisy = noisy_pairs(samples, self.audio.sample_rate)
        with torch.autocast(samples.device.type, enabled=False):
            wanted = self.denoiser.spectrum(speech)
            spectrum = self.denoiser.spectrum(noisy)
        found = spectrum * self.denoiser.gains(spectrum).float()
        with torch.autocast(samples.device.type, enabled=False):
            wave = self.denoiser.waveform(found, noisy.shape[-1])
            mels = self.mel(wave), self.mel(speech)
            magnitudes = [(power(x) + 1e-10).sqrt() for x in (found, wanted)]
        frames = mels[0].shape[-1]
        mask = length_mask(batch["length"], frames)
        inaudible = INAUDIBLE * mels[1].mean((1, 2), True)
        mel = (mels[0] + inaudible).log() - (mels[1] + inaudible).log()
        mean = magnitudes[1].mean((1, 2), True)
        compressed = [(x / mean + INAUDIBLE) ** COMPRESSION for x in magnitudes]
        inside = torch.nn.functional.interpolate(mask, compressed[0].shape[-1])
        return {
            "mel": masked_mean(mel.abs(), mask),
            "magnitude": masked_mean((compressed[0] - compressed[1]).abs(), inside),
        }
