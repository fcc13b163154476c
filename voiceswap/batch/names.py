"""Safe and distinct output names."""

import os
import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from pathlib import PurePosixPath

from voiceswap.batch.inputs import Job

WORKSHOP = (
    ".voiceswap"  # the folder in the output folder for what is no output: lock and unfinished files
)


def name_outputs(jobs: Iterable[Job]) -> list[Job]:
    """The distinct jobs, each with an output of its own.

    Of those that want the same output, or names that some file systems take for the same, all but the first get -2,
    -3 ... in their order. A name that would leave the output folder is an error of that job alone.
    """
    named, taken = [], dict[str, Job]()
    for job in jobs:
        if job.error is None and not _stays_inside(job.output):
            job = replace(job, error=f"'{job.output}' is no name inside the output folder.")
        if job.error is not None:
            named.append(replace(job, output=""))
            continue
        number, output = 1, job.output
        while (holder := taken.get(_folded(output))) not in (None, job):
            number += 1
            path = PurePosixPath(job.output)
            output = str(path.with_name(f"{path.stem}-{number}{path.suffix}"))
        if holder is None:
            taken[_folded(output)] = job
            named.append(job if number == 1 else replace(job, output=output))
    return named


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _stays_inside(name: str) -> bool:
    """Whether a path with slashes stays in its folder, and apart from what is no output."""
    parts = name.replace(os.sep, "/").split("/")
    return (
        "\0" not in name
        and not os.path.splitdrive(name)[0]
        and all(part not in ("", ".", "..") for part in parts)
        and parts[0].casefold() != WORKSHOP
    )
