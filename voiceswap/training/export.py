"""Training checkpoints to the one file that VoiceSwapper reads."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from voiceswap.errors import CheckpointError
from voiceswap.features import AudioConfig
from voiceswap.files import sha256
from voiceswap.models.autoencoder import Autoencoder
from voiceswap.models.checkpoint import (
    BUILDERS,
    Checkpoint,
    load_checkpoint,
    read_metadata,
    save_checkpoint,
)


def export(
    autoencoder: Sequence[Path],
    vocoder: Path | None,
    out: Path,
    card: Path | None = None,
    streaming: Path | None = None,
    front_end: Path | None = None,
) -> tuple[Path, str]:
    """Write the networks of training checkpoints, or of model files, to the model file `out`.

    Of several autoencoders, the mean of their weights: a later stage of training and the one before
    it together may keep what each is better at (Wortsman et al., "Model soups", 2022). What the
    card does not say of the data, their licences and the settings of training comes from the
    checkpoints, the last named first. Returns the path and its SHA-256, which also goes into
    `out`.sha256, as `sha256sum --check` reads it. Raises CheckpointError when a file does not hold
    the network asked for, or networks of different sizes are to be averaged.
    """
    metadata = _card(card) if card else {}
    others = {"vocoder": vocoder, "streaming": streaming, "front_end": front_end}
    origins = [("autoencoder", path) for path in reversed(autoencoder)] + [
        (name, path) for name, path in others.items() if path
    ]
    networks = {"autoencoder": _mean(autoencoder)} | {
        name: load_network(path, name) for name, path in origins if name != "autoencoder"
    }
    data: dict[str, str] = {}
    for name, origin in origins:
        if Path(origin).suffix == ".ckpt":
            saved = torch.load(origin, map_location="cpu", weights_only=True)
            data |= saved.get("SpeechData", {}).get("data", {})
            settings = {
                key: _shared(value)
                for key, value in saved.get("hyper_parameters", {}).items()
                if not key.startswith("_")
            }
            metadata.setdefault(
                f"{name} training", {"steps made": saved["global_step"], **settings}
            )
    if data:
        metadata.setdefault("data", data)
    path = save_checkpoint(
        out,
        Checkpoint(
            networks["autoencoder"],
            networks.get("vocoder"),
            metadata,
            networks.get("streaming"),
            _content_log_variance(autoencoder),
            networks.get("front_end"),
        ),
    )
    digest = sha256(path)
    path.with_name(f"{path.name}.sha256").write_text(f"{digest}  {path.name}\n")
    return path, digest


def _mean(autoencoders: Sequence[Path]) -> Autoencoder:
    """The autoencoder with the mean of the weights of those in the files."""
    first, *others = [load_network(path, "autoencoder") for path in autoencoders]
    for path, other in zip(autoencoders[1:], others, strict=True):
        first.audio.require_same(other.audio, str(autoencoders[0]), str(path))
        if other.architecture != first.architecture:
            raise CheckpointError(
                f"The autoencoders of {autoencoders[0]} and {path} are not of one size, so they "
                "have no mean."
            )
    with torch.no_grad():
        for together in zip(
            first.parameters(), *(other.parameters() for other in others), strict=True
        ):
            together[0].copy_(torch.stack(together).mean(0))
    return first


def _content_log_variance(autoencoders: Sequence[Path]) -> float | None:
    """The mean over the files, None where one lacks it."""
    found = []
    for path in autoencoders:
        if path.suffix == ".ckpt":
            saved = read_training_checkpoint(path, "autoencoder")["voiceswap"]
        else:
            saved = read_metadata("default" if str(path) == "default" else path)
        found.append(saved.get("content_log_variance"))
    known = [usual for usual in found if usual is not None]
    return sum(known) / len(known) if len(known) == len(found) else None


def _shared(value: Any) -> Any:
    """A setting for the model card: of a path only the name, since folders are private."""
    return Path(value).name if isinstance(value, str) else value


def _card(path: Path) -> dict:
    try:
        metadata = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} is missing or not JSON ({error}).") from error
    if not isinstance(metadata, dict):
        raise CheckpointError(f"{path} must hold a JSON object.")
    return metadata


def load_network(path: str | os.PathLike, name: str, wanted: AudioConfig | None = None) -> Any:
    """The network `name`, one of BUILDERS, of a training checkpoint or a model file.

    "default" is the model in the package. The averaged weights, if the run kept an average. Raises
    CheckpointError when the file does not hold it, or holds it for other audio settings than those
    `wanted`.
    """
    if str(path) == "default" or Path(path).suffix == ".safetensors":
        network = getattr(load_checkpoint(path), name)
        if network is None:
            raise CheckpointError(f"{path} holds no {name}.")
        if wanted:
            wanted.require_same(
                network.config if name == "vocoder" else network.audio, "data.audio", str(path)
            )
        return network.train()
    saved = read_training_checkpoint(path, name)
    description = saved["voiceswap"][name]
    audio = AudioConfig(**description["audio"])
    if wanted:
        wanted.require_same(audio, "data.audio", str(path))
    built: Any = BUILDERS[name](audio, **description["architecture"])
    weights = {
        key.removeprefix(f"{name}."): value
        for key, value in saved["state_dict"].items()
        if key.startswith(f"{name}.")
    }
    built.load_state_dict(weights)
    return built


def read_training_checkpoint(path: str | os.PathLike, name: str) -> dict[str, Any]:
    """The training checkpoint of a network `name`.

    Raises CheckpointError when the file is anything else.
    """
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        saved["voiceswap"][name]
    # There is no telling what bytes of another kind raise when they are read as a pickle.
    except Exception as error:
        raise CheckpointError(
            f"{path} is not a training checkpoint of a voiceswap {name}."
        ) from error
    return saved
