"""A step of adversarial training."""

from typing import Any

import torch
from torch import Tensor

from voiceswap.training import losses


def adversarial_losses(task: Any, made: Tensor, real: Tensor) -> dict[str, Tensor]:
    """A step of the task's discriminator, optimiser 1; then the losses against it.

    Args:
        task: a `BaseTask` with a `discriminator`.
        made: generated waveforms (batch, samples).
        real: recorded ones.
    """
    discriminator = task.discriminator
    both, _ = discriminator(torch.cat([real, made.detach()]))  # half as many launches
    natural, generated = zip(*(score.chunk(2) for score in both), strict=True)
    loss = losses.discriminator_loss(natural, generated)
    task.optimise(discriminator, loss, index=1)
    discriminator.requires_grad_(False)
    scores, features = discriminator(made)
    parts = {
        "discriminator": loss.detach(),
        "generator": losses.generator_loss(scores),
        "matching": losses.feature_matching_loss(discriminator(real)[1], features),
    }
    discriminator.requires_grad_(True)
    return parts
