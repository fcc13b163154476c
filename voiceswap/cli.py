"""The `voiceswap` command: thin over VoiceSwapper."""

import io
import os
import sys
import warnings
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from voiceswap.adaptation.command import adapt
from voiceswap.batch.command import batch
from voiceswap.command_options import (
    Device,
    Model,
    Overwrite,
    PitchOptions,
    PitchRange,
    Precision,
    Seed,
    Strength,
)
from voiceswap.command_outputs import console, fail, output_file, save, warn, written
from voiceswap.errors import MEMORY_IS_FULL, VoiceswapError, memory_is_full
from voiceswap.evaluation.command import evaluate
from voiceswap.live.command import live
from voiceswap.notes import notes_to
from voiceswap.training.command import export, train
from voiceswap.ui.command import ui

app = typer.Typer(
    help="Voice conversion: A's words in B's voice. Start with [bold]voiceswap demo[/bold].",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)

RecordingPath = Annotated[
    Path,
    typer.Argument(help="A recording: wav, flac, mp3, m4a, ogg, mp4, ...", show_default=False),
]
OutFile = Annotated[
    Path, typer.Option(help="File to write, whose ending sets the format; or a folder.")
]


def _swapper(checkpoint: str, device: str, precision: str = "auto"):
    from voiceswap.conversion.swapper import VoiceSwapper

    with console.status("Loading the model ..."):
        return VoiceSwapper.load(checkpoint, device, precision=precision)


@app.command(epilog="Example: voiceswap swap anna.wav ben.mp3 --out swapped")
def swap(
    a: RecordingPath,
    b: RecordingPath,
    out: Annotated[Path, typer.Option(help="Folder for the two results.")] = Path("swapped"),
    checkpoint: Model = "default",
    device: Device = "auto",
    precision: Precision = "auto",
) -> None:
    """Swap two voices: A's words in B's voice, and B's words in A's."""
    swapper = _swapper(checkpoint, device, precision)
    with console.status("Converting ..."):
        a_words, b_words = swapper.swap(a, b)
    name_a, name_b = (a.stem, b.stem) if a.stem != b.stem else (f"{a.stem}-1", f"{b.stem}-2")
    rate = swapper.sample_rate
    save(out / f"{name_a}-in-the-voice-of-{name_b}.wav", a_words, rate, "A's words, B's voice")
    save(out / f"{name_b}-in-the-voice-of-{name_a}.wav", b_words, rate, "B's words, A's voice")


@app.command(
    epilog="Example: voiceswap convert talk.mp3 --target anna-1.wav --target anna-2.wav "
    "--out talk-anna.wav"
)
def convert(
    source: RecordingPath,
    target: Annotated[
        list[Path],
        typer.Option(
            help="A recording of the target voice, or a voice kept by 'voiceswap voice'; several "
            "are averaged, and of one person bring the voice nearer.",
            show_default=False,
        ),
    ],
    out: OutFile = Path("converted.wav"),
    pitch: PitchOptions = "0",  # type: ignore[assignment]  # typer parses it
    pitch_range: PitchRange = 1.0,
    strength: Strength = 1.0,
    seed: Seed = None,
    overwrite: Overwrite = False,
    checkpoint: Model = "default",
    device: Device = "auto",
    precision: Precision = "auto",
) -> None:
    """Convert SOURCE to another voice."""
    name = f"{source.stem}-in-the-voice-of-{target[0].stem}.wav"
    out = output_file(out, name, [source, *target], overwrite)
    swapper = _swapper(checkpoint, device, precision)
    options = {**pitch, "pitch_range": pitch_range, "strength": strength, "seed": seed}
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("Converting", total=1.0)
        swapper.convert_file(
            source, list(target), out, lambda done: bar.update(task, completed=done), **options
        )
    written(out, f"{source.name} in the voice of {', '.join(path.name for path in target)}")


@app.command(epilog="Example: voiceswap voice anna-1.wav anna-2.wav --out anna.safetensors")
def voice(
    recordings: Annotated[
        list[Path],
        typer.Argument(
            help="Recordings of one voice; several bring it nearer.", show_default=False
        ),
    ],
    out: Annotated[Path, typer.Option(help="The .safetensors file to write, or a folder.")] = Path(
        "voice.safetensors"
    ),
    overwrite: Overwrite = False,
    checkpoint: Model = "default",
    device: Device = "auto",
) -> None:
    """Keep a voice in a small file, to give as --target later."""
    out = output_file(out, f"{recordings[0].stem}.safetensors", recordings, overwrite)
    swapper = _swapper(checkpoint, device)
    written(
        swapper.save_voice(swapper.voice(list(recordings)), out),
        f"the voice of {', '.join(path.name for path in recordings)}",
    )


@app.command(epilog="Example: voiceswap reconstruct anna.wav --out anna-again.wav")
def reconstruct(
    source: RecordingPath,
    out: OutFile = Path("reconstructed.wav"),
    overwrite: Overwrite = False,
    checkpoint: Model = "default",
    device: Device = "auto",
) -> None:
    """Take a recording through both codes and back in its own voice: what the model can keep."""
    out = output_file(out, f"{source.stem}-reconstructed.wav", [source], overwrite)
    swapper = _swapper(checkpoint, device)
    save(out, swapper.reconstruct(source), swapper.sample_rate, f"{source.name}, rebuilt")


@app.command(epilog="Example: voiceswap embed anna.wav --out anna.npz")
def embed(
    source: RecordingPath,
    out: Annotated[Path, typer.Option(help="The .npz file to write, or a folder.")] = Path(
        "codes.npz"
    ),
    checkpoint: Model = "default",
    device: Device = "auto",
) -> None:
    """Write content and speaker codes of a recording, for other tasks to use.

    Arrays: content (frames, channels), content_rate (frames a second), speaker (channels,), log_f0
    (mean and deviation of ln Hz).
    """
    import numpy as np

    from voiceswap.files import whole_file

    out = output_file(out, f"{source.stem}.npz")
    if out.suffix.lower() != ".npz":
        raise VoiceswapError(f"The codes' file has to end in .npz, and {out} does not.")
    swapper = _swapper(checkpoint, device)
    content, voice = swapper.content(source), swapper.embed(source)
    rate = swapper.content_rate
    with whole_file(out) as temporary, open(temporary, "wb") as file:
        np.savez(
            file,
            content=content,
            content_rate=rate,
            speaker=voice.code.cpu().numpy(),
            log_f0=voice.log_f0.cpu().numpy(),
        )
    written(
        out,
        f"content {content.shape} at {rate:g} frames a second, speaker {tuple(voice.code.shape)}",
    )


@app.command(epilog="Example: voiceswap info my-model.safetensors")
def info(
    checkpoint: Annotated[
        str, typer.Argument(help="A model file, or 'default' for the one in the package.")
    ] = "default",
) -> None:
    """Show what a model is: settings, sizes, training data, licences and measured figures."""
    from voiceswap.models.checkpoint import read_metadata

    metadata = read_metadata(checkpoint)
    table = Table(
        show_header=False, title=Text(f"voiceswap model: {checkpoint}"), title_justify="left"
    )
    analysed = metadata["audio"]["sample_rate"]
    synthesized = metadata.get("vocoder", {}).get("rate", analysed)
    table.add_row("rates", f"{analysed} Hz in, {synthesized} Hz out")
    for part in ("audio", "autoencoder", "vocoder", "streaming"):
        if part in metadata:
            values = ", ".join(f"{name} {value}" for name, value in metadata[part].items())
            table.add_row(part, Text(values))
    for name, value in metadata["card"].items():
        if isinstance(value, dict):
            value = "\n".join(f"{key}: {entry}" for key, entry in value.items())
        table.add_row(Text(name), Text(str(value)))
    console.print(table)


@app.command(epilog="Example: voiceswap demo --out demo")
def demo(
    out: Annotated[Path, typer.Option(help="Folder for four recordings and a picture.")] = Path(
        "voiceswap-demo"
    ),
    device: Device = "auto",
    precision: Precision = "auto",
) -> None:
    """Swap two short recordings that come with the package: A says hello, B says goodbye."""
    from voiceswap.audio import read_audio
    from voiceswap.examples import GOODBYE, HELLO
    from voiceswap.plots import draw_mels

    swapper = _swapper("default", device, precision)
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


app.command(
    epilog="Examples: voiceswap live --target anna.wav; voiceswap live --target anna.wav "
    "--simulate talk.wav --out talk-live.wav --report"
)(live)
app.command(epilog="Example: voiceswap adapt anna/*.wav --out anna.safetensors")(adapt)
app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    epilog="Example: voiceswap train autoencoder --config recipes/default/autoencoder.yaml "
    "--trainer.max_steps 1000",
)(train)
app.command(
    epilog="Example: voiceswap export runs/autoencoder/last.ckpt --vocoder runs/vocoder/last.ckpt "
    "--out my-model.safetensors"
)(export)
app.command(
    epilog="Example: voiceswap evaluate --pairs pairs.csv --root corpora --asr whisper-base "
    "--out evaluation"
)(evaluate)
app.command(
    epilog="Example: voiceswap batch talks --target anna.wav --out talks-by-anna --format flac"
)(batch)
app.command(epilog="Example: voiceswap ui --port 7860 --auth me:secret")(ui)


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
    except RuntimeError as error:
        if not memory_is_full(error):
            raise
        fail(MEMORY_IS_FULL)
        sys.exit(1)
    except KeyboardInterrupt:
        fail("Stopped.")
        sys.exit(130)
    except OSError as error:  # without a file's name: what is printed can't be written
        what = "The output can't be written" if error.filename is None else error.filename
        fail(f"{what} ({error.strerror}).")
        os._exit(1)  # without writing again what is left in the buffer


if __name__ == "__main__":
    main()
