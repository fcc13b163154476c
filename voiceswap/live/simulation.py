"""A stream on the clock of an imagined sound device."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from voiceswap.conversion.streaming import Stream
from voiceswap.live.device import DEVICE_BLOCK


@dataclass(frozen=True)
class StreamReport:
    """How a stream kept up. Times in seconds.

    Attributes:
        latency: from a sample to its conversion by the algorithm alone.
        delay: from a sample to when it is played: `latency` and a block's computing.
        compute: time of computing each block.
        block: length of a block.
        late: blocks that were not ready when they were due, each a dropout.
    """

    latency: float
    delay: float
    compute: np.ndarray
    block: float
    late: int

    @property
    def real_time_factor(self) -> float:
        """Time of computing a second of sound."""
        return float(self.compute.mean()) / self.block

    def rows(self) -> list[tuple[str, str]]:
        """Lines of a table."""
        median, slowest = np.quantile(self.compute, [0.5, 0.99])
        share = f"{100 * slowest / self.block:.0f} % of its {1000 * self.block:.0f} ms"
        return [
            ("latency of the algorithm", f"{1000 * self.latency:.0f} ms"),
            ("delay, computing included", f"{1000 * self.delay:.0f} ms"),
            ("computing a block, median", f"{1000 * median:.0f} ms"),
            ("computing a block, 99th percentile", f"{1000 * slowest:.0f} ms, {share}"),
            ("real-time factor", f"{self.real_time_factor:.2f}"),
            ("dropouts", f"{self.late} of {len(self.compute)} blocks"),
        ]


def simulate(
    stream: Stream, samples: np.ndarray, progress: Callable[[float], None] = lambda done: None
) -> tuple[np.ndarray, StreamReport]:
    """Give samples (samples,) to a stream as a device would, and time it.

    Computing is timed on this machine; the device's clock is imagined, so it takes as long as the
    computing. A block is late when computing it, and what had to be computed before, ends after the
    delay, which leaves a whole block's length for computing.
    """
    step = round(DEVICE_BLOCK * stream.rate)
    ready_at, compute, outputs, late, given = 0.0, [], [], 0, 0
    delay = stream.latency + stream.block_seconds
    for first in range(0, len(samples), step):
        arrived = min(first + step, len(samples)) / stream.rate
        start = time.perf_counter()
        out = stream.push(samples[first : first + step])
        took = time.perf_counter() - start
        ready_at = max(arrived, ready_at) + took
        if len(out):
            compute.append(took)
            late += ready_at > given / stream.rate + delay
            given += len(out)
            outputs.append(out)
            progress(arrived * stream.rate / len(samples))
    outputs.append(stream.flush())
    made = np.concatenate(outputs)
    times = np.array(compute or [0.0])
    return made, StreamReport(stream.latency, delay, times, stream.block_seconds, late)
