"""How a voice says each sound: frames of its own speech, and what the decoder misses of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from voiceswap.calibration import calibrate, speech_frames

SHARPNESS = 2.5  # an exemplar weighs exp(SHARPNESS * cosine of its content with what is said), in a voice of one recording;
SHARPER = 1.5  # for each recording more this much more,
SHARPEST = 5.5  # but never more than this
BESIDE = 4  # frames to either side of a frame that say nearly the same
FORGOTTEN = -1e4  # in place of a likeness; finite, for where nothing else is known


@dataclass(frozen=True)
class Exemplars:
    """Frames of a recording's speech, at the content's rate.

    `frame` (exemplars,) are their numbers; `content` (exemplars, code), half precision, their content codes at unit
    length; `missed` (exemplars, stride, mels), half precision, what the decoder's log-mels lack of their own.
    """

    frame: np.ndarray
    content: np.ndarray
    missed: np.ndarray


def keep_exemplars(content: Tensor, rebuilt: Tensor, natural: Tensor) -> Exemplars:
    """The frames with speech of one recording: content code (code, frames / stride), log-mels (mels, frames) as decoded and as they are."""
    frames = content.shape[-1]
    stride = -(-natural.shape[-1] // frames)
    missed, speech = (
        F.pad(x, (0, frames * stride - x.shape[-1])).unflatten(-1, (frames, stride))
        for x in (natural - rebuilt, speech_frames(natural).float())
    )
    kept = speech.amin(-1) > 0
    arrays = kept.nonzero()[:, 0].int(), F.normalize(content, dim=0).T[kept].half(), missed.permute(1, 2, 0)[kept].half()
    return Exemplars(*(array.contiguous().cpu().numpy() for array in arrays))  # safetensors writes the memory as it lies


def recall_all(heard: Sequence[tuple[Exemplars, float]], content: Tensor, frames: int) -> Tensor:
    """What the decoder will miss of words in a voice of several recordings, each with its share of it; shapes as of `recall`.

    Their mean is steadier than what one of them recalls, so each can be asked for what is more like, which is nearer to the
    voice. Recordings with unequal shares count as sum(share)^2 / sum(share^2) of them (Kish's effective sample size, 1965).
    """
    recalled = content.new_zeros(heard[0][0].missed.shape[-1], frames)
    shares = [share for _, share in heard]
    recordings = sum(shares) ** 2 / sum(share**2 for share in shares)
    sharpness = min(SHARPNESS + SHARPER * (recordings - 1), SHARPEST)
    for exemplars, share in heard:
        recalled += share * recall(exemplars, content, frames, sharpness)
    return recalled


def recall(exemplars: Exemplars, content: Tensor, frames: int, sharpness: float = SHARPNESS, itself: bool = False) -> Tensor:
    """What the decoder will miss of words in this voice, (mels, frames), for their content code (code, frames / stride).

    The mean of what it missed of the exemplars, each weighed by how near its content is: kernel regression (Nadaraya,
    1964), which is attention to the reference. Exemplar-based conversion makes up for residuals in this way (Wu et al.,
    "Exemplar-based sparse representation with residual compensation for voice conversion", 2014); kNN-VC (Baas et al.,
    2023) takes the exemplars themselves. `itself` says that the words are the exemplars' own: no frame then recalls
    itself or its neighbours, so that as much is missed as of other words.
    """
    frame, known, missed = (torch.from_numpy(array).to(content.device) for array in (exemplars.frame, exemplars.content, exemplars.missed))
    if not len(frame):
        return content.new_zeros(missed.shape[-1], frames)
    likeness = sharpness * (F.normalize(content, dim=0).T @ known.float().T)  # (frames / stride, exemplars)
    if itself:
        here = torch.arange(len(likeness), device=frame.device)
        likeness = likeness.masked_fill((here[:, None] - frame).abs() <= BESIDE, FORGOTTEN)
    recalled = likeness.softmax(-1) @ missed.float().flatten(1)
    return recalled.unflatten(1, missed.shape[1:]).flatten(0, 1)[:frames].T


def manner(content: Tensor, rebuilt: Tensor, natural: Tensor) -> tuple[Exemplars, Tensor]:
    """What to give back to a voice heard in one recording: its exemplars, and the calibration (2, mels) that is left to do after them.

    Shapes as of `keep_exemplars`.
    """
    exemplars = keep_exemplars(content, rebuilt, natural)
    return exemplars, calibrate(rebuilt + recall(exemplars, content, natural.shape[-1], itself=True), natural)
