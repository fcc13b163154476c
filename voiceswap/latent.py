"""The diagonal Gaussian that both codes are."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class DiagonalGaussian:
    """q = N(mean, exp(log_variance)), independent in every element. Both tensors have one shape, channels at dim 1."""

    mean: Tensor
    log_variance: Tensor

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """z = mean + sigma * eps (Kingma and Welling, 2014); gradients reach mean and log_variance."""
        eps = torch.randn(self.mean.shape, generator=generator, device=self.mean.device, dtype=self.mean.dtype)
        return self.mean + (0.5 * self.log_variance).exp() * eps

    def mode(self) -> Tensor:
        """The likeliest value, which is the mean."""
        return self.mean

    def kl(self) -> Tensor:
        """KL(q || N(0, I)) in nats, per element."""
        return 0.5 * (self.mean.square() + self.log_variance.exp() - 1 - self.log_variance)


def interpolate(start: Tensor, end: Tensor, amount: float) -> Tensor:
    """The point `amount` of the way on the straight line from start (0) to end (1)."""
    return start + amount * (end - start)
