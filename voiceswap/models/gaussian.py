"""The diagonal Gaussian that both codes are."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class DiagonalGaussian:
    """q = N(mean, exp(log_variance)), independent in every element.

    Both tensors have one shape, with channels at dimension 1.
    """

    mean: Tensor
    log_variance: Tensor

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """A draw mean + sigma * eps (Kingma and Welling, 2014), with gradients to both tensors."""
        # Drawn on the CPU, noise is the same for every device.
        device = generator.device if generator else self.mean.device
        eps = torch.randn(
            self.mean.shape, generator=generator, device=device, dtype=self.mean.dtype
        ).to(self.mean.device)
        return self.mean + (0.5 * self.log_variance).exp() * eps

    def mode(self) -> Tensor:
        """The likeliest value, which is the mean."""
        return self.mean

    def kl(self) -> Tensor:
        """KL(q || N(0, I)) in nats, per element."""
        return 0.5 * (self.mean.square() + self.log_variance.exp() - 1 - self.log_variance)


def start_log_variance(layer: nn.Linear | nn.Conv1d, value: float) -> None:
    """Make a layer that predicts log-variances begin at `value` for every input."""
    assert layer.bias is not None
    nn.init.zeros_(layer.weight)
    nn.init.constant_(layer.bias, value)
