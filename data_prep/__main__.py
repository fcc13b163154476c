"""python -m data_prep CORPUS DIR OUT: write cut manifests of a corpus, split by speaker."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from data_prep.corpora import CORPORA, prepare
from data_prep.speech_check import MIN_RATE, Checks
from voiceswap.cli import run
from voiceswap.commands.options import number
from voiceswap.commands.outputs import console, plain

JOBS = os.cpu_count() or 1

app = typer.Typer(help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)


def _command(corpus: str) -> Callable[..., None]:
    def run(
        folder: Annotated[
            Path,
            typer.Argument(
                exists=True, file_okay=False, help="Folder of the recordings.", show_default=False
            ),
        ],
        out: Annotated[
            Path,
            typer.Argument(help="Folder for the manifests and the report.", show_default=False),
        ],
        name: Annotated[
            str | None,
            typer.Option(help="First part of the names of the manifests and of the speakers."),
        ] = None,
        min_seconds: Annotated[
            float,
            typer.Option(callback=number(0.3), help="Recordings shorter than this are left out."),
        ] = 1.0,
        min_rate: Annotated[
            int, typer.Option(help="Recordings with a lower sample rate, in Hz, are left out.")
        ] = MIN_RATE,
        min_snr: Annotated[
            float,
            typer.Option(
                callback=number(0.0),
                help="Recordings whose noise is fewer dB below the speech are left out.",
            ),
        ] = 0.0,
        keep_pauses: Annotated[
            bool, typer.Option("--keep-pauses", help="Don't trim pauses at the ends.")
        ] = False,
        test_share: Annotated[
            float,
            typer.Option(
                callback=number(0, 0.9), help="Share of the speakers that are held out for tests."
            ),
        ] = 0.04,
        jobs: Annotated[int, typer.Option(min=1, help="Files read at a time.")] = JOBS,
    ) -> None:
        checks = Checks(min_seconds, min_rate, min_snr, keep_pauses, test_share, jobs)
        counts = prepare(corpus, folder, out, checks, name)
        advice = counts.pop("advice")
        shown = ", ".join(f"{count} {what}" for what, count in counts.items())
        for line in (f"{shown} -> {plain(out)}", f"{advice}."):
            console.print(Text(line), soft_wrap=True)

    return run


for corpus, layout in CORPORA.items():
    app.command(corpus, help=str(layout.find.__doc__).partition("\n")[0])(_command(corpus))


if __name__ == "__main__":
    run(app)
