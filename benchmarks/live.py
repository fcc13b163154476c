"""A stream's late blocks while threads of the same program convert recordings of 10 s.

    python benchmarks/live.py --minutes 10 --latency normal --visitors 1

The threads convert again and again, and give way to the stream as conversions of the page do, or
not with --equal. The clock is that of `voiceswap live --simulate`.
"""

import argparse
import threading
import time

import numpy as np

from voiceswap import VoiceSwapper
from voiceswap.audio import read_audio
from voiceswap.conversion.background import compute_alone
from voiceswap.conversion.latency import LATENCIES
from voiceswap.examples import GOODBYE, HELLO
from voiceswap.live.simulation import simulate
from voiceswap.ui.jobs import giving_way


def main() -> None:
    """Print the stream's report, and how long a conversion took beside it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--latency", choices=list(LATENCIES), default="normal")
    parser.add_argument("--visitors", type=int, default=1)
    parser.add_argument("--equal", action="store_true", help="threads do not give way")
    options = parser.parse_args()
    swapper = VoiceSwapper.load(device="cpu")
    talk = read_audio(HELLO, swapper.sample_rate)
    recording = np.resize(talk, 10 * swapper.sample_rate)
    over, took = threading.Event(), []

    def convert() -> None:
        while not over.is_set():
            start = time.perf_counter()
            swapper.convert(recording, GOODBYE)
            took.append(time.perf_counter() - start)

    work = convert if options.equal else giving_way(convert)
    visitors = [threading.Thread(target=work) for _ in range(options.visitors)]
    stream = swapper.stream(swapper.voice(GOODBYE), latency=options.latency)
    for visitor in visitors:
        visitor.start()
    compute_alone()  # as `voiceswap live` does
    _, report = simulate(stream, np.resize(talk, round(60 * options.minutes * swapper.sample_rate)))
    over.set()
    for visitor in visitors:
        visitor.join()
    for name, value in report.rows():
        print(f"{name}: {value}")
    if took:
        print(f"{len(took)} conversions of 10 s beside it, {np.median(took):.2f} s each (median)")


if __name__ == "__main__":
    main()
