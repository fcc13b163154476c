"""The speaker encoder: a reference to one vector of the voice."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from voiceswap.features import DEFAULT_F0, DEFAULT_LOG_F0_STD
from voiceswap.models.gaussian import DiagonalGaussian, start_log_variance
from voiceswap.models.layers import ConvNeXtBlock, masked, moments
from voiceswap.models.speaker_verifier import SpeakerVerifier


class SpeakerEncoder(nn.Module):
    """A segment of speech to q(speaker | speech), a Gaussian of shape (batch, code).

    Log-mel frames (batch, mels, frames) are read by convolutions and pooled to mean and standard
    deviation over time; `verifier` features (batch, 256), the pretrained verifier's vector of the
    same segment, are added.
    """

    def __init__(self, n_mels: int, width: int = 192, blocks: int = 4, code: int = 128):
        super().__init__()
        # Half the frames are plenty for an average.
        self.input = nn.Conv1d(n_mels, width, 5, stride=2, padding=2)
        self.blocks = nn.ModuleList(ConvNeXtBlock(width, expansion=2) for _ in range(blocks))
        self.verifier = nn.Linear(SpeakerVerifier.size, 2 * width)
        self.hidden = nn.Linear(4 * width, 2 * width)
        self.mean = nn.Linear(2 * width, code)
        self.log_variance = nn.Linear(2 * width, code)
        self.pitch = nn.Linear(code, 2)
        start_log_variance(self.log_variance, -3.0)

    def forward(
        self, mel: Tensor, verifier: Tensor, mask: Tensor | None = None
    ) -> DiagonalGaussian:
        h = self.input(masked(mel, mask))
        mask = None if mask is None else mask[..., ::2]
        for block in self.blocks:
            h = block(h, mask)
        known = self.verifier(verifier * math.sqrt(verifier.shape[-1]))
        pooled = torch.cat([*(statistic[..., 0] for statistic in moments(h, mask)), known], -1)
        h = F.gelu(self.hidden(pooled))
        return DiagonalGaussian(self.mean(h).float(), self.log_variance(h).float().clamp(-8, 2))

    def predict_f0_statistics(self, code: Tensor) -> Tensor:
        """Mean and deviation of ln F0 (batch, 2) to expect of speaker codes (batch, code).

        For voices that are not those of a recording.
        """
        mean, log_deviation = self.pitch(code).float().unbind(-1)
        return torch.stack(
            [mean + math.log(DEFAULT_F0), DEFAULT_LOG_F0_STD * log_deviation.exp()], -1
        )
