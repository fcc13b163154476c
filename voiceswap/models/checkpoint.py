"""The file of a model: weights, audio settings, architecture and model card. No code, no pickle."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from voiceswap.errors import CheckpointError
from voiceswap.features import AudioConfig
from voiceswap.files import whole_file
from voiceswap.models.autoencoder import Autoencoder
from voiceswap.models.checkpoint_header import (
    DAMAGED,
    FORMAT,
    METADATA,
    checkpoint_path,
    read_metadata,
)
from voiceswap.models.denoiser import Denoiser
from voiceswap.models.front_end_adapter import FrontEndAdapter
from voiceswap.models.quantization import dequantize, quantize
from voiceswap.models.speaker_distribution import SpeakerDistribution
from voiceswap.models.streaming_encoder import StreamingEncoder
from voiceswap.models.vocoder import SourceFilterVocoder
from voiceswap.precision import torch_defaults

MAX_SIZE = 8192  # of a layer, a transform or a hop
MAX_SIZES = {"sample_rate": 192000, "rate": 192000, "f_min": 96000, "f_max": 96000} | dict.fromkeys(
    ("content_blocks", "speaker_blocks", "decoder_blocks", "blocks", "high_blocks", "steps"), 64
)
BUILDERS: dict[str, Callable[..., nn.Module]] = {
    "autoencoder": Autoencoder,
    "vocoder": SourceFilterVocoder,
    "streaming": StreamingEncoder,
    "front_end_adapter": FrontEndAdapter,
    "denoiser": Denoiser,
    "speaker_distribution": SpeakerDistribution,
}


@dataclass
class Checkpoint:
    """The networks of BUILDERS in evaluation mode, and the model card.

    All but the autoencoder may be None.

    `streaming` encodes the content of streams; `front_end_adapter` makes the front end robust to
    noise, rooms and other people's talk; `denoiser` removes the noise of references; random voices
    are drawn from `speaker_distribution`, or from the prior where it is None.
    `content_log_variance` is the mean log-variance of the content posterior over speech, or None
    where it was not measured.
    """

    autoencoder: Autoencoder
    vocoder: SourceFilterVocoder | None = None
    card: dict = field(default_factory=dict)
    streaming: StreamingEncoder | None = None
    content_log_variance: float | None = None
    front_end_adapter: FrontEndAdapter | None = None
    denoiser: Denoiser | None = None
    speaker_distribution: SpeakerDistribution | None = None

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

    Weights are in half precision, and the large matrices of ConvNeXt blocks and of the streaming
    encoder, which are most of a model, in 8 bits.

    Raises CheckpointError when autoencoder and vocoder do not share their audio settings, when the
    streaming encoder or the front-end adapter is of another autoencoder, or nothing can be written
    there.
    """
    path = Path(path)
    _require_own_autoencoder(checkpoint)
    if checkpoint.vocoder is not None:
        checkpoint.audio.require_same(checkpoint.vocoder.config, "the autoencoder", "the vocoder")
    named = ((name, getattr(checkpoint, name)) for name in BUILDERS)
    parts = {name: network for name, network in named if network is not None}
    metadata = {
        "format": FORMAT,
        "audio": checkpoint.audio.to_dict(),
        **{name: network.architecture for name, network in parts.items()},
        "card": checkpoint.card,
        "content_log_variance": checkpoint.content_log_variance,
    }
    state = {
        f"{name}.{key}": value
        for name, network in parts.items()
        for key, value in network.state_dict().items()
    }
    tensors = quantize(state, _in_eight_bits)
    with whole_file(path, CheckpointError) as temporary:
        save_file(tensors, temporary, {METADATA: json.dumps(metadata)})
    return path


def _in_eight_bits(name: str) -> bool:
    of_block = name.endswith((".expand.weight", ".project.weight"))
    return of_block or name.startswith("streaming.changes.")


def _require_own_autoencoder(checkpoint: Checkpoint) -> None:
    """Raise CheckpointError where a part is of another front end or code than the autoencoder."""
    own = checkpoint.autoencoder
    speakers = checkpoint.speaker_distribution
    if speakers and speakers.architecture["code"] != own.architecture["speaker_code"]:
        raise CheckpointError(
            f"The speaker distribution is of {speakers.architecture['code']} channels, and the "
            f"autoencoder's speaker code has {own.architecture['speaker_code']}. Use one that was "
            "made with it."
        )
    for what, network in (
        ("streaming encoder", checkpoint.streaming),
        ("front-end adapter", checkpoint.front_end_adapter),
    ):
        if network is None:
            continue
        sizes = network.architecture
        code = sizes.get("code", own.architecture["content_code"])
        if (sizes["front_end"], code) != (own.front_end, own.architecture["content_code"]):
            raise CheckpointError(
                f"The {what} is for an autoencoder on {sizes['front_end']} with {code} channels of "
                f"content code; this one is on {own.front_end} with "
                f"{own.architecture['content_code']}. Use one that was trained with it."
            )


@torch_defaults()
def load_checkpoint(path: str | os.PathLike = "default") -> Checkpoint:
    """Read a checkpoint; "default" is the one in the package.

    Networks come in float32 and evaluation mode. Raises CheckpointError when the file is missing,
    truncated, not a voiceswap model, or made by a newer version, and when its sizes or weights are
    not those of a model: nothing is built before they are checked.
    """
    metadata, tensors = read_metadata(path), _tensors(checkpoint_path(path))
    try:
        audio = AudioConfig(**metadata["audio"])
        card = dict(metadata["card"])
        usual = metadata.get("content_log_variance")
        if usual is not None and not -8 <= usual <= 2:
            raise ValueError(f"content_log_variance is {usual}")
        builders = {k: build for k, build in BUILDERS.items() if k in {"autoencoder", *metadata}}
        for sizes in (audio.to_dict(), *(metadata[name] for name in builders)):
            _check_sizes(sizes)
        networks: dict[str, Any] = {}
        for name, build in builders.items():
            prefix = f"{name}."
            state = {k.removeprefix(prefix): t for k, t in tensors.items() if k.startswith(prefix)}
            networks[name] = _with_weights(partial(build, audio, **metadata[name]), state)
    except (
        LookupError,
        TypeError,
        ValueError,
        RuntimeError,
        AttributeError,
        ArithmeticError,
    ) as error:
        raise CheckpointError(
            f"{path} does not hold the networks that it describes; get or export it again."
        ) from error
    checkpoint = Checkpoint(**networks, card=card, content_log_variance=usual)
    _require_own_autoencoder(checkpoint)
    return checkpoint


def _with_weights(build: Callable[[], nn.Module], state: Mapping[str, Tensor]) -> nn.Module:
    """A network with weights, in evaluation mode. Raises ValueError for weights of another."""
    with torch.device("meta"):  # costs nothing until the weights are known to fit
        expected = build().state_dict()
    if {k: t.shape for k, t in expected.items()} != {k: t.shape for k, t in state.items()}:
        raise ValueError("the weights have other shapes")
    if not all(tensor.isfinite().all() for tensor in state.values()):
        raise ValueError("there are weights that are not numbers")
    network = build()
    network.load_state_dict(state)
    return network.eval()


def _check_sizes(sizes: Mapping[str, object]) -> None:
    """Raise ValueError for sizes that no model has."""
    for name, value in sizes.items():
        if name == "front_end" or (name == "f_min" and value == 0):
            continue
        kind = (int, float) if name in ("f_min", "f_max", "log_floor") else int
        if isinstance(value, bool) or not isinstance(value, kind):
            raise ValueError(f"{name} is {value}")
        if not 0 < value <= MAX_SIZES.get(name, MAX_SIZE):
            raise ValueError(f"{name} is {value}")


def _tensors(path: Path) -> dict[str, Tensor]:
    try:
        return dequantize(load_file(path))
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:
        raise CheckpointError(DAMAGED.format(path)) from error
