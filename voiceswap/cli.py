"""The `voiceswap` command: the commands that it has, and how errors end it."""

import io
import os
import sys
import warnings
from collections.abc import Callable
from importlib.metadata import version
from typing import Annotated

import typer

from voiceswap.commands.adapt import adapt
from voiceswap.commands.batch import batch
from voiceswap.commands.convert import convert, embed, reconstruct, swap, voice
from voiceswap.commands.demo import demo
from voiceswap.commands.dialogue import dialogue
from voiceswap.commands.evaluate import evaluate
from voiceswap.commands.info import info
from voiceswap.commands.live import live
from voiceswap.commands.outputs import console, fail, warn
from voiceswap.commands.train import export, train
from voiceswap.commands.ui import ui
from voiceswap.errors import (
    LIBRARY_IS_BROKEN,
    MEMORY_IS_FULL,
    OptionError,
    VoiceswapError,
    library_is_broken,
    memory_is_full,
)
from voiceswap.notes import notes_to

START, CONVERT, VOICES, MODELS = "Start", "Convert", "Voices and codes", "Models"

app = typer.Typer(
    help="Voice conversion: A's words in B's voice. Start with [bold]voiceswap demo[/bold].",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        console.print(f"voiceswap {version('voiceswap')}", highlight=False)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass


def _add(panel: str, command, *examples: str, **settings) -> None:
    """Make a command of a function, with examples below its help."""
    word = "Example" if len(examples) == 1 else "Examples"
    epilog = f"{word}: {'; '.join(f'voiceswap {command.__name__} {line}' for line in examples)}"
    app.command(rich_help_panel=panel, epilog=epilog, **settings)(command)


_add(START, demo, "--out demo")
_add(START, ui, "--port 7860 --auth me:secret")
_add(CONVERT, swap, "anna.wav ben.mp3 --out swapped")
_add(
    CONVERT,
    convert,
    "talk.mp3 --target anna-1.wav --target anna-2.wav --out talk-anna.wav",
    "song.wav --target anna.safetensors --pitch exact",
)
_add(
    CONVERT,
    dialogue,
    "interview.mp4",
    "interview.wav --second anna.wav --turns turns.csv --out interview-anna.wav",
)
_add(CONVERT, batch, "talks --target anna.wav --out talks-by-anna --format flac")
_add(
    CONVERT,
    live,
    "--target anna.wav",
    "--target anna.wav --simulate talk.wav --out talk-live.wav --report",
)
_add(
    VOICES,
    voice,
    "anna-1.wav anna-2.wav --out anna.safetensors",
    "--random --out witness-1.safetensors",
)
_add(VOICES, adapt, "anna/*.wav --out anna.safetensors")
_add(VOICES, embed, "anna.wav --out anna.npz")
_add(VOICES, reconstruct, "anna.wav --out anna-again.wav")
_add(MODELS, info, "my-model.safetensors --all", "anna.safetensors")
_add(
    MODELS,
    train,
    "autoencoder --config recipes/default/autoencoder.yaml --trainer.max_steps 1000",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
_add(
    MODELS,
    export,
    "runs/autoencoder/last.ckpt --vocoder runs/vocoder/last.ckpt --out my-model.safetensors",
)
_add(MODELS, evaluate, "--pairs pairs.csv --root corpora --asr whisper-base --out evaluation")


def main() -> None:
    """The command `voiceswap`."""
    run(app)


def run(command: Callable[[], object]) -> None:
    """Run a command; a user's mistake is one sentence and exit status 1.

    It is 2, as typer's own, where an option's value is not possible.
    """
    for stream in (sys.stdout, sys.stderr):  # of a name, what the terminal lacks is replaced
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    warnings.formatwarning = lambda message, *place, **line: f"{message}\n"  # a line, no trace
    try:
        with notes_to(warn):
            command()
    except VoiceswapError as error:
        fail(error)
        sys.exit(2 if isinstance(error, OptionError) else 1)
    except (MemoryError, RuntimeError) as error:
        if not memory_is_full(error):
            raise
        fail(MEMORY_IS_FULL)
        sys.exit(1)
    except SystemExit as ended:
        if isinstance(getattr(ended.__context__, "__cause__", None), KeyboardInterrupt):
            fail("Stopped.")  # typer makes an exit of it
        raise
    except KeyboardInterrupt:
        fail("Stopped.")
        sys.exit(130)
    except (ImportError, OSError) as error:
        if library_is_broken(error):
            told = str(getattr(error, "strerror", None) or error)
            fail(LIBRARY_IS_BROKEN.format(" ".join(told.split()).rstrip(".")))
            sys.exit(1)
        if not isinstance(error, OSError):
            raise
        # Without a file's name, what is printed can't be written.
        what = "The output can't be written" if error.filename is None else error.filename
        fail(f"{what} ({error.strerror}).")
        os._exit(1)  # without writing again what is left in the buffer


if __name__ == "__main__":
    main()
