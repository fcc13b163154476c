"""The voice of a speaker, independent of content."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from voiceswap.conversion.core import VoiceBatch
from voiceswap.conversion.residuals import Residuals, join_residuals, stack_residuals
from voiceswap.errors import VoiceswapError
from voiceswap.models.decoder_delta import DecoderDelta, blend_deltas
from voiceswap.models.high_band import HIGH_BANDS
from voiceswap.precision import exact_arithmetic, torch_defaults
from voiceswap.transfer import to_device

MEANS = ("code", "log_f0", "mel_affine", "high_gain")  # what a blend takes the mean of


@dataclass(frozen=True, eq=False)
class Voice:
    """A voice as a model represents it: a point that can be saved, mixed, and moved along lines.

    Attributes:
        code: speaker code (code,).
        log_f0: mean and standard deviation of ln F0 in Hz, (2,).
        mel_affine: gain and offset of every mel bin, (2, mels); see `match_mel_statistics`.
        residuals: the residuals of each speaker's recordings, a batch of one, and its share.
        delta: what an adapted voice changes of the decoder; None for any other.
        notes: what else its file holds: how it was adapted, and whether its owner agreed.
        high_gain: log-gains of what the vocoder makes above 8 kHz, (HIGH_BANDS,); zero where its
            recordings do not reach above.
    """

    code: Tensor
    log_f0: Tensor
    mel_affine: Tensor
    residuals: tuple[tuple[Residuals, float], ...] = ()
    delta: DecoderDelta | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)
    high_gain: Tensor = field(default_factory=lambda: torch.zeros(HIGH_BANDS))

    def __repr__(self) -> str:
        adapted = ", adapted" if self.delta else ""
        frames = sum(residuals.keys.shape[1] for residuals, _ in self.residuals)
        return f"Voice({float(self.log_f0[0].exp()):.0f} Hz, {frames} frames{adapted})"

    def to(self, device: torch.device | str) -> "Voice":
        """This voice on a device."""
        moved = tuple((residuals.to(device), share) for residuals, share in self.residuals)
        means = {name: to_device(getattr(self, name), device) for name in MEANS}
        delta = self.delta and self.delta.to(device)
        return Voice(**means, residuals=moved, delta=delta, notes=self.notes)

    def toward(self, other: "Voice", amount: float) -> "Voice":
        """The voice `amount` of the way on the straight line from this one (0) to `other` (1).

        Raises VoiceswapError for an amount outside 0 to 1.
        """
        return blend([(self, 1 - amount), (other, amount)])


def require_voice(voice: object) -> Voice:
    """`voice` itself. Raises VoiceswapError if it is none."""
    if not isinstance(voice, Voice):
        raise VoiceswapError(
            f"A Voice is needed, not {type(voice).__name__}; swapper.voice(...) makes one of "
            "recordings and of a saved voice's file."
        )
    return voice


def weighted(voices: Sequence[Any]) -> Sequence[tuple[Any, float]]:
    """`voices` as they are. Raises VoiceswapError for what is not pairs of a voice and a weight."""
    if all(isinstance(item, (tuple, list)) and len(item) == 2 for item in voices):
        return voices
    raise VoiceswapError("A blend takes pairs: blend([(anna, 0.5), (ben, 0.5)]).")


@torch_defaults()
def blend(voices: Sequence[tuple[Voice, float]]) -> Voice:
    """The weighted mean of voices; weights are scaled to sum to one.

    Of adapted voices, the decoders' weights are mixed too.

    Raises VoiceswapError when there is no voice, or the weights are not numbers from 0 on with a
    finite sum above it.
    """
    try:
        weights = torch.tensor([float(weight) for _, weight in voices], dtype=torch.float64)
    except (TypeError, ValueError) as error:
        raise VoiceswapError("A blend's weights are numbers: blend([(anna, 0.5), ...]).") from error
    total = weights.sum()
    if not len(weights) or not (weights >= 0).all() or not 0 < total < math.inf:
        raise VoiceswapError(
            "A blend needs at least one voice, and weights from 0 on with a finite sum above 0."
        )
    weights /= total
    recordings: dict[int, Residuals] = {}  # a mix may hold one voice several times
    shares: defaultdict[int, float] = defaultdict(float)
    for (voice, _), weight in zip(voices, weights.tolist(), strict=True):
        for residuals, share in voice.residuals if weight else ():
            recordings[id(residuals)] = residuals
            shares[id(residuals)] += share * weight
    device = voices[0][0].code.device

    def mean(name: str) -> Tensor:
        stacked = torch.stack([getattr(voice, name).to(device) for voice, _ in voices])
        with exact_arithmetic(device):
            return torch.tensordot(weights.to(device, stacked.dtype), stacked, 1)

    delta = blend_deltas([(v.delta, float(w)) for (v, _), w in zip(voices, weights, strict=True)])
    means: dict[str, Any] = {name: mean(name) for name in MEANS}
    kept = tuple((recordings[key], share) for key, share in shares.items())
    return Voice(**means, residuals=kept, delta=delta)


def join_voices(voices: Sequence[Voice]) -> Voice:
    """The voice of one speaker, from those of single recordings.

    Each counts by its speech. Residuals are retrieved from all recordings at once, where those of a
    blend are retrieved from each of its voices, and averaged.
    """
    if len(voices) == 1:
        return voices[0]
    kept = [residuals for voice in voices for residuals, _ in voice.residuals]
    speech = [max(1, int(residuals.valid.sum())) for residuals in kept]
    mean = blend(list(zip(voices, speech, strict=True)))
    return replace(mean, residuals=((join_residuals(kept), 1.0),))


@torch_defaults()
def stack_voices(voices: Sequence[Voice], device: torch.device | str) -> VoiceBatch:
    """The voices of a batch of conversions, on a device."""
    nothing = Residuals(
        torch.zeros(1, 1, 1), torch.zeros(1, 1, 1, 1), torch.zeros(1, 1, dtype=torch.bool)
    )
    known = [residuals for voice in voices for residuals, _ in voice.residuals]
    if known:
        nothing = Residuals(*(torch.zeros_like(x[:, :1]) for x in vars(known[0]).values()))
    stacked = []
    for place in range(max(len(voice.residuals) for voice in voices)):
        items = [[*voice.residuals, *[(nothing, 0.0)] * (place + 1)][place] for voice in voices]
        shares = to_device(torch.tensor([share for _, share in items]), device)
        stacked.append((_batch_of([item for item, _ in items], device), shares))
    means = {
        name: torch.stack([to_device(getattr(voice, name), device) for voice in voices])
        for name in MEANS
    }
    moved: dict[int, DecoderDelta | None] = {}  # one object for voices that share one
    for voice in voices:
        if id(voice.delta) not in moved:
            moved[id(voice.delta)] = voice.delta and voice.delta.to(device)
    deltas = tuple(moved[id(voice.delta)] for voice in voices)
    return VoiceBatch(**means, residuals=tuple(stacked), deltas=deltas if any(deltas) else ())


def _batch_of(items: Sequence[Residuals], device: torch.device | str) -> Residuals:
    """Residuals on a device; a batch of one where all are the same, since all can share it."""
    distinct = list({id(item): item for item in items}.values())
    if len(distinct) == 1:
        return distinct[0].to(device)
    return stack_residuals([item.to(device) for item in items])


def unstack_voices(batch: VoiceBatch, frames: Sequence[int]) -> list[Voice]:
    """The voices of a batch with one reference each, of `frames` content frames."""
    ((residuals, _),) = batch.residuals
    return [
        Voice(
            batch.code[i],
            batch.log_f0[i],
            batch.mel_affine[i],
            ((Residuals(*(x[i : i + 1, :length] for x in vars(residuals).values())), 1.0),),
        )
        for i, length in enumerate(frames)
    ]
