"""A voice, apart from anything it says, and the file that keeps it."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from voiceswap.errors import VoiceswapError
from voiceswap.exemplars import Exemplars
from voiceswap.files import whole_file

MEANS = ("code", "log_f0", "calibration")  # what a blend takes the mean of


@dataclass(frozen=True)
class Voice:
    """What the models know of a voice: a point that can be kept, mixed, and moved along lines.

    `code` is the speaker code, float32 of shape (code,); `log_f0` the mean and standard deviation of ln F0 in Hz,
    shape (2,). `exemplars` are the recordings it was heard in, each with its share of the voice: what the decoder
    misses of each sound. `calibration` is the gain and offset of every mel bin that are missed even so, shape (2, mels).
    """

    code: np.ndarray
    log_f0: np.ndarray
    calibration: np.ndarray
    exemplars: tuple[tuple[Exemplars, float], ...] = ()

    def toward(self, other: "Voice", amount: float) -> "Voice":
        """The voice `amount` of the way on the straight line from this one (0) to `other` (1)."""
        return blend([(self, 1 - amount), (other, amount)])


def blend(voices: Sequence[tuple[Voice, float]]) -> Voice:
    """The weighted mean of voices; weights are scaled to sum to one. Raises ValueError when they can't be."""
    weights = np.array([weight for _, weight in voices], dtype=np.float64)
    if not len(weights) or not np.isfinite(weights).all() or weights.sum() <= 0:
        raise ValueError("A blend needs at least one voice and weights with a sum above zero.")
    weights /= weights.sum()
    shares = [
        (exemplars, share * float(weight))
        for (voice, _), weight in zip(voices, weights, strict=True)
        for exemplars, share in voice.exemplars
        if weight
    ]
    return Voice(**{name: _mean([getattr(voice, name) for voice, _ in voices], weights) for name in MEANS}, exemplars=tuple(shares))


def _mean(arrays: Sequence[np.ndarray], weights: np.ndarray) -> np.ndarray:
    return np.tensordot(weights, np.stack(arrays), 1).astype(np.float32)


def save_voice(path: str | os.PathLike, voice: Voice, model: str) -> Path:
    """Keep a voice in a safetensors file, whole or not at all. `model` is the fingerprint of the model that heard it.

    The name of a voice is its file's.
    """
    path = Path(path)
    with whole_file(path) as temporary:
        arrays = {name: getattr(voice, name) for name in MEANS}
        for number, (heard, _) in enumerate(voice.exemplars):
            arrays |= {f"exemplars.{number}.{field.name}": getattr(heard, field.name) for field in fields(Exemplars)}
        facts = {"model": model, "shares": [share for _, share in voice.exemplars]}
        save_file(arrays, temporary, {"voiceswap-voice": json.dumps(facts)})
    return path


def load_voice(path: str | os.PathLike, model: str) -> Voice:
    """A voice kept by `save_voice`.

    Raises VoiceswapError for another kind of file, and for a voice of another model: codes of two models don't mix.
    """
    try:
        with safe_open(path, "np") as file:
            facts = json.loads((file.metadata() or {}).get("voiceswap-voice", "null"))
            voice = _read(file, facts) if facts else None
    except (SafetensorError, OSError, ValueError) as error:
        raise VoiceswapError(f"{path} is missing, damaged, kept by another version of voiceswap, or not a saved voice.") from error
    if voice is None:
        raise VoiceswapError(f"{path} is a safetensors file, but not a saved voice.")
    if facts.get("model") != model:
        raise VoiceswapError(f"{path} holds a voice as another model heard it; hear its recordings again with this one.")
    return voice


def _read(file, facts: dict) -> Voice:
    exemplars = []
    for number, share in enumerate(facts.get("shares", [])):
        arrays = {field.name: file.get_tensor(f"exemplars.{number}.{field.name}") for field in fields(Exemplars)}
        exemplars.append((Exemplars(**arrays), share))
    return Voice(**{name: file.get_tensor(name) for name in MEANS}, exemplars=tuple(exemplars))
