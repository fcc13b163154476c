"""What tasks share that train a vocoder against a discriminator."""

import torch
from torch import Tensor, nn

from voiceswap.training import losses
from voiceswap.training.base_task import BaseTask


class AdversarialTask(BaseTask):
    """Trains a network that makes waveforms; with `adversarial` above zero, also a discriminator.

    Subclasses have the hyperparameters `adversarial` and `matching`, the weights of the generator's
    hinge loss and of the feature-matching loss, and set `discriminator` where there is one.

    Attributes:
        crop: mel frames of each segment that a step works on.
    """

    discriminator: nn.Module
    crop: int

    def networks(self) -> list[nn.Module]:
        """The trained network, and the discriminator where there is one."""
        return [*super().networks(), *([self.discriminator] if self.hparams["adversarial"] else [])]

    def random_crop(self, frames: int) -> slice:
        """A random part of segments that are so many mel frames long."""
        start = int(torch.randint(max(1, frames - self.crop + 1), ()))
        return slice(start, start + self.crop)

    def minimise_against(self, made: Tensor, real: Tensor, parts: dict[str, Tensor]) -> None:
        """One step of the discriminator, if there is one, and one of the trained network.

        Args:
            made: generated waveforms (batch, samples).
            real: recorded ones.
            parts: the other losses of `made`, scalars.
        """
        if self.hparams["adversarial"]:
            parts |= self._adversarial_losses(made, real)
        # The discriminator's own loss is shown alone: its step is made.
        self.minimise(parts, generator=self.hparams["adversarial"], discriminator=0.0)

    def _adversarial_losses(self, made: Tensor, real: Tensor) -> dict[str, Tensor]:
        """A step of the discriminator, optimiser 1; then the losses against it."""
        discriminator = self.discriminator
        both, _ = discriminator(torch.cat([real, made.detach()]))  # half as many launches
        natural, generated = zip(*(score.chunk(2) for score in both), strict=True)
        loss = losses.discriminator_loss(natural, generated)
        self.optimise(discriminator, loss, index=1)
        discriminator.requires_grad_(False)
        scores, features = discriminator(made)
        parts = {
            "discriminator": loss.detach(),
            "generator": losses.generator_loss(scores),
            "matching": losses.feature_matching_loss(discriminator(real)[1], features),
        }
        discriminator.requires_grad_(True)
        return parts
