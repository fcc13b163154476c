"""A voice, apart from anything said in it, and the file that keeps it."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from voiceswap.conversion.core import VoiceBatch
from voiceswap.conversion.residuals import Residuals, stack_residuals
from voiceswap.errors import VoiceswapError
from voiceswap.files import whole_file
from voiceswap.models.autoencoder import Autoencoder
from voiceswap.models.decoder_delta import DecoderDelta, blend_deltas
from voiceswap.models.high_band import HIGH_BANDS, HIGHEST_GAIN
from voiceswap.transfer import to_device

MEANS = ("code", "log_f0", "mel_affine", "high_gain")  # what a blend takes the mean of
METADATA = "voiceswap-voice"
MAX_BYTES = 256 << 20
MAX_RECORDINGS, MAX_FRAMES = 256, 6100  # of a voice file; 6100 frames are more than two minutes
OLD_NAMES = {"mel_affine": "calibration"}
OLD_RESIDUALS = {"keys": "content", "values": "missed", "valid": "speech"}


@dataclass(frozen=True)
class VoiceSizes:
    """The sizes that a model's voices have."""

    speaker_code: int
    content_code: int
    stride: int
    n_mels: int

    @classmethod
    def of(cls, model: Autoencoder) -> "VoiceSizes":
        """Those of a model."""
        speaker, content = model.speaker_encoder.mean, model.content_encoder.mean
        return cls(speaker.out_features, content.out_channels, model.stride, model.audio.n_mels)


@dataclass(frozen=True)
class Voice:
    """A voice as a model represents it: a point that can be kept, mixed, and moved along lines.

    Attributes:
        code: speaker code (code,).
        log_f0: mean and standard deviation of ln F0 in Hz, (2,).
        mel_affine: gain and offset of every mel bin, (2, mels); see `match_mel_statistics`.
        residuals: the residuals of each reference recording, a batch of one, and its share.
        delta: what an adapted voice changes of the decoder; None for any other.
        notes: what else its file says: how it was adapted, and that its owner agreed.
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
        hertz, references = float(self.log_f0[0].exp()), len(self.residuals)
        adapted = ", adapted" if self.delta else ""
        plural = "" if references == 1 else "s"
        return f"Voice({hertz:.0f} Hz, {references} recording{plural}{adapted})"

    def to(self, device: torch.device | str) -> "Voice":
        """The same on a device."""
        moved = tuple((residuals.to(device), share) for residuals, share in self.residuals)
        means = {name: getattr(self, name).to(device) for name in MEANS}
        delta = self.delta and self.delta.to(device)
        return Voice(**means, residuals=moved, delta=delta, notes=self.notes)

    def toward(self, other: "Voice", amount: float) -> "Voice":
        """The voice `amount` of the way on the straight line from this one (0) to `other` (1)."""
        return blend([(self, 1 - amount), (other, amount)])


@torch.inference_mode()
def draw_voice(autoencoder: Autoencoder, seed: int) -> Voice:
    """A voice that nobody has, drawn from the prior N(0, I)."""
    encoder, n_mels = autoencoder.speaker_encoder, autoencoder.audio.n_mels
    mean = encoder.mean
    code = torch.randn(mean.out_features, generator=torch.Generator().manual_seed(seed))
    code = code.to(mean.weight.device)
    identity = torch.stack([torch.ones(n_mels), torch.zeros(n_mels)]).to(code.device)
    return Voice(code, encoder.predict_f0_statistics(code[None])[0], identity)


def weighted(voices: Sequence[Any]) -> Sequence[tuple[Any, float]]:
    """`voices` as they are. Raises VoiceswapError for what is not pairs of a voice and a weight."""
    if all(isinstance(item, (tuple, list)) and len(item) == 2 for item in voices):
        return voices
    raise VoiceswapError("A blend takes pairs: blend([(anna, 0.5), (ben, 0.5)]).")


def blend(voices: Sequence[tuple[Voice, float]]) -> Voice:
    """The weighted mean of voices; weights are scaled to sum to one.

    Of adapted voices, the decoders' weights are mixed too.

    Raises VoiceswapError when there is no voice, or the weights are not finite or sum to zero or
    less.
    """
    weights = torch.tensor([float(weight) for _, weight in voices], dtype=torch.float64)
    if not len(weights) or not weights.isfinite().all() or weights.sum() <= 0:
        raise VoiceswapError("A blend needs at least one voice and weights with a sum above zero.")
    weights /= weights.sum()
    shares = [
        (residuals, share * float(weight))
        for (voice, _), weight in zip(voices, weights, strict=True)
        for residuals, share in voice.residuals
        if weight
    ]
    device = voices[0][0].code.device

    def mean(name: str) -> Tensor:
        stacked = torch.stack([getattr(voice, name).to(device) for voice, _ in voices])
        return torch.tensordot(weights.to(device, stacked.dtype), stacked, 1)

    delta = blend_deltas([(v.delta, float(w)) for (v, _), w in zip(voices, weights, strict=True)])
    means: dict[str, Any] = {name: mean(name) for name in MEANS}
    return Voice(**means, residuals=tuple(shares), delta=delta)


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
        shares = to_device(torch.tensor([share for _, share in items]), torch.device(device))
        stacked.append((_batch_of([item for item, _ in items], device), shares))
    means = {
        name: torch.stack([getattr(voice, name).to(device) for voice in voices]) for name in MEANS
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


def is_voice_file(path: str | os.PathLike) -> bool:
    """Whether a path has the ending of a saved voice."""
    return Path(path).suffix.lower() == ".safetensors"


def save_voice(path: str | os.PathLike, voice: Voice, model: str) -> Path:
    """Keep a voice in a safetensors file, whole or not at all.

    `model` is the fingerprint of the model that the voice belongs to. The name of a voice is its
    file's. Raises VoiceswapError when the file can't be written.
    """
    path, voice = Path(path), voice.to("cpu")
    tensors = {name: getattr(voice, name) for name in MEANS}
    for number, (residuals, _) in enumerate(voice.residuals):
        tensors |= {
            f"residuals.{number}.keys": residuals.keys[0].half(),
            f"residuals.{number}.values": residuals.values[0].half(),
            f"residuals.{number}.valid": residuals.valid[0],
        }
    if voice.delta is not None:
        tensors |= {f"delta.{name}": x.half() for name, x in voice.delta.tensors().items()}
    shares = [share for _, share in voice.residuals]
    metadata = {"model": model, "shares": shares, "notes": dict(voice.notes)}
    with whole_file(path) as temporary:
        contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
        save_file(contiguous, temporary, {METADATA: json.dumps(metadata)})
    return path


def load_voice(path: str | os.PathLike, model: str, sizes: VoiceSizes, decoder: nn.Module) -> Voice:
    """A voice kept by `save_voice`, on the CPU.

    Raises VoiceswapError for another kind of file, for values that no voice has, and for a voice of
    another model: codes of two models don't mix.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise VoiceswapError(f"{path} is larger than any saved voice.")
        with safe_open(path, "pt") as file:
            metadata = json.loads((file.metadata() or {}).get(METADATA, "null"))
            tensors = {name: file.get_tensor(name) for name in file.keys()} if metadata else {}
    except (SafetensorError, OSError, ValueError, RecursionError) as error:
        raise VoiceswapError(f"{path} is missing, damaged or not a saved voice.") from error
    if not isinstance(metadata, dict):
        raise VoiceswapError(f"{path} is a safetensors file, but not a saved voice.")
    if metadata.get("model") != model:
        raise VoiceswapError(
            f"{path} holds a voice of another model; make it again from its recordings with this "
            "one."
        )
    try:
        voice = _checked(tensors, metadata.get("shares", []), sizes)
        prefix = "delta."
        changes = {k.removeprefix(prefix): t for k, t in tensors.items() if k.startswith(prefix)}
        notes = metadata.get("notes", {})
        return replace(
            voice,
            delta=DecoderDelta.from_tensors(changes, decoder) if changes else None,
            notes=notes if isinstance(notes, dict) else {},
        )
    except (KeyError, TypeError, ValueError) as error:
        raise VoiceswapError(
            f"{path} is damaged or kept by another version of voiceswap ({error})."
        ) from error


def _checked(tensors: Mapping[str, Tensor], shares: object, sizes: VoiceSizes) -> Voice:
    """The voice of a file's tensors. Raises KeyError or ValueError for what no voice has."""
    if not isinstance(shares, list) or len(shares) > MAX_RECORDINGS:
        raise ValueError("its shares are no list that a voice has")
    if (
        not all(isinstance(x, (int, float)) and 0 <= x <= 1.001 for x in shares)
        or sum(shares) > 1.001
    ):
        raise ValueError("its shares are not from 0 to 1")
    shapes = {"code": (sizes.speaker_code,), "log_f0": (2,), "mel_affine": (2, sizes.n_mels)}
    means: dict[str, Any] = {}
    for name, shape in shapes.items():
        old = OLD_NAMES.get(name, name)
        means[name] = _tensor(tensors, name if name in tensors else old, shape, limit=100.0)
    if "high_gain" in tensors:
        means["high_gain"] = _tensor(tensors, "high_gain", (HIGH_BANDS,), limit=HIGHEST_GAIN + 0.1)
    mean, deviation = means["log_f0"].tolist()
    if not 2.0 < mean < 8.0 or not 0.0 < deviation < 3.0:
        raise ValueError("its pitch is not a voice's")
    recordings = []
    for number, share in enumerate(shares):
        new = f"residuals.{number}.keys" in tensors
        prefix = f"residuals.{number}" if new else f"exemplars.{number}"
        names = {part: f"{prefix}.{part if new else old}" for part, old in OLD_RESIDUALS.items()}
        frames = tensors[names["keys"]].shape[0]
        if not 1 <= frames <= MAX_FRAMES:
            raise ValueError(f"it has {frames} frames of a recording")
        keys = _tensor(tensors, names["keys"], (frames, sizes.content_code), limit=1.1)
        values = _tensor(
            tensors, names["values"], (frames, sizes.stride, sizes.n_mels), limit=100.0
        )
        valid = tensors[names["valid"]]
        if valid.shape != (frames,) or valid.dtype != torch.bool:
            raise ValueError(f"{names['valid']} has the wrong shape or type")
        recordings.append((Residuals(keys[None], values[None], valid[None]), float(share)))
    return Voice(**means, residuals=tuple(recordings))


def _tensor(
    tensors: Mapping[str, Tensor], name: str, shape: tuple[int, ...], limit: float
) -> Tensor:
    tensor = tensors[name]
    if tuple(tensor.shape) != shape or not tensor.is_floating_point():
        raise ValueError(f"{name} has the wrong shape or type")
    tensor = tensor.float()
    if not tensor.isfinite().all() or tensor.abs().max() > limit:
        raise ValueError(f"{name} has values that no voice has")
    return tensor
