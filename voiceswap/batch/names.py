"""Safe and distinct output names."""

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import PurePosixPath

from voiceswap.batch.inputs import Job
from voiceswap.files import folded_name, is_safe_name

WORK_FOLDER = ".voiceswap"  # in the output folder: the lock and unfinished files


def name_outputs(jobs: Iterable[Job]) -> list[Job]:
    """The jobs without duplicates, each with an output path of its own.

    Where several jobs have the same output path, or paths that some file systems treat as equal,
    all but the first get -2, -3 ... in their order. A job that can't be made keeps its place among
    them, so that the others are called the same once it can. A path that would leave the output
    folder is an error of that job alone.
    """
    named, taken = [], dict[str, Job]()
    for job in jobs:
        if job.error is None and not _stays_inside(job.output):
            outside = f"'{job.output}' is no name inside the output folder."
            job = replace(job, error=f"{job.place}{outside}")
        if job.error is not None and not _stays_inside(job.output):
            named.append(replace(job, output=""))
            continue
        number, output = 1, job.output
        while (holder := taken.get(folded_name(output))) not in (None, job):
            number += 1
            path = PurePosixPath(job.output)
            output = str(path.with_name(f"{path.stem}-{number}{path.suffix}"))
        if holder is None:
            taken[folded_name(output)] = job
        if job.error is not None:
            named.append(replace(job, output=""))
        elif holder is None:
            named.append(job if number == 1 else replace(job, output=output))
    return named


def _stays_inside(name: str) -> bool:
    """Whether a path with slashes is inside the output folder and outside its work folder."""
    parts = name.replace(os.sep, "/").split("/")
    return (
        "\0" not in name
        and not os.path.splitdrive(name)[0]
        and all(part not in ("", ".", "..") for part in parts)
        and parts[0].casefold() != WORK_FOLDER
        and (os.name != "nt" or all(map(is_safe_name, parts)))
    )
