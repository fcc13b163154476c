"""`voiceswap evaluate`."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from voiceswap.commands.options import FREE_NAME, LatencyName
from voiceswap.commands.outputs import command_line, console, free_names, require_folder
from voiceswap.errors import DataError
from voiceswap.files import require_writable
from voiceswap.models.checkpoint_header import read_metadata


def evaluate(
    pairs: Annotated[
        Path,
        typer.Option(
            help="CSV of pairs: id, source, target, source_text, and more.", show_default=False
        ),
    ],
    root: Annotated[
        Path, typer.Option(help="Folder that the paths in the CSV start from.", show_default=False)
    ],
    checkpoint: Annotated[
        str | None,
        typer.Argument(
            help="A model file; the one in the package if none is named.", show_default=False
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help=f"Folder for the report; the same command continues a stopped run. {FREE_NAME}",
            show_default="evaluation",
        ),
    ] = None,
    asr: Annotated[
        Path | None,
        typer.Option(
            envvar="VOICESWAP_ASR",
            help="Folder of Whisper base for CTranslate2, such as Systran/faster-whisper-base of "
            "the Hugging Face hub; CER, WER and NLL need it.",
        ),
    ] = None,
    references: Annotated[
        Literal["1", "3", "both"], typer.Option(help="Recordings of each target.")
    ] = "both",
    converted: Annotated[
        Path | None,
        typer.Option(
            help="Measure this folder of another system's files, named by the pairs' ids."
        ),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(
            help="The report.json of another model or system on these pairs, to compare with pair "
            "by pair."
        ),
    ] = None,
    experiments: Annotated[
        bool,
        typer.Option(
            "--experiments",
            help="Also measure noise, smaller codes, mixes of two voices, and random voices.",
        ),
    ] = False,
    stream: Annotated[
        LatencyName | None,
        typer.Option(help="Convert as live conversion does.", show_default=False),
    ] = None,
    reference_seconds: Annotated[
        float | None,
        typer.Option(
            min=0.3,
            help="Use only this many seconds of each reference, where most is voiced.",
            show_default=False,
        ),
    ] = None,
    more_metrics: Annotated[
        bool,
        typer.Option(
            "--more-metrics",
            help="Also DNSMOS, and the errors of a second recogniser (PocketSphinx, English); some "
            "3 s a recording.",
        ),
    ] = False,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="Measure only this many pairs, evenly distributed over the set."),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Recordings measured at once.")] = 1,
    device: Annotated[
        str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps; the scorers are always on the CPU.")
    ] = "auto",
) -> None:
    """Measure a model, or another system's files, on a set of pairs.

    Prints a table, and writes report.json, pairs.csv and report.html.
    """
    if converted is not None and checkpoint is not None:
        raise typer.BadParameter("Give a checkpoint or --converted, not both.")
    if converted is not None and experiments:
        raise typer.BadParameter("--experiments needs a model, so it does not go with --converted.")
    if converted is not None and (stream is not None or reference_seconds is not None):
        raise typer.BadParameter(
            "--stream and --reference-seconds set how a model converts, so they do not go with "
            "--converted."
        )
    from voiceswap.evaluation.pairs import read_pairs

    read_pairs(pairs, root, limit)  # what is wrong in them is told before the rest is imported
    if converted is None:
        read_metadata(checkpoint or "default")
    if asr is not None and not asr.is_dir():
        raise DataError(f"There is no folder {asr}; --asr needs that of a Whisper model.")
    if out is None:
        (out,) = free_names(Path("evaluation"), taken=_is_of_another_command)
    require_folder(out)
    require_writable(out / "report.json")
    from voiceswap.evaluation.report import Request, run

    numbers = (1, 3) if references == "both" else (int(references),)
    request = Request(
        checkpoint=checkpoint or "default",
        pairs=pairs,
        root=root,
        out=out,
        asr=asr,
        references=numbers,
        converted=converted,
        against=against,
        experiments=experiments,
        limit=limit,
        jobs=jobs,
        device=device,
        stream=stream,
        reference_seconds=reference_seconds,
        more_metrics=more_metrics,
        command=command_line(),
    )
    run(request, console)


def _is_of_another_command(folder: Path) -> bool:
    """Whether the report in a folder is not that of the same command as this."""
    try:
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        return report["command"] != command_line()
    except FileNotFoundError:
        return False
    except (OSError, ValueError, LookupError, TypeError):
        return True
