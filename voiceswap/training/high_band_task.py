"""Training of the vocoder's high band."""

from torch import Tensor, nn

from voiceswap.errors import TrainingError
from voiceswap.features import AudioConfig
from voiceswap.models.high_band import CROSSOVER
from voiceswap.training import losses
from voiceswap.training.adversarial import AdversarialTask
from voiceswap.training.conversions import segment_mask
from voiceswap.training.discriminators import HighBandDiscriminator
from voiceswap.training.export import load_network
from voiceswap.training.segments import Item


class HighBandTask(AdversarialTask):
    """Teaches a trained vocoder what lies above its mel spectrogram; the rest of it stays.

    Minimises the envelope loss, and the losses of discriminators that see the high band alone. The
    data module's samples need the vocoder's rate (`data.samples_rate`).

    Args:
        audio: audio settings; the data module's.
        rate: Hz of the waveform.
        adversarial: weight of the generator's hinge loss; zero trains without discriminators.
        matching: weight of the feature-matching loss.
        seconds: length of the random crop of each segment that a step works on.
        learning_rate: the highest; see `configure_optimizers`.
        steps: length of its schedule; None is trainer.max_steps.
        initial: a checkpoint whose vocoder to extend, or "default"; one that has a high band goes
            on from it.
    """

    network_name = "vocoder"

    def __init__(
        self,
        audio: AudioConfig,
        rate: int = 24000,
        adversarial: float = 0.1,
        matching: float = 0.2,
        seconds: float = 0.6,
        learning_rate: float = 8e-4,
        steps: int | None = None,
        initial: str = "default",
    ):
        super().__init__(audio, learning_rate, steps)
        self.save_hyperparameters(ignore="audio")
        self.vocoder = load_network(initial, "vocoder", audio).with_high_band(rate)
        self.vocoder.requires_grad_(False)
        self.vocoder.high_band.requires_grad_(True)
        self.lowest = 2 * CROSSOVER / rate
        if adversarial:
            self.discriminator = HighBandDiscriminator(self.lowest)
        self.crop = round(seconds * audio.frame_rate)

    def networks(self) -> list[nn.Module]:
        """The high band, and the discriminator where there is one."""
        return [self.vocoder.high_band, *super().networks()[1:]]

    def training_step(self, batch: Item, batch_idx: int) -> None:
        """One step of the discriminator, if there is one, and one of the high band."""
        made, real = self._synthesize(batch, self.random_crop(batch["mel"].shape[-1]))
        envelope = losses.envelope_loss(made, real, self.lowest)
        self.minimise_against(made, real, {"envelope": envelope})

    def validation_step(self, batch: Item, batch_idx: int) -> None:
        """Copy synthesis of validation speakers."""
        made, real = self._synthesize(batch, slice(None))
        self.log(
            "validation/envelope", losses.envelope_loss(made, real, self.lowest), prog_bar=True
        )

    def _synthesize(self, batch: Item, frames: slice) -> tuple[Tensor, Tensor]:
        """Copy synthesis of mel frames, and the samples that it is of."""
        hop = self.vocoder.output_audio.hop_length
        mel, mask = batch["mel"][..., frames], segment_mask(batch)[..., frames]
        made = self.vocoder(mel, batch["f0"][:, frames], mask).float()
        first, last, _ = frames.indices(batch["mel"].shape[-1])
        real = batch["samples"][:, first * hop : last * hop]
        if real.shape != made.shape:
            raise TrainingError(
                f"The high band needs samples at its own rate; set data.samples_rate to "
                f"{self.hparams['rate']}."
            )
        return made, real
