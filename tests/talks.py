"""What the tests of the batch command share: a tiny model, many short recordings, and a look at an output folder."""

import csv
import os
from pathlib import Path

import numpy as np
import soundfile
import torch

from voiceswap.batch.names import WORK_FOLDER
from voiceswap.features import AudioConfig
from voiceswap.models.autoencoder import Autoencoder
from voiceswap.models.checkpoint import Checkpoint, save_checkpoint
from voiceswap.models.vocoder import SourceFilterVocoder


def save_tiny_model(folder: Path) -> Path:
    """The file of a model that is small, quick and untrained."""
    torch.manual_seed(0)
    audio = AudioConfig()
    checkpoint = Checkpoint(
        Autoencoder(audio, "mel", decoder_blocks=1), SourceFilterVocoder(audio, blocks=1)
    )
    return save_checkpoint(folder / "tiny.safetensors", checkpoint)


def write_talks(folder: Path, number: int, hello: np.ndarray) -> list[Path]:
    """Short recordings in folders of fifty, no two of the same sound."""
    paths = []
    for i in range(number):
        path = folder / f"day {i // 50}" / f"talk-{i:04}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        start = 13 * i % (len(hello) - 8000)
        soundfile.write(path, hello[start : start + 6400 + i], 16000)
        paths.append(path)
    return paths


def whole(path: Path, source: Path) -> bool:
    """Whether a conversion is as long as its source, in its header and in its samples."""
    return (
        soundfile.info(path).frames == soundfile.info(source).frames == len(soundfile.read(path)[0])
    )


def unlike(samples: np.ndarray, expected: np.ndarray) -> float:
    """Power of what differs, relative to `expected`."""
    return float(np.square(samples - expected).mean() / np.square(expected).mean())


def outputs(out: Path) -> dict[str, Path]:
    """All files in an output folder but the command's own."""
    found = {path.relative_to(out).as_posix(): path for path in out.rglob("*") if path.is_file()}
    return {
        name: path
        for name, path in found.items()
        if not name.startswith(f"{WORK_FOLDER}/") and name not in ("journal.jsonl", "report.csv")
    }


def report(out: Path) -> dict[str, dict[str, str]]:
    with open(out / "report.csv", newline="") as file:
        return {row["source"]: row for row in csv.DictReader(file)}


CRASH = """
import os, pathlib, signal, soundfile
info = soundfile.info
def crash(path, *more):
    mark = pathlib.Path(os.environ["MARKS"]) / pathlib.Path(path).name
    if "poison" in str(path) or ("unlucky" in str(path) and not mark.exists()):
        with open(mark, "a") as file:
            file.write("x")
        os.kill(os.getpid(), signal.SIGKILL)
    return info(path, *more)
soundfile.info = crash
"""


def crashing_environment(folder: Path) -> dict[str, str]:
    """Variables with which a worker is killed by every file called poison, and by one called unlucky the first time.

    `folder`/marks gets a file for each of them, with an x for every death.
    """
    for name in ("site", "marks"):
        (folder / name).mkdir()
    (folder / "site/sitecustomize.py").write_text(CRASH)
    return {
        "PYTHONPATH": f"{folder / 'site'}:{os.environ.get('PYTHONPATH', '')}",
        "MARKS": str(folder / "marks"),
    }
