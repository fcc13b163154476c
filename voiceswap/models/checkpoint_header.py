"""Where the file of a model is, and its header; without PyTorch, which takes seconds to load."""

import json
import os
from pathlib import Path

from safetensors import SafetensorError, safe_open

from voiceswap import weights
from voiceswap.errors import CheckpointError

DEFAULT = weights.FOLDER / "default.safetensors"
FORMAT = 1
METADATA = "voiceswap"  # its name in the header
MAX_CHECKPOINT_BYTES = 2 << 30  # of a checkpoint's file
DAMAGED = "{} is damaged or not a safetensors file; get or export it again."


def checkpoint_path(path: str | os.PathLike) -> Path:
    """The file of a checkpoint; "default" is the one in the package.

    Raises CheckpointError when it is missing or a folder.
    """
    path = DEFAULT if str(path) == "default" else Path(path)
    if path.is_dir():
        raise CheckpointError(f"{path} is a folder; give a file in it.")
    if not path.is_file():
        raise CheckpointError(f"There is no checkpoint {path}.")
    return path


def read_metadata(path: str | os.PathLike = "default") -> dict:
    """A checkpoint's metadata: format, audio settings, architectures and card.

    Raises CheckpointError when the file is missing, not a voiceswap model, or made by a newer
    version.
    """
    path = checkpoint_path(path)
    if path.stat().st_size > MAX_CHECKPOINT_BYTES:
        raise CheckpointError(f"{path} is larger than any voiceswap model.")
    try:
        with safe_open(path, "numpy") as file:
            metadata = json.loads((file.metadata() or {}).get(METADATA, "null"))
    except (SafetensorError, OSError, ValueError, RecursionError) as error:
        raise CheckpointError(DAMAGED.format(path)) from error
    if not isinstance(metadata, dict):
        raise CheckpointError(
            f"{path} is a safetensors file, but not a voiceswap model; a saved voice is given as "
            "--target."
        )
    if not isinstance(metadata.get("format"), int):
        raise CheckpointError(f"{path} does not tell its format, so it can't be read.")
    if metadata["format"] > FORMAT:
        raise CheckpointError(
            f"{path} was made by a newer voiceswap; upgrade with pip install -U voiceswap."
        )
    return metadata
