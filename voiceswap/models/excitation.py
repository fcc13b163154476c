"""The vocoder's pulses: their phase along an F0 contour, over windows of a longer recording."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from voiceswap.features import DEFAULT_F0, AudioConfig

FIRST_PHASE = 0.5  # of a voiced segment, in periods


class ExcitationState(NamedTuple):
    """The excitation of a window of a longer recording; tensors (batch,).

    phase: share of a period gone by at frame `anchor` of the window. f0: Hz, held from the last
    voiced frame before the window. frame: number of the window's first frame in the recording.
    """

    phase: Tensor
    f0: Tensor
    frame: Tensor
    anchor: Tensor


def hold_f0(f0: Tensor, state: ExcitationState | None = None) -> Tensor:
    """F0 (batch, frames) with the last voiced F0 in each unvoiced frame, at first DEFAULT_F0."""
    index = torch.arange(f0.shape[-1], device=f0.device).expand_as(f0)
    last = torch.where(f0 > 0, index, -1).cummax(-1).values
    before = (
        f0.new_full((len(f0), 1), DEFAULT_F0) if state is None else state.f0.to(f0.dtype)[:, None]
    )
    return torch.where(last >= 0, f0.gather(-1, last.clamp(min=0)), before)


def frame_phases(
    f0: Tensor, config: AudioConfig, state: ExcitationState | None = None
) -> tuple[Tensor, Tensor]:
    """Periods gone by at the start of each frame and after the last, and F0 (batch, frames), held.

    Each voiced segment begins half a period before a pulse, so that no rounding of F0 moves the
    pulses of a recording after it. `f0` is (batch, frames); the phase is (batch, frames + 1).
    """
    hop = config.hop_length
    held = hold_f0(f0, state)
    exact = held.float() if f0.device.type == "mps" else held.double()
    ahead = torch.cat([exact[:, 1:], exact[:, -1:]], 1)
    advance = (exact * hop + (ahead - exact) * (hop - 1) / 2) / config.sample_rate
    phase = F.pad(advance.cumsum(-1), (1, 0))
    index = torch.arange(phase.shape[-1], device=f0.device).expand_as(phase)
    anchor = index[:, :1] if state is None else state.anchor[:, None]
    begins = F.pad((f0[:, 1:] > 0) & (f0[:, :-1] <= 0), (1, 1)) & (index > anchor)
    last = torch.where(begins, index, -1).cummax(-1).values
    at_anchor = phase.gather(-1, anchor)
    if state is not None:
        at_anchor = at_anchor - state.phase.to(phase.dtype)[:, None]
    gone = torch.where(last >= 0, phase.gather(-1, last.clamp(min=0)) - FIRST_PHASE, at_anchor)
    return phase - gone, held


def excitation_states(
    f0: Tensor, frames: Sequence[int], config: AudioConfig, state: ExcitationState | None = None
) -> list[ExcitationState]:
    """The excitation of one long F0 contour (frames,) at each of `frames`, as batches of one.

    `config` has the waveform's rate; `state` is that of the contour's first frame.
    """
    phase, held = frame_phases(f0[None], config, state)
    held = torch.cat([held[:, :1], held], 1)
    return [
        ExcitationState(
            (phase[:, at] % 1.0).float(), held[:, at].float(), torch.tensor([at]), torch.tensor([0])
        )
        for at in frames
    ]
