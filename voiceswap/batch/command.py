"""`voiceswap batch`."""

import signal
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.text import Text

from voiceswap.errors import VoiceswapError

LINE_SECONDS = 10  # between two lines of progress where there is no terminal
INTERRUPTED = 130  # the shell's number for Ctrl-C


def batch(
    inputs: Annotated[
        list[str],
        typer.Argument(
            help="Files, folders, globs in quotes, .csv or .jsonl manifests; or URLs of them, such as s3://bucket/talks.",
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
            help="A recording of the voice to take, or a voice kept by 'voiceswap voice'; with several, each has a folder in the output.",
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
    pitch: Annotated[
        float, typer.Option(min=-24, max=24, help="Semitones above the target's own pitch.")
    ] = 0.0,
    pitch_range: Annotated[
        float, typer.Option(min=0, max=3, help="Widens (above 1) or flattens the intonation.")
    ] = 1.0,
    strength: Annotated[
        float,
        typer.Option(min=0, max=1, help="How far to go from the source's voice to the target's."),
    ] = 1.0,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Draw another reading of the same words.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="ProcessPool (default: as many as the machine bears)")
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
            "--overwrite", help="Convert again what is done, and replace files that no run made."
        ),
    ] = False,
    fail_fast: Annotated[
        bool, typer.Option("--fail-fast", help="Stop at the first file that can't be converted.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")
    ] = False,
    ray: Annotated[
        str | None, typer.Option(help="Let a Ray cluster do it: its address, or 'local'.")
    ] = None,
    ray_gpus: Annotated[
        float, typer.Option(min=0, help="GPUs that a Ray worker takes; 0.25 puts four on one.")
    ] = 0.0,
    checkpoint: Annotated[
        str, typer.Option(help="A model file, or 'default' for the one in the package.")
    ] = "default",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.")] = "auto",
) -> None:
    """Convert files and folders, of any size; run again, it goes on where it was.

    Exit status: 0 all is well, 1 some files could not be converted, 2 nothing was done.
    """
    from voiceswap.batch import BatchOptions, Status, convert_folder

    shown, told = Console(), Console(stderr=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a cluster's way to say Ctrl-C
    try:
        with _Display(shown) as display:
            report = convert_folder(
                inputs,
                target or [],
                out,
                BatchOptions(
                    pitch_shift=pitch,
                    pitch_range=pitch_range,
                    strength=strength,
                    seed=seed,
                    format=format,
                    rate=rate,
                    subtype=subtype,
                ),
                checkpoint=checkpoint,
                device=device,
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
        told.print(Text(_plain(error), "red"), soft_wrap=True)
        raise typer.Exit(2) from error
    except KeyboardInterrupt as error:
        told.print(
            Text("Stopped. What is done is kept; run the same command again to go on.", "red"),
            soft_wrap=True,
        )
        raise typer.Exit(INTERRUPTED) from error
    if dry_run:
        for row in report.rows:
            if row.status is not Status.FAILED:
                shown.print(
                    Text(f"{_plain(row.source)} -> {_plain(out / row.output)}  ({row.status})"),
                    soft_wrap=True,
                )
    for row in report.failures:
        told.print(
            Text.assemble((_plain(row.source), "red"), f": {_plain(row.error)}"), soft_wrap=True
        )
    counts = ", ".join(
        f"{number} {status}"
        for status, number in sorted(
            report.counts().items(), key=lambda pair: list(Status).index(pair[0])
        )
    )
    shown.print(
        Text(
            f"{counts}; {_speed(report.audio_seconds, report.seconds)}."
            if report.audio_seconds
            else f"{counts}."
        ),
        soft_wrap=True,
    )
    if report.stopped:
        told.print(Text(report.stopped, "red"), soft_wrap=True)
    raise typer.Exit(report.exit_status)


class _Display:
    """Shows Progress: a bar in a terminal, now and then a line elsewhere."""

    def __init__(self, console: Console):
        self.console = console
        self.bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[facts]}"),
            TimeElapsedColumn(),
            console=console,
        )
        self.task = self.bar.add_task("Loading the model", total=1.0, facts="")
        self.last = time.monotonic()

    def __enter__(self) -> "_Display":
        if self.console.is_terminal:
            self.bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self.console.is_terminal:
            self.bar.stop()

    def show(self, progress) -> None:
        facts = f"{progress.done}/{progress.files} files, {_speed(progress.audio_seconds, progress.seconds)}"
        if progress.failed:
            facts += f", {progress.failed} failed"
        if progress.seconds_left is not None:
            facts += f", {_time(progress.seconds_left)} left"
        if self.console.is_terminal:
            begun = "Converting" if progress.share else "Loading the model"
            self.bar.update(self.task, description=begun, completed=progress.share, facts=facts)
        elif time.monotonic() - self.last > LINE_SECONDS:
            self.last = time.monotonic()
            self.console.print(Text(facts), soft_wrap=True)


def _speed(audio_seconds: float, seconds: float) -> str:
    return f"{audio_seconds / 3600:.2f} h of audio at {audio_seconds / seconds if seconds > 0 else 0:.1f} times real time"


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return (
        f"{hours} h {minutes:02} min"
        if hours
        else f"{minutes} min {rest:02} s"
        if minutes
        else f"{rest} s"
    )


def _plain(text: object) -> str:
    """One line, of characters that any terminal takes: names of files can hold anything."""
    line = "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}"
        for character in str(text)
    )
    encoding = sys.stdout.encoding or "utf-8"
    return line.encode(encoding, "replace").decode(encoding)
