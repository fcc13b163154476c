"""`voiceswap batch`."""

import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from voiceswap.commands.options import (
    Device,
    Model,
    NoTags,
    PitchOptions,
    PitchRange,
    Precision,
    Seed,
    SourceVoice,
    Strength,
    number,
    pitch_of,
)
from voiceswap.commands.outputs import console, errors, fail, plain, require_folder, warn
from voiceswap.errors import VoiceswapError

if TYPE_CHECKING:
    from voiceswap.batch import BatchProgress, Report

LINE_SECONDS = 10  # between two lines of progress where there is no terminal
GO_ON = "What is done is kept; run the same command again to go on."
INTERRUPTED = 130  # the shell's exit status for Ctrl-C


def batch(
    inputs: Annotated[
        list[str],
        typer.Argument(
            help="Files, folders, globs in quotes, .csv or .jsonl manifests; or URLs of them, "
            "such as s3://bucket/talks.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            help="Folder for the results, the journal and report.csv.", show_default=False
        ),
    ],
    target: Annotated[
        list[str] | None,
        typer.Option(
            help="A recording of the target voice, a folder of them, or a voice saved by "
            "voice or adapt; with several, each gets a folder in the output.",
            show_default=False,
        ),
    ] = None,
    format: Annotated[
        str | None, typer.Option(help="wav, flac, mp3, ogg, opus, ... (default: the input's)")
    ] = None,
    rate: Annotated[
        int | None, typer.Option(help="Sample rate in Hz (default: the input's)")
    ] = None,
    subtype: Annotated[
        str | None, typer.Option(help="PCM_16, PCM_24, FLOAT, ... (default: the input's)")
    ] = None,
    pitch: PitchOptions = "0",  # type: ignore[assignment]  # typer parses it
    pitch_range: PitchRange = 1.0,
    source_voice: SourceVoice = None,
    strength: Strength = 1.0,
    seed: Seed = None,
    no_tags: NoTags = False,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1, help="Processes (default: as cores and memory allow, on a GPU up to 8)"
        ),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(
            min=1, help="Files that a process converts at once (default: 1 on a CPU, 16 on a GPU)"
        ),
    ] = None,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite", help="Convert again what is done, and replace files that no run wrote."
        ),
    ] = False,
    fail_fast: Annotated[
        bool, typer.Option("--fail-fast", help="Stop at the first file that can't be converted.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")
    ] = False,
    ray: Annotated[
        str | None, typer.Option(help="Convert on a Ray cluster: its address, or 'local'.")
    ] = None,
    ray_gpus: Annotated[
        float,
        typer.Option(
            callback=number(0), help="GPUs that a Ray worker takes; 0.25 puts four on one."
        ),
    ] = 0.0,
    checkpoint: Model = "default",
    device: Device = "auto",
    precision: Precision = "auto",
) -> None:
    """Convert files and folders of any size; the same command again continues a stopped run.

    Exit status: 0 all files are done, 1 some could not be converted, 2 nothing was done.
    """
    from voiceswap.batch import BatchOptions, convert_folder

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # clusters stop a job by SIGTERM
    try:
        require_folder(out)
        known_pitch = pitch_of(source_voice)
        with _Display() as display:
            report = convert_folder(
                inputs,
                target or [],
                out,
                BatchOptions(
                    **pitch,
                    pitch_range=pitch_range,
                    source_pitch=known_pitch,
                    strength=strength,
                    seed=seed,
                    format=format,
                    rate=rate,
                    subtype=subtype,
                    tags=not no_tags,
                ),
                checkpoint=checkpoint,
                device=device,
                precision=precision,
                jobs=jobs,
                batch_size=batch_size,
                overwrite=overwrite,
                fail_fast=fail_fast,
                dry_run=dry_run,
                ray=ray,
                ray_gpus=ray_gpus,
                progress=display.show,
            )
    except VoiceswapError as error:
        fail(error)
        raise typer.Exit(2) from error
    except KeyboardInterrupt:
        fail(f"Stopped. {GO_ON}")
        raise typer.Exit(INTERRUPTED) from None
    if dry_run:
        _print_plan(report, out)
    _print_result(report)
    raise typer.Exit(report.exit_status)


def _print_plan(report: "Report", out: Path) -> None:
    """Print a line for every output of a dry run."""
    from voiceswap.batch import Status

    for row in report.rows:
        if row.status is not Status.FAILED:
            line = f"{plain(row.source)} -> {plain(out / row.output)}  ({row.status})"
            console.print(Text(line), soft_wrap=True)


def _print_result(report: "Report") -> None:
    """Print notes, a line for every kind of failure, the counts, and why the run stopped."""
    from voiceswap.batch import Status

    of_files = (note for row in report.rows for note in row.notes)
    for note in dict.fromkeys((*report.notes, *of_files)):
        warn(note)
    sources: dict[str, list[str]] = {}  # of an error: a target that can't be read fails every file
    for row in report.failures:
        sources.setdefault(row.error, []).append(row.source)
    for error, failed in sources.items():
        what = failed[0] if len(failed) == 1 else f"{len(failed)} files"
        line = Text(plain(error))
        if what not in error:
            line = Text.assemble((plain(what), "red"), f": {plain(error)}")
        errors.print(line, soft_wrap=True)
    counts = report.counts()
    summary = ", ".join(f"{counts[status]} {status}" for status in Status if status in counts)
    if report.audio_seconds:
        summary += f"; {_speed(report.audio_seconds, report.seconds)}"
    console.print(Text(f"{summary}."), soft_wrap=True)
    if report.stopped:
        fail(f"{report.stopped} {GO_ON}")


class _Display:
    """Shows the progress: as a bar in a terminal, elsewhere as a line every ten seconds."""

    def __init__(self) -> None:
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[counts]}"),
            TimeElapsedColumn(),
            console=console,
        )
        self.task = self.bar.add_task("Loading the model", total=1.0, counts="")
        self.last = time.monotonic()

    def __enter__(self) -> "_Display":
        if console.is_terminal:
            self.bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        if console.is_terminal:
            self.bar.stop()

    def show(self, progress: "BatchProgress") -> None:
        speed = _speed(progress.audio_seconds, progress.seconds)
        counts = f"{progress.done}/{progress.files} files, {speed}"
        if progress.failed:
            counts += f", {progress.failed} failed"
        if progress.seconds_left is not None:
            counts += f", {_time(progress.seconds_left)} left"
        if console.is_terminal:
            step = "Converting" if progress.share else "Loading the model"
            self.bar.update(self.task, description=step, completed=progress.share, counts=counts)
        elif time.monotonic() - self.last > LINE_SECONDS:
            self.last = time.monotonic()
            console.print(Text(counts), soft_wrap=True)


def _speed(audio_seconds: float, seconds: float) -> str:
    times_real_time = audio_seconds / seconds if seconds > 0 else 0
    return f"{_time(audio_seconds)} of audio at {times_real_time:.1f} times real time"


def _time(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {seconds:02} s" if minutes else f"{seconds} s"
