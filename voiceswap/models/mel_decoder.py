"""The mel decoder: content code, pitch and speaker code to a log-mel spectrogram."""

import math

import torch
from torch import Tensor, nn

from voiceswap.features import DEFAULT_F0, MEL_MEAN, MEL_STD
from voiceswap.models.layers import ConvNeXtBlock, masked
from voiceswap.precision import FastConv1d

PITCH_CHANNELS = 3


def pitch_channels(f0: Tensor, statistics: Tensor) -> Tensor:
    """F0 (batch, frames) in Hz, 0 where unvoiced, to the decoder's pitch input (batch, 3, frames).

    Channels: ln F0 normalised by its speaker's mean and deviation (`statistics`, (batch, 2)): the
    intonation; octaves above DEFAULT_F0, which places the harmonics; one where voiced. The
    first two are zero where unvoiced.
    """
    voiced = (f0 > 0).float()
    log_f0 = f0.clamp(min=1.0).log()
    intonation = (log_f0 - statistics[:, :1]) / statistics[:, 1:]
    octaves = (log_f0 - math.log(DEFAULT_F0)) / math.log(2.0)
    return torch.stack([intonation.clamp(-4, 4) * voiced, octaves * voiced, voiced], 1)


class MelDecoder(nn.Module):
    """Content code, pitch input and speaker code to log-mel.

    Takes (batch, content, frames / stride), (batch, 3, frames) and (batch, speaker).

    ConvNeXt blocks whose every norm is set by the speaker code: half of them at the content's frame
    rate, then, with the pitch, half at the mel's. Returns (batch, mels, frames).
    """

    def __init__(
        self,
        content: int,
        speaker: int,
        n_mels: int,
        stride: int,
        width: int = 256,
        blocks: int = 8,
    ):
        super().__init__()
        self.stride = stride
        self.content = nn.Conv1d(content, width, 3, padding=1)
        self.coarse = nn.ModuleList(
            ConvNeXtBlock(width, condition=speaker) for _ in range(blocks // 2)
        )
        self.smooth = FastConv1d(width, width, 3, padding=1)
        self.pitch = nn.Conv1d(PITCH_CHANNELS, width, 5, padding=2)
        self.fine = nn.ModuleList(
            ConvNeXtBlock(width, condition=speaker) for _ in range(blocks - blocks // 2)
        )
        self.output = nn.Conv1d(width, n_mels, 1)

    def forward(
        self, content: Tensor, pitch: Tensor, speaker: Tensor, mask: Tensor | None = None
    ) -> Tensor:
        coarse_mask = None if mask is None else mask[..., :: self.stride]
        h = self.content(masked(content, coarse_mask))
        for block in self.coarse:
            h = block(h, coarse_mask, speaker)
        h = h.repeat_interleave(self.stride, -1)[..., : pitch.shape[-1]]
        h = self.smooth(masked(h, mask)) + self.pitch(masked(pitch, mask))
        for block in self.fine:
            h = block(h, mask, speaker)
        return masked(self.output(h) * MEL_STD + MEL_MEAN, mask)
