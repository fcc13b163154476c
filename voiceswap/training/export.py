"""Training checkpoints to the one file that VoiceSwapper reads."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import torch

from voiceswap.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from voiceswap.errors import CheckpointError
from voiceswap.features import AudioConfig
from voiceswap.model import Autoencoder
from voiceswap.vocoder import SourceFilterVocoder


def export(autoencoder: Path, vocoder: Path | None, out: Path, card: Path | None = None) -> tuple[Path, str]:
    """Pack the networks of training checkpoints (or of model files) into `out`; `card` is a JSON file.

    Returns the path and its SHA-256. Raises CheckpointError when a file does not hold the network asked for.
    """
    facts = json.loads(card.read_text()) if card else {}
    packed = Checkpoint(load_network(autoencoder, "autoencoder"), load_network(vocoder, "vocoder") if vocoder else None, facts)
    path = save_checkpoint(out, packed)
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


def describe(network: Autoencoder | SourceFilterVocoder, audio: AudioConfig) -> dict:
    """What a training checkpoint says of its network, so that `export` can build it again without running code."""
    return {"audio": audio.to_dict(), "architecture": network.architecture}


def load_network(path: str | os.PathLike, name: str) -> Any:
    """The network `name` ("autoencoder" or "vocoder") of a training checkpoint or a model file, in training mode.

    The averaged weights, if the run kept an average. Raises CheckpointError when the file does not hold it.
    """
    if Path(path).suffix == ".safetensors":
        network = getattr(load_checkpoint(path), name)
        if network is None:
            raise CheckpointError(f"{path} holds no {name}.")
        return network.train()
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        description = saved["voiceswap"][name]
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise CheckpointError(f"{path} is not a training checkpoint of a voiceswap {name}.") from error
    audio = AudioConfig(**description["audio"])
    build: Any = {"autoencoder": Autoencoder, "vocoder": SourceFilterVocoder}[name]
    network = build(audio, **description["architecture"])
    weights = {key.removeprefix(f"{name}."): value for key, value in saved["state_dict"].items() if key.startswith(f"{name}.")}
    network.load_state_dict(weights)
    return network
