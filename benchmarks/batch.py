"""Times real time of voiceswap batch with one process, several, batches and Ray, on the same files: python benchmarks/batch.py [--jobs 2]

Every way is measured twice, in turns, and the better run of each is shown, since other work on the machine only ever slows.
"Converting" leaves out what comes before the first file is done: starting processes and loading the model.
"""

import argparse
import os
import tempfile
from pathlib import Path

import numpy as np
import soundfile

from voiceswap.batch import Progress, convert_folder
from voiceswap.examples import GOODBYE, HELLO


def main() -> None:
    """Print a row for each way."""
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
        help="files at once to compare, in one process",
    )
    parser.add_argument("--no-ray", action="store_true")
    options = parser.parse_args()
    os.environ.setdefault(
        "RAY_worker_niceness", "0"
    )  # Ray's own 15 would measure what else runs on the machine
    ways: dict[str, dict] = {
        "one process": {"jobs": 1},
        f"{options.jobs} processes": {"jobs": options.jobs},
    }
    ways |= {f"batches of {size}": {"jobs": 1, "batch_size": size} for size in options.batch_sizes}
    if not options.no_ray:
        ways[f"Ray, {options.jobs} workers"] = {"jobs": options.jobs, "ray": "local"}
    best = dict.fromkeys(ways, (0.0, 0.0))
    with tempfile.TemporaryDirectory() as folder:
        talks = write_talks(Path(folder) / "talks", options.files, options.seconds)
        for turn in range(2):
            for way, settings in ways.items():
                speed = measure(
                    talks,
                    Path(folder) / f"{way} {turn}",
                    checkpoint=options.checkpoint,
                    device=options.device,
                    **settings,
                )
                best[way] = max(best[way], speed)
    print(f"{options.files} files of {options.seconds:g} s")
    print(f"{'':20} times real time, converting   whole run   100,000 hours at the first")
    for way, (converting, whole) in best.items():
        print(f"{way:20} {converting:27.1f}   {whole:9.1f}   {100_000 / converting / 24:8.0f} days")


def write_talks(folder: Path, number: int, seconds: float) -> Path:
    """Recordings of one length, no two the same."""
    folder.mkdir()
    wave, rate = soundfile.read(HELLO)
    for i in range(number):
        soundfile.write(
            folder / f"{i:04}.flac", np.resize(np.roll(wave, 997 * i), int(seconds * rate)), rate
        )
    return folder


def measure(talks: Path, out: Path, **settings) -> tuple[float, float]:
    """Times real time once the first file is done, and of the whole run."""
    heard: list[Progress] = []
    report = convert_folder(talks, [GOODBYE], out, progress=heard.append, **settings)
    if report.exit_status:
        raise SystemExit(next(report.failures).error)
    first = next(progress for progress in heard if progress.audio_seconds)
    converting = (heard[-1].audio_seconds - first.audio_seconds) / (
        heard[-1].seconds - first.seconds
    )
    return converting, report.audio_seconds / report.seconds


if __name__ == "__main__":
    main()
