"""The file of a model: weights, audio settings, architecture and model card. No code, no pickle."""

import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from voiceswap import weights
from voiceswap.errors import CheckpointError
from voiceswap.features import AudioConfig
from voiceswap.files import whole_file
from voiceswap.models.autoencoder import Autoencoder
from voiceswap.models.quantization import dequantize, quantize
from voiceswap.models.vocoder import SourceFilterVocoder

FORMAT = 1
DEFAULT = weights.FOLDER / "default.safetensors"


@dataclass
class Checkpoint:
    """Networks in evaluation mode, and the model card. `vocoder` may be None."""

    autoencoder: Autoencoder
    vocoder: SourceFilterVocoder | None
    card: dict = field(default_factory=dict)

    def fingerprint(self) -> str:
        """Short hash of the autoencoder's weights; a saved voice belongs to one fingerprint."""
        digest = hashlib.sha256()
        for name, tensor in sorted(self.autoencoder.state_dict().items()):
            digest.update(name.encode() + tensor.cpu().float().numpy().tobytes())
        return digest.hexdigest()[:16]

    @property
    def audio(self) -> AudioConfig:
        """The audio settings that all parts share."""
        return self.autoencoder.audio


def save_checkpoint(path: str | os.PathLike, checkpoint: Checkpoint) -> Path:
    """Write a checkpoint, whole or not at all. Returns the path.

    Weights are in half precision, and the ConvNeXt blocks' large matrices, which are most of a
    model, in 8 bits.

    Raises CheckpointError when autoencoder and vocoder do not share their audio settings, or
    nothing can be written there.
    """
    path = Path(path)
    parts: dict[str, nn.Module] = {"autoencoder": checkpoint.autoencoder}
    if checkpoint.vocoder is not None:
        checkpoint.audio.require_same(checkpoint.vocoder.config, "the autoencoder", "the vocoder")
        parts["vocoder"] = checkpoint.vocoder
    metadata = {
        "format": FORMAT,
        "audio": checkpoint.audio.to_dict(),
        **{name: network.architecture for name, network in parts.items()},
        "card": checkpoint.card,
    }
    state = {
        f"{name}.{key}": value
        for name, network in parts.items()
        for key, value in network.state_dict().items()
    }
    tensors = quantize(
        state, eight_bits=lambda name: name.endswith((".expand.weight", ".project.weight"))
    )
    with whole_file(path, CheckpointError) as temporary:
        save_file(tensors, temporary, {"voiceswap": json.dumps(metadata)})
    return path


def load_checkpoint(
    path: str | os.PathLike = "default", device: str | torch.device = "cpu"
) -> Checkpoint:
    """Read a checkpoint; "default" is the one in the package.

    Networks come in float32 and evaluation mode.

    Raises CheckpointError when the file is missing, truncated, not a voiceswap model, or made by a
    newer version.
    """
    metadata, tensors = _read(_path(path))
    try:
        audio = AudioConfig(**metadata["audio"])
        autoencoder = Autoencoder(audio, **metadata["autoencoder"])
        vocoder = (
            SourceFilterVocoder(audio, **metadata["vocoder"]) if "vocoder" in metadata else None
        )
        for name, network in (("autoencoder", autoencoder), ("vocoder", vocoder)):
            if network is not None:
                network.load_state_dict(
                    {
                        key.removeprefix(f"{name}."): tensor
                        for key, tensor in tensors.items()
                        if key.startswith(f"{name}.")
                    }
                )
                network.to(device).eval()
    except (KeyError, TypeError, RuntimeError) as error:
        raise CheckpointError(f"{path} does not hold the networks that it describes.") from error
    return Checkpoint(autoencoder, vocoder, metadata["card"])


def read_metadata(path: str | os.PathLike = "default") -> dict:
    """A checkpoint's metadata: format, audio settings, architectures and card.

    Raises as `load_checkpoint`.
    """
    return _read(_path(path), weights=False)[0]


def _path(path: str | os.PathLike) -> Path:
    path = DEFAULT if str(path) == "default" else Path(path)
    if not path.is_file():
        raise CheckpointError(f"There is no checkpoint {path}.")
    return path


def _read(path: Path, weights: bool = True) -> tuple[dict, dict[str, Tensor]]:
    try:
        with safe_open(path, "pt") as file:
            metadata = json.loads((file.metadata() or {}).get("voiceswap", "null"))
            tensors = (
                dequantize({name: file.get_tensor(name) for name in file.keys()}) if weights else {}
            )
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(f"{path} is damaged or not a safetensors file.") from error
    if not isinstance(metadata, dict):
        raise CheckpointError(f"{path} is a safetensors file, but not a voiceswap model.")
    if metadata.get("format", 0) > FORMAT:
        raise CheckpointError(
            f"{path} was made by a newer voiceswap; upgrade with pip install -U voiceswap."
        )
    return metadata, tensors
