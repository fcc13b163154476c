"""Seconds of computing per second of speech, and peak memory.

python benchmarks/conversion.py [CHECKPOINT] [--threads 2] [--device cpu]

The model is loaded, and has converted once before. The reference is embedded in every conversion.
Minimum of three runs.
"""

import argparse
import resource
import time

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
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    start = time.perf_counter()
    swapper = VoiceSwapper.load(options.checkpoint, options.device)
    print(f"loading: {time.perf_counter() - start:.2f} s")
    hello, goodbye = (read_audio(path, swapper.sample_rate) for path in (HELLO, GOODBYE))
    print("recording  seconds per second  times real time  peak memory")
    for seconds in (3, 10, 60):
        source = np.resize(hello, seconds * swapper.sample_rate)
        swapper.convert(source, goodbye)
        took = min(timed(swapper, source, goodbye) for _ in range(3)) / seconds
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(f"{seconds:7d} s  {took:18.3f}  {1 / took:15.1f}  {peak:8.2f} GB")


def timed(swapper: VoiceSwapper, source: np.ndarray, target: np.ndarray) -> float:
    """Seconds that a conversion takes."""
    start = time.perf_counter()
    swapper.convert(source, target)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
