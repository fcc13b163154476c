"""Where commands write, and what they print about it.

Names of files can hold anything, and terminals can't show everything.
"""

import os
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.text import Text

from voiceswap.audio_io.endings import SOUND_ENDINGS
from voiceswap.errors import VoiceswapError
from voiceswap.files import require_writable

console, errors = Console(), Console(stderr=True)
FILE_ENDINGS = (*SOUND_ENDINGS, "csv", "html", "json", "jsonl", "npz", "png", "safetensors", "zip")


def command_line() -> str:
    """The command that runs, as a shell takes it."""
    return shlex.join(["voiceswap", *sys.argv[1:]])


def plain(text: object) -> str:
    """One line, of characters that the terminal takes; others are replaced."""
    line = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(text))
    encoding = sys.stdout.encoding or "utf-8"
    return line.encode(encoding, "replace").decode(encoding)


def save(path: Path, samples: np.ndarray, rate: int, what: str, source: Path) -> None:
    """Write samples (samples,), with the bits of their source, and print that."""
    from voiceswap.audio_io.subtypes import fine_subtype
    from voiceswap.audio_io.writing import write_audio

    write_audio(path, samples, rate, fine_subtype(path, source))
    written(path, what)


def written(path: Path, what: str) -> None:
    """Print a file's name and what it is."""
    # Text, not markup: brackets in a file's name are a part of it.
    console.print(Text.assemble((plain(path), "green"), f"  {plain(what)}"), soft_wrap=True)


def warn(sentence: str) -> None:
    """Print what a user should know of a result that is there."""
    errors.print(Text(plain(sentence), "yellow"), soft_wrap=True)


def fail(problem: object) -> None:
    """Print why there is no result: an error, or a sentence."""
    errors.print(Text(plain(problem), "red"), soft_wrap=True)


@contextmanager
def converting() -> Iterator[Callable[[float], None]]:
    """A bar in a terminal during the block. Gives the function of the share done that moves it."""
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("Converting", total=1.0)
        yield lambda done: bar.update(task, completed=done)


def require_folder(out: Path) -> None:
    """Raise VoiceswapError for a file's name that is given as the name of a folder."""
    if out.suffix[1:].lower() in FILE_ENDINGS and not out.is_dir():
        raise VoiceswapError(
            f"{out} is a file's name, and --out is a folder here; give it without {out.suffix}."
        )


def free_names(
    *paths: Path, overwrite: bool = False, taken: Callable[[Path], bool] = os.path.lexists
) -> list[Path]:
    """Names that nothing has yet: `paths`, or all with the lowest number at the end from 2 on.

    Names that a user did not give must not replace what is there, unless it may be overwritten.
    """
    numbered, number = list(paths), 1
    while not overwrite and any(map(taken, numbered)):
        number += 1
        numbered = [path.with_name(f"{path.stem}-{number}{path.suffix}") for path in paths]
    return numbered


def output_file(
    out: Path | None,
    name: str,
    inputs: Sequence[Path] = (),
    overwrite: bool = False,
    kind: str = "",
    taken: Callable[[Path], bool] = os.path.lexists,
) -> Path:
    """The file to write: `out`, or `name` where it is None, a folder or has no ending.

    `name` gets a number where it is `taken`, unless what is there may be overwritten. Raises
    VoiceswapError when it has not the ending of `name`, or is a recording, which has no `kind` such
    as "A voice's file", in a format that can't be written; when it can't be written there; and when
    it is one of `inputs`, unless they may be overwritten.
    """
    if out is None or out.is_dir() or not (out.suffix or out.exists()):
        (path,) = free_names((out or Path()) / name, overwrite=overwrite, taken=taken)
    else:
        path = out
    _require_ending(path, Path(name).suffix, kind)
    require_writable(path)
    for read in inputs:
        if not overwrite and path.exists() and read.exists() and path.samefile(read):
            raise VoiceswapError(
                f"{path} is read by this command; give another --out, or --overwrite to write "
                "over it."
            )
    return path


def _require_ending(path: Path, ending: str, kind: str) -> None:
    from voiceswap.audio_io.writing import require_format

    if not kind:
        require_format(path)
    elif path.suffix.lower() != ending:
        raise VoiceswapError(f"{kind} has to end in {ending}, and {path} does not.")
