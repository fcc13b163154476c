"""`voiceswap adapt`."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from voiceswap.audio_io.recording_files import name_of, recordings_in, require_any_recording
from voiceswap.commands.convert import load_swapper
from voiceswap.commands.options import FREE_NAME, Device, Model, Overwrite
from voiceswap.commands.outputs import console, free_names, output_file, warn, written

MIN_WORDS = 0.8  # similarity of content that conversions keep; 0.96 is usual, of music it is 0.46


def adapt(
    recordings: Annotated[
        list[Path],
        typer.Argument(
            help="Recordings of one voice, or a folder of them; ten seconds of speech are enough, "
            "a minute is better.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help=f"The .safetensors file to write, or a folder. {FREE_NAME}",
            show_default="NAME.safetensors",
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="Name of the file, where --out gives none.", show_default="RECORDING"),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            min=1, help="Most training steps.", show_default="60 to 200, by the length of speech"
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random numbers.")] = 0,
    overwrite: Overwrite = False,
    checkpoint: Model = "default",
    device: Device = "auto",
) -> None:
    """Adapt the model to one voice, and save that voice to a file, to give as --target later.

    Prints the similarity before and after, and saves a plot beside the file.
    Ctrl-C keeps the best so far, and its plot as NAME-adapting.png; the same command continues.
    """
    named = f"{name or name_of(recordings[0])}.safetensors"
    recordings = recordings_in(recordings)
    place = partial(output_file, out, named, recordings, overwrite, "A voice's file")
    place()  # refused before the model loads
    require_any_recording(*recordings)
    swapper = load_swapper(checkpoint, device)
    from voiceswap.adaptation.adapt import adapt as run
    from voiceswap.adaptation.adapt import run_key
    from voiceswap.adaptation.recordings import read_recordings

    with console.status("Reading the recordings ..."):
        read = read_recordings(recordings, swapper.sample_rate)
    path = place(partial(_taken, key=run_key(swapper, read, steps, seed)))
    (picture,) = free_names(path.with_name(f"{path.stem}-adapted.png"), overwrite=overwrite)
    state = _state(path)
    resumed = state.exists()
    unfinished = path.with_name(f"{path.stem}-adapting.png")  # the plot of a run that was stopped
    if not resumed:
        (unfinished,) = free_names(unfinished, overwrite=overwrite)
    columns = TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("Computing features", total=1.0)

        def show(done: float, what: str) -> None:
            bar.update(task, completed=done, description=what)

        adapted = run(swapper, read, steps, seed, state, show)
    report = adapted.report
    if report.stopped and not report.helped:
        raise KeyboardInterrupt  # nothing was learned yet, and what the file held before stays
    swapper.save_voice(adapted.voice, path)
    if report.stopped:
        picture = unfinished
    else:  # the voice is kept, so what there was to go on from is done with
        state.unlink(missing_ok=True)
        if resumed:
            unfinished.unlink(missing_ok=True)
    if report.before.words < MIN_WORDS:
        warn("The recordings do not seem to be one person's speech; the voice may be of no use.")
    for sentence in report.left_out:
        warn(f"Left out: {sentence}")
    console.print(table(report))
    if report.stopped:
        console.print(
            f"Stopped: this is the best so far; the same command goes on from {state}.",
            soft_wrap=True,
        )
    elif not report.helped:
        console.print("Adapting did not help, so the voice is as 'voiceswap voice' makes it.")
    written(path, "the voice")
    written(draw(swapper, adapted, picture), "before and after")
    if report.stopped:
        raise typer.Exit(130)  # the shell's exit status for Ctrl-C


def _state(path: Path) -> Path:
    """The file that keeps the state of a run that was stopped before it finished a voice's file."""
    return path.with_suffix(".adapting")


def _taken(path: Path, key: str) -> bool:
    """Whether a voice's file is there, or the state of another run; this one's own goes on."""
    from voiceswap.adaptation.adapt import load_state

    state = _state(path)
    return load_state(state, key) is None if state.exists() else path.exists()


def table(report) -> Table:
    """What was used, and the scores before and after."""
    from voiceswap.adaptation.report import rows

    measured = (
        report.kept_out or "a recording that was learned from: too little speech to keep one out"
    )
    length = f"{report.seconds / 60:.1f} minutes"
    if report.seconds < 60:
        length = f"{report.seconds:.1f} s"
    made = Table(
        "",
        "before",
        "after",
        title=Text(f"{length} of speech, best after {report.steps} steps; measured on {measured}"),
        title_justify="left",
    )
    for row in rows(report):
        made.add_row(*row)
    return made


def draw(swapper, adapted, path: Path) -> Path:
    """The mel spectrograms of an example in the voice before and after, and of the voice itself."""
    from voiceswap.audio_io.resampling import resample
    from voiceswap.examples import HELLO
    from voiceswap.plots import draw_mels

    rate, piece = swapper.sample_rate, adapted.piece
    own = resample(piece.samples[: 4 * piece.rate], piece.rate, rate)
    views = {
        "an example in this voice, before": swapper.convert(HELLO, adapted.plain),
        "after": swapper.convert(HELLO, adapted.voice),
        "the voice itself": own,
    }
    return draw_mels(views, rate, path, columns=1)
