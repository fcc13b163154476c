"""The learning rate over a training."""

import math


def rate_share(step: int, steps: int, warmup: int) -> float:
    """The rate at a step, as a share of the highest, from 0 to 1.

    It rises over `warmup` steps and falls along a cosine to a twentieth at `steps`.
    """
    decay = 0.05 + 0.95 * (1 + math.cos(math.pi * min(1.0, step / steps))) / 2
    return min(1.0, (step + 1) / warmup) * decay
