"""Where the file of a model is; without PyTorch, which takes seconds to load."""

import os
from pathlib import Path

from voiceswap import weights
from voiceswap.errors import CheckpointError

DEFAULT = weights.FOLDER / "default.safetensors"


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
