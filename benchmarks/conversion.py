"""Seconds of computing per second of speech, and peak memory.

python benchmarks/conversion.py [CHECKPOINT] [--threads 2] [--device cpu] [--precision fp32]

The model is loaded, and has converted once before. The reference, of 3 s, is embedded in every
conversion, or its voice is there already. Minimum of --turns runs: of wall clock, and of processor
time, which what else the computer does changes less.
"""

import argparse
import resource
import time
from typing import Any

import numpy as np
import torch

from voiceswap import VoiceSwapper
from voiceswap.audio import read_audio
from voiceswap.examples import GOODBYE, HELLO


def main() -> None:
    """Print a row for each length of recording."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", nargs="?", default="default")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    start = time.perf_counter()
    swapper = VoiceSwapper.load(options.checkpoint, options.device, precision=options.precision)
    print(f"loading: {time.perf_counter() - start:.2f} s")
    hello, goodbye = (read_audio(path, swapper.sample_rate) for path in (HELLO, GOODBYE))
    reference = goodbye[: 3 * swapper.sample_rate]
    targets = {"reference": reference, "voice": swapper.voice(reference)}
    print("recording  target     seconds per second  of processors  times real time  peak memory")
    for seconds in (3, 10, 60):
        source = np.resize(hello, seconds * swapper.sample_rate)
        for name, target in targets.items():
            swapper.convert(source, target)
            runs = [timed(swapper, source, target) for _ in range(options.turns)]
            took, busy = (min(times) / seconds for times in zip(*runs, strict=True))
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
            print(
                f"{seconds:7d} s  {name:9s}  {took:18.3f}  {busy:13.3f}  {1 / took:15.1f}  "
                f"{peak:8.2f} GB"
            )


def timed(swapper: VoiceSwapper, source: np.ndarray, target: Any) -> tuple[float, float]:
    """Seconds that a conversion takes, and seconds of all processors together."""
    start, busy = time.perf_counter(), time.process_time()
    swapper.convert(source, target)
    return time.perf_counter() - start, time.process_time() - busy


if __name__ == "__main__":
    main()
