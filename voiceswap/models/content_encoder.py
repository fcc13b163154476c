"""The content encoder: a short-time code of the words, without the voice."""

import torch.nn.functional as F
from torch import Tensor, nn

from voiceswap.models.gaussian import DiagonalGaussian, start_log_variance
from voiceswap.models.layers import ConvNeXtBlock, instance_norm, masked
from voiceswap.precision import FastConv1d


class ContentEncoder(nn.Module):
    """Front-end features (batch, channels, frames) to q(content | speech), `code` channels a frame.

    Instance norm on the way in and on the posterior's mean removes what stays the same in time,
    which is most of a voice (Chou et al., "One-shot voice conversion by separating speaker and
    content representations", 2019). With every channel of the mean at unit variance, the
    posterior's own variance alone sets how much a frame can say.
    """

    def __init__(self, channels: int, width: int = 256, blocks: int = 1, code: int = 64):
        super().__init__()
        self.input = FastConv1d(channels, width, 3, padding=1)
        self.blocks = nn.ModuleList(ConvNeXtBlock(width) for _ in range(blocks))
        self.mean = nn.Conv1d(width, code, 1)
        self.log_variance = nn.Conv1d(width, code, 1)
        start_log_variance(self.log_variance, -2.5)

    def forward(self, features: Tensor, mask: Tensor | None = None) -> DiagonalGaussian:
        mean, log_variance = self.encode_unnormalized(features, mask)
        return DiagonalGaussian(instance_norm(mean, mask), log_variance)

    def encode_unnormalized(
        self,
        features: Tensor,
        mask: Tensor | None = None,
        statistics: tuple[Tensor, Tensor] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """The posterior's mean before its instance norm, and its log-variance.

        `statistics` are the features' mean and deviation over the whole recording.
        """
        h = F.gelu(self.input(instance_norm(features, mask, statistics)))
        for block in self.blocks:
            h = block(h, mask)
        return self.mean(h), masked(self.log_variance(h).float().clamp(-8, 2), mask)
