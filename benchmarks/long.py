"""Peak memory and time of converting long recordings.

python benchmarks/long.py [--hours 1 2] [--threads 2] [--device cpu]

The recording repeats the package's two examples, as a FLAC file. Each length runs in a process of
its own.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile
import torch

from voiceswap import VoiceSwapper
from voiceswap.audio import read_audio
from voiceswap.examples import GOODBYE, HELLO


def main() -> None:
    """Print a row for each length."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hours", type=float, nargs="+", default=[1.0, 2.0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--convert", nargs=2, help=argparse.SUPPRESS)  # for the child process
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.convert:
        convert(Path(options.convert[0]), Path(options.convert[1]), options.device)
        return
    print("recording  seconds per second  times real time  peak memory", flush=True)
    for hours in options.hours:
        with tempfile.TemporaryDirectory() as folder:
            source, out = Path(folder, "long.flac"), Path(folder, "out.flac")
            write_long(source, hours)
            common = ["--threads", str(options.threads), "--device", options.device]
            run = subprocess.run(
                [sys.executable, __file__, *common, "--convert", str(source), str(out)],
                check=True,
                capture_output=True,
                text=True,
            )
            seconds, peak = map(float, run.stdout.split())
            assert soundfile.info(out).frames == soundfile.info(source).frames
        share = seconds / (hours * 3600)
        print(f"{hours:7.2f} h  {share:18.3f}  {1 / share:15.1f}  {peak:8.2f} GB", flush=True)


def write_long(path: Path, hours: float) -> None:
    """Write a FLAC file of `hours` of speech."""
    both = np.concatenate([read_audio(HELLO, 16000), read_audio(GOODBYE, 16000)])
    left = round(hours * 3600 * 16000)
    with soundfile.SoundFile(path, "w", 16000, 1) as file:
        while left > 0:
            file.write(both[:left])
            left -= len(both)


def convert(source: Path, out: Path, device: str) -> None:
    """Print the seconds of the conversion, without loading, and the process's peak memory in GB."""
    swapper = VoiceSwapper.load(device=device)
    start = time.perf_counter()
    swapper.convert_file(source, GOODBYE, out)
    print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)


if __name__ == "__main__":
    main()
