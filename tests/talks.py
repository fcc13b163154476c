"""Helpers of the batch tests: many short recordings, files in an output folder, crashes."""

import csv
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import soundfile

from voiceswap.batch.names import WORK_FOLDER
from voiceswap.batch.run_state import DiskFullError, RunState


def write_talks(folder: Path, number: int, hello: np.ndarray) -> list[Path]:
    """Write short recordings, all different, in folders of fifty."""
    paths = []
    for i in range(number):
        path = folder / f"day {i // 50}" / f"talk-{i:04}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        start = 13 * i % (len(hello) - 8000)
        soundfile.write(path, hello[start : start + 6400 + i], 16000)
        paths.append(path)
    return paths


def whole(path: Path, source: Path) -> bool:
    """Whether a conversion's header and samples are as long as its source."""
    frames = soundfile.info(source).frames
    return soundfile.info(path).frames == len(soundfile.read(path)[0]) == frames


def outputs(out: Path) -> dict[str, Path]:
    """The files in an output folder by name, without the journal, the report and the lock."""
    found = {path.relative_to(out).as_posix(): path for path in out.rglob("*") if path.is_file()}
    return {
        name: path
        for name, path in found.items()
        if not name.startswith(f"{WORK_FOLDER}/") and name not in ("journal.jsonl", "report.csv")
    }


def report(out: Path) -> dict[str, dict[str, str]]:
    """The rows of report.csv by source."""
    with open(out / "report.csv", newline="", encoding="utf-8-sig") as file:
        return {row["source"]: row for row in csv.DictReader(file)}


def can_mount() -> bool:
    """Whether this user can mount a file system that others don't see, as Linux may allow."""
    return (
        shutil.which("unshare") is not None
        and subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode == 0
    )


CRASH = """
import os, pathlib, signal, soundfile
opened = soundfile.SoundFile
def crash(path, *more, **options):
    mark = pathlib.Path(os.environ["MARKS"]) / pathlib.Path(str(path)).name
    if "crashes-always" in str(path) or ("crashes-once" in str(path) and not mark.exists()):
        with open(mark, "a") as file:
            file.write("x")
        os.kill(os.getpid(), signal.SIGKILL)
    return opened(path, *more, **options)
soundfile.SoundFile = crash
"""


def crashing_environment(folder: Path) -> dict[str, str]:
    """Environment variables with which files kill the worker that opens them.

    Files called crashes-always do it every time, those called crashes-once only the first time.
    `crashes` counts how often it happened.
    """
    for name in ("site", "marks"):
        (folder / name).mkdir()
    (folder / "site/sitecustomize.py").write_text(CRASH)
    return {
        "PYTHONPATH": os.pathsep.join([str(folder / "site"), os.environ.get("PYTHONPATH", "")]),
        "MARKS": str(folder / "marks"),
    }


def crashes(folder: Path, path: Path) -> int:
    """How often a file killed a worker in the `crashing_environment` of `folder`."""
    return len((folder / "marks" / path.name).read_text())


def fill_disk_after_one(monkeypatch) -> None:
    """Batches find the disk full when the first outputs are in their place."""
    publish, published = RunState.publish, []

    def full(self, finished):
        if published:
            raise DiskFullError
        published.append(finished)
        publish(self, finished)

    monkeypatch.setattr(RunState, "publish", full)
