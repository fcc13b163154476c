"""The `voiceswap` command: thin over VoiceSwapper."""

import io
import os
import sys
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from voiceswap.adaptation.command import adapt
from voiceswap.batch.command import batch
from voiceswap.command_options import Device, Precision
from voiceswap.command_outputs import console, fail, require_writable, save, warn, written
from voiceswap.conversion.command import convert, embed, load_swapper, reconstruct, swap, voice
from voiceswap.errors import MEMORY_IS_FULL, VoiceswapError, memory_is_full
from voiceswap.evaluation.command import evaluate
from voiceswap.info import info
from voiceswap.live.command import live
from voiceswap.notes import notes_to
from voiceswap.training.command import export, train
from voiceswap.ui.command import ui

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


def demo(
    out: Annotated[
        Path,
        typer.Option(help="Folder for four recordings and a picture, in place of an earlier demo."),
    ] = Path("voiceswap-demo"),
    device: Device = "auto",
    precision: Precision = "auto",
) -> None:
    """Swap two short recordings that come with the package: A says hello, B says goodbye."""
    from voiceswap.audio import read_audio
    from voiceswap.examples import GOODBYE, HELLO
    from voiceswap.plots import draw_mels

    require_writable(out / "mels.png")
    swapper = load_swapper("default", device, precision)
    rate = swapper.sample_rate
    hello, goodbye = read_audio(HELLO, rate), read_audio(GOODBYE, rate)
    with console.status("Converting ..."):
        goodbye_by_a, hello_by_b = swapper.swap(GOODBYE, HELLO)
    results = {
        "a-says-hello": (hello, "A says hello, as recorded"),
        "b-says-goodbye": (goodbye, "B says goodbye, as recorded"),
        "a-says-goodbye": (goodbye_by_a, "A says goodbye: B's words in A's voice"),
        "b-says-hello": (hello_by_b, "B says hello: A's words in B's voice"),
    }
    for name, (samples, what) in results.items():
        save(out / f"{name}.wav", samples, rate, what)
    views = {what: samples for samples, what in results.values()}
    picture = draw_mels(views, rate, out / "mels.png")
    written(picture, "the four mel spectrograms, F0 in blue")


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
_add(CONVERT, batch, "talks --target anna.wav --out talks-by-anna --format flac")
_add(
    CONVERT,
    live,
    "--target anna.wav",
    "--target anna.wav --simulate talk.wav --out talk-live.wav --report",
)
_add(VOICES, voice, "anna-1.wav anna-2.wav --out anna.safetensors")
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
    """Run the command; a user's mistake is one sentence and exit status 1."""
    for stream in (sys.stdout, sys.stderr):  # of a name, what the terminal lacks is replaced
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    warnings.formatwarning = lambda message, *place, **line: f"{message}\n"  # a line, no trace
    try:
        with notes_to(warn):
            app()
    except VoiceswapError as error:
        fail(error)
        sys.exit(1)
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
    except OSError as error:  # without a file's name: what is printed can't be written
        what = "The output can't be written" if error.filename is None else error.filename
        fail(f"{what} ({error.strerror}).")
        os._exit(1)  # without writing again what is left in the buffer


if __name__ == "__main__":
    main()
