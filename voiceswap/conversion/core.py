"""The conversion itself, as functions of tensors: content, F0 and a voice to log-mel.

Conversion, the training losses, the vocoder's training data and the validation conversions all call
`decode` and `extract_voice`, so they agree on what a conversion is.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from voiceswap.conversion.mel_statistics import apply_mel_affine, match_mel_statistics
from voiceswap.conversion.residuals import Residuals, extract_residuals, retrieve
from voiceswap.models.autoencoder import Autoencoder
from voiceswap.models.layers import masked


@dataclass(frozen=True)
class VoiceBatch:
    """The target voices of a batch, on one device.

    code: speaker codes (batch, code). log_f0: mean and standard deviation of ln F0 (batch, 2).
    mel_affine: gain and offset of every mel bin (batch, 2, mels); see `match_mel_statistics`.
    residuals: a voice's reference recordings, each with the share (batch,) that it has in the
    voice.
    """

    code: Tensor
    log_f0: Tensor
    mel_affine: Tensor
    residuals: tuple[tuple[Residuals, Tensor], ...] = ()


def decode(
    autoencoder: Autoencoder,
    content: Tensor,
    f0: Tensor,
    voice: VoiceBatch,
    mask: Tensor | None = None,
    exclude_self: bool = False,
) -> Tensor:
    """Content and F0 in given voices.

    Args:
        autoencoder: whose decoder to use.
        content: content code (batch, code, frames / stride).
        f0: (batch, frames), Hz, at the voices' pitch, 0 where unvoiced.
        voice: the target voices.
        mask: (batch, 1, frames), or None where nothing is padded.
        exclude_self: the content is that of the voices' own reference; see `residuals.retrieve`.

    Returns:
        Log-mel (batch, mels, frames).
    """
    mel = autoencoder.decode(content, f0, voice.log_f0, voice.code, mask).float()
    query = (
        content.detach().float()
    )  # residuals are data: training learns what decoding lacks of them
    for residuals, share in voice.residuals:
        mel = mel + share[:, None, None] * retrieve(residuals, query, f0.shape[-1], exclude_self)
    return masked(apply_mel_affine(mel, voice.mel_affine), mask)


@torch.no_grad()
def extract_voice(
    autoencoder: Autoencoder,
    content: Tensor,
    f0: Tensor,
    log_f0: Tensor,
    code: Tensor,
    natural: Tensor,
    mask: Tensor | None = None,
) -> VoiceBatch:
    """The voices of reference recordings: residuals and mel statistics of decoding them.

    Args:
        autoencoder: whose decoder to use.
        content: content code (batch, code, frames / stride) of the references.
        f0: (batch, frames), Hz, of the references.
        log_f0: mean and standard deviation of ln F0 (batch, 2).
        code: speaker codes (batch, code).
        natural: log-mels (batch, mels, frames) of the references.
        mask: (batch, 1, frames), or None where nothing is padded.
    """
    content, natural = content.float(), natural.float()
    decoded = autoencoder.decode(content, f0, log_f0, code, mask).float()
    residuals = extract_residuals(content, decoded, natural, mask)
    compensated = decoded + retrieve(residuals, content, natural.shape[-1], exclude_self=True)
    mel_affine = match_mel_statistics(compensated, natural, mask)
    return VoiceBatch(code, log_f0, mel_affine, ((residuals, code.new_ones(len(code))),))
