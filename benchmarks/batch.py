"""Speed of voiceswap batch with one process, several, larger batches and Ray, on the same files.

python benchmarks/batch.py [--jobs 2] [--batch-sizes 4 16] [--no-ray]

Every setting is measured twice, in turns, and the faster run is shown, since other work on the
machine can only slow a run down. "Converting" leaves out the time until the first file is done, in
which processes start and load the model.
"""

import argparse
import os
import tempfile
from pathlib import Path

import numpy as np
import soundfile

from voiceswap.batch import BatchProgress, convert_folder
from voiceswap.examples import GOODBYE, HELLO


def main() -> None:
    """Print a row for each setting."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--files", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=10.0, help="length of a file")
    parser.add_argument("--checkpoint", default="default")
    parser.add_argument("--device", default="cpu")
    parser.add_argument(
        "--batch-sizes",
        type=int,
        nargs="*",
        default=[],
        help="numbers of files at once to compare, in one process",
    )
    parser.add_argument("--no-ray", action="store_true")
    options = parser.parse_args()
    os.environ.setdefault("RAY_worker_niceness", "0")  # with Ray's 15, other work would slow it
    settings: dict[str, dict] = {
        "one process": {"jobs": 1},
        f"{options.jobs} processes": {"jobs": options.jobs},
    }
    for size in options.batch_sizes:
        settings[f"batches of {size}"] = {"jobs": 1, "batch_size": size}
    if not options.no_ray:
        settings[f"Ray, {options.jobs} workers"] = {"jobs": options.jobs, "ray": "local"}
    best = dict.fromkeys(settings, (0.0, 0.0))
    with tempfile.TemporaryDirectory() as folder:
        talks = write_talks(Path(folder) / "talks", options.files, options.seconds)
        for turn in range(2):
            for name, arguments in settings.items():
                out = Path(folder) / f"{name} {turn}"
                model = {"checkpoint": options.checkpoint, "device": options.device}
                speed = measure(talks, out, **model, **arguments)
                best[name] = max(best[name], speed)
    print(f"{options.files} files of {options.seconds:g} s")
    print(f"{'':20} times real time, converting   whole run   100,000 hours at the first")
    for name, (converting, whole) in best.items():
        days = 100_000 / converting / 24
        print(f"{name:20} {converting:27.1f}   {whole:9.1f}   {days:8.0f} days")


def write_talks(folder: Path, number: int, seconds: float) -> Path:
    """Write recordings of one length, all different. Returns their folder."""
    folder.mkdir()
    wave, rate = soundfile.read(HELLO)
    for i in range(number):
        samples = np.resize(np.roll(wave, 997 * i), int(seconds * rate))
        soundfile.write(folder / f"{i:04}.flac", samples, rate)
    return folder


def measure(talks: Path, out: Path, **arguments) -> tuple[float, float]:
    """Speed in times real time: after the first file is done, and of the whole run."""
    updates: list[BatchProgress] = []
    report = convert_folder(talks, [GOODBYE], out, progress=updates.append, **arguments)
    if report.exit_status:
        raise SystemExit(next(report.failures).error)
    first, last = next(update for update in updates if update.audio_seconds), updates[-1]
    converting = (last.audio_seconds - first.audio_seconds) / (last.seconds - first.seconds)
    return converting, report.audio_seconds / report.seconds


if __name__ == "__main__":
    main()
