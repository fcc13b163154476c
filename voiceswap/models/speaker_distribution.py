"""How the speaker codes of people are distributed: what random voices are drawn from."""

from typing import Any

import torch
from torch import Tensor, nn

from voiceswap.features import AudioConfig


class SpeakerDistribution(nn.Module):
    """N(mean, factor factor^T), at first the prior N(0, I) of training.

    Speaker codes do not fill the prior: those of people are shorter and vary most in a part of its
    directions. A Gaussian that is fitted to them after training gives voices that are more natural
    and less alike (Ghosh et al., "From variational to deterministic autoencoders", 2020).

    Args:
        audio: the autoencoder's audio settings.
        code: channels of its speaker code.
    """

    def __init__(self, audio: AudioConfig, code: int = 128):
        super().__init__()
        self.audio = audio
        self.architecture: dict[str, Any] = {"code": code}
        self.register_buffer("mean", torch.zeros(code))
        # On the meta device PyTorch imports its compiler for this.
        self.register_buffer("factor", torch.eye(code, device="cpu"))
        self.mean: Tensor
        self.factor: Tensor

    def fit(self, codes: Tensor) -> "SpeakerDistribution":
        """Take mean and covariance of speaker codes (speakers, code), of two speakers or more."""
        centred = codes - codes.mean(0)
        # The symmetric root, which also exists where speakers are fewer than channels.
        variance, directions = torch.linalg.eigh(centred.T @ centred / (len(codes) - 1))
        root = directions * variance.clamp(min=0).sqrt() @ directions.T
        self.load_state_dict({"mean": codes.mean(0), "factor": root})
        return self

    def sample(self, generator: torch.Generator) -> Tensor:
        """A draw (code,), on the CPU."""
        eps = torch.randn(len(self.mean), generator=generator)
        return self.mean.cpu() + self.factor.cpu() @ eps
