"""The file that keeps a voice: safetensors, without code or pickle."""

import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from voiceswap.conversion.residuals import Residuals
from voiceswap.conversion.voice import MEANS, Voice, require_voice
from voiceswap.errors import VoiceswapError
from voiceswap.files import whole_file
from voiceswap.models.autoencoder import Autoencoder
from voiceswap.models.decoder_delta import DecoderDelta
from voiceswap.models.high_band import HIGH_BANDS, HIGHEST_GAIN
from voiceswap.precision import torch_defaults

METADATA = "voiceswap-voice"
MAX_VOICE_BYTES, HEADER_BYTES = 256 << 20, 1 << 20  # of a file, and of its header
CONTENT_RATE = 50  # frames of residuals a second, as models have them
MAX_VOICES = 256  # of a blend
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


def is_voice_file(item: object) -> bool:
    """Whether something is a path with the ending of a saved voice."""
    return isinstance(item, (str, os.PathLike)) and Path(item).suffix.lower() == ".safetensors"


def save_voice(path: str | os.PathLike, voice: Voice, model: str) -> Path:
    """Keep a voice in a safetensors file, whole or not at all.

    `model` is the fingerprint of the model that the voice belongs to. The name of a voice is its
    file's. Raises VoiceswapError when the file can't be written, or would be too large to load.
    """
    path, voice = Path(path), require_voice(voice).to("cpu")
    if len(voice.residuals) > MAX_VOICES:
        raise VoiceswapError(
            f"A voice's file holds a blend of at most {MAX_VOICES} voices, not "
            f"{len(voice.residuals)}; blend fewer."
        )
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
    size = sum(tensor.nbytes for tensor in tensors.values())
    if size > MAX_VOICE_BYTES - HEADER_BYTES:
        raise VoiceswapError(
            f"A voice's file has at most {MAX_VOICE_BYTES >> 20} MiB, and this one would have "
            f"{size >> 20}; give fewer or shorter recordings."
        )
    with whole_file(path) as temporary:
        contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
        save_file(contiguous, temporary, {METADATA: json.dumps(metadata)})
    return path


@torch_defaults()
def load_voice(path: str | os.PathLike, model: str, sizes: VoiceSizes, decoder: nn.Module) -> Voice:
    """A voice kept by `save_voice`, on the CPU.

    Raises VoiceswapError for another kind of file, for values that no voice has, and for a voice of
    another model: codes of two models don't mix.
    """
    path = Path(path)
    metadata, tensors = _read(path)
    if metadata.get("model") != model:
        raise VoiceswapError(
            f"{path} holds a voice of another model; make it again from its recordings with this "
            "one."
        )
    with _damage_told(path):
        voice = _checked(tensors, metadata.get("shares", []), sizes)
        prefix = "delta."
        changes = {k.removeprefix(prefix): t for k, t in tensors.items() if k.startswith(prefix)}
        return replace(
            voice,
            delta=DecoderDelta.from_tensors(changes, decoder) if changes else None,
            notes=_notes(metadata),
        )


def describe_voice(path: str | os.PathLike) -> dict[str, Any] | None:
    """What a saved voice's file holds, without a model; None for what is no saved voice.

    Returns:
        model: the fingerprint of its model. hertz: its mean pitch. seconds: of recordings that are
        kept. adapted: whether it changes the decoder; report: of its adaptation. consent: whether
        it states that its owner agreed. drawn: the seed of a random voice, None for any other.

    Raises:
        VoiceswapError: it is damaged, as far as that can be told without its model.
    """
    path = Path(path)
    try:
        metadata, tensors = _read(path)
    except VoiceswapError:
        return None
    with _damage_told(path):
        for name, tensor in tensors.items():
            _require_finite(name, tensor.float())
        kept = [x for name, x in tensors.items() if name.endswith((".keys", ".content"))]
        notes = _notes(metadata)
        return {
            "model": str(metadata.get("model")),
            "hertz": float(_log_f0(tensors)[0].exp()),
            "seconds": sum(map(len, kept)) / CONTENT_RATE,
            "adapted": any(name.startswith("delta.") for name in tensors),
            "report": notes.get("adapted"),
            "consent": notes.get("consent") is True,
            "drawn": seed if isinstance(seed := notes.get("drawn"), int) else None,
        }


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Metadata and tensors of a saved voice. Raises VoiceswapError for another kind of file."""
    try:
        if path.stat().st_size > MAX_VOICE_BYTES:
            raise VoiceswapError(f"{path} is larger than any saved voice.")
        with safe_open(path, "pt") as file:
            metadata = json.loads((file.metadata() or {}).get(METADATA, "null"))
            names = file.keys() if metadata else ()
            # Copies: Windows neither deletes nor replaces a file that is mapped to memory.
            tensors = {name: file.get_tensor(name).clone() for name in names}
    except (SafetensorError, OSError, ValueError, RecursionError) as error:
        raise VoiceswapError(f"{path} is missing, damaged or not a saved voice.") from error
    if not isinstance(metadata, dict):
        raise VoiceswapError(f"{path} is a safetensors file, but not a saved voice.")
    return metadata, tensors


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    try:
        yield
    except (LookupError, TypeError, ValueError) as error:
        raise VoiceswapError(
            f"{path} is damaged or kept by another version of voiceswap ({error})."
        ) from error


def _notes(metadata: Mapping[str, Any]) -> dict[str, Any]:
    notes = metadata.get("notes", {})
    return notes if isinstance(notes, dict) else {}


def _checked(tensors: Mapping[str, Tensor], shares: object, sizes: VoiceSizes) -> Voice:
    """The voice of a file's tensors. Raises KeyError or ValueError for what no voice has."""
    if not isinstance(shares, list) or len(shares) > MAX_VOICES:
        raise ValueError("its shares are no list that a voice has")
    if (
        not all(isinstance(x, (int, float)) and 0 <= x <= 1.001 for x in shares)
        or sum(shares) > 1.001
    ):
        raise ValueError("its shares are not from 0 to 1")
    shapes = {"code": (sizes.speaker_code,), "mel_affine": (2, sizes.n_mels)}
    means: dict[str, Any] = {"log_f0": _log_f0(tensors)}
    for name, shape in shapes.items():
        old = OLD_NAMES.get(name, name)
        means[name] = _tensor(tensors, name if name in tensors else old, shape, limit=100.0)
    if "high_gain" in tensors:
        means["high_gain"] = _tensor(tensors, "high_gain", (HIGH_BANDS,), limit=HIGHEST_GAIN + 0.1)
    recordings = []
    for number, share in enumerate(shares):
        new = f"residuals.{number}.keys" in tensors
        prefix = f"residuals.{number}" if new else f"exemplars.{number}"
        names = {part: f"{prefix}.{part if new else old}" for part, old in OLD_RESIDUALS.items()}
        frames = len(tensors[names["keys"]])
        if not frames:
            raise ValueError("it has a recording without frames")
        keys = _tensor(tensors, names["keys"], (frames, sizes.content_code), limit=1.1)
        values = _tensor(
            tensors, names["values"], (frames, sizes.stride, sizes.n_mels), limit=100.0
        )
        valid = tensors[names["valid"]]
        if valid.shape != (frames,) or valid.dtype != torch.bool:
            raise ValueError(f"{names['valid']} has the wrong shape or type")
        recordings.append((Residuals(keys[None], values[None], valid[None]), float(share)))
    return Voice(**means, residuals=tuple(recordings))


def _log_f0(tensors: Mapping[str, Tensor]) -> Tensor:
    log_f0 = _tensor(tensors, "log_f0", (2,), limit=100.0)
    mean, deviation = log_f0.tolist()
    if not 2.0 < mean < 8.0 or not 0.0 < deviation < 3.0:
        raise ValueError("its pitch is not a voice's")
    return log_f0


def _tensor(
    tensors: Mapping[str, Tensor], name: str, shape: tuple[int, ...], limit: float
) -> Tensor:
    tensor = tensors[name]
    if tuple(tensor.shape) != shape or not tensor.is_floating_point():
        raise ValueError(f"{name} has the wrong shape or type")
    tensor = tensor.float()
    _require_finite(name, tensor, limit)
    return tensor


def _require_finite(name: str, tensor: Tensor, limit: float = math.inf) -> None:
    if not tensor.isfinite().all() or (tensor.abs() > limit).any():
        raise ValueError(f"{name} has values that no voice has")
