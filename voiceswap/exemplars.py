"""How a voice says each sound: frames of its own speech, and what the decoder misses of them."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from voiceswap.calibration import calibrate, speech_frames

SHARPNESS = 7.5  # an exemplar weighs exp(SHARPNESS * likeness to what is said): more is nearer to the voice, and loses words
AROUND = 3  # frames to either side that likeness looks at too, the farther the less
BESIDE = 4  # frames to either side of a frame that say nearly the same
FORGOTTEN = -1e4  # in place of a likeness; finite, for where nothing else is known


@dataclass(frozen=True)
class Exemplars:
    """Frames of a recording, at the content's rate.

    `speech` (frames,) says which are no pause: these are the exemplars, the others only what is said beside them.
    `content` (frames, code), half precision, are the content codes at unit length; `missed` (frames, stride, mels), half
    precision, what the decoder's log-mels lack of the recording's own.
    """

    speech: np.ndarray
    content: np.ndarray
    missed: np.ndarray


def keep_exemplars(content: Tensor, rebuilt: Tensor, natural: Tensor) -> Exemplars:
    """Of one recording: content code (code, frames / stride), log-mels (mels, frames) as decoded and as they are."""
    frames = content.shape[-1]
    stride = -(-natural.shape[-1] // frames)
    missed, speech = (
        F.pad(x, (0, frames * stride - x.shape[-1])).unflatten(-1, (frames, stride))
        for x in (natural - rebuilt, speech_frames(natural).float())
    )
    arrays = speech.amin(-1) > 0, F.normalize(content, dim=0).T.half(), missed.permute(1, 2, 0).half()
    return Exemplars(*(array.contiguous().cpu().numpy() for array in arrays))  # safetensors writes the memory as it lies


def recall(exemplars: Exemplars, content: Tensor, frames: int, itself: bool = False) -> Tensor:
    """What the decoder will miss of words in this voice, (mels, frames), for their content code (code, frames / stride).

    The mean of what it missed of the exemplars, each weighed by its likeness to what is said: kernel regression (Nadaraya,
    1964), which is attention to the reference. Exemplar-based conversion makes up for residuals in this way (Wu et al.,
    "Exemplar-based sparse representation with residual compensation for voice conversion", 2014), and compares stretches
    of some frames, not frames, as is done here; kNN-VC (Baas et al., 2023) takes the exemplars themselves. `itself` says
    that the words are the exemplars' own: no frame then recalls itself or its neighbours, so that as much is missed as of
    other words.
    """
    speech, known, missed = (
        torch.from_numpy(array).to(content.device) for array in (exemplars.speech, exemplars.content, exemplars.missed)
    )
    if not speech.any():
        return content.new_zeros(missed.shape[-1], frames)
    likeness = _in_context(F.normalize(content, dim=0).T @ known.float().T)
    forgotten = ~speech.expand_as(likeness)
    if itself:
        here = torch.arange(len(speech), device=speech.device)
        forgotten = forgotten | ((here[:, None] - here).abs() <= BESIDE)
    recalled = (SHARPNESS * likeness).masked_fill(forgotten, FORGOTTEN).softmax(-1) @ missed.float().flatten(1)
    return recalled.unflatten(1, missed.shape[1:]).flatten(0, 1)[:frames].T


def _in_context(likeness: Tensor) -> Tensor:
    """Likeness of frames, (said, known), to that of the stretches around them: means along diagonals, weights falling to both sides."""
    beside = F.pad(likeness, (AROUND,) * 4)
    said, known = likeness.shape
    total = torch.zeros_like(likeness)
    for i in range(2 * AROUND + 1):
        total += (AROUND + 1 - abs(i - AROUND)) * beside[i : i + said, i : i + known]
    return total / (AROUND + 1) ** 2  # the sum of the weights


def manner(content: Tensor, rebuilt: Tensor, natural: Tensor) -> tuple[Exemplars, Tensor]:
    """What to give back to a voice heard in one recording: its exemplars, and the calibration (2, mels) that is left to do after them.

    Shapes as of `keep_exemplars`.
    """
    exemplars = keep_exemplars(content, rebuilt, natural)
    return exemplars, calibrate(rebuilt + recall(exemplars, content, natural.shape[-1], itself=True), natural)
