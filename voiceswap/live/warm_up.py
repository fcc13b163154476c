"""Runs a stream once before it is needed, since the first blocks are slow."""

import numpy as np

from voiceswap.conversion.latency import Latency
from voiceswap.conversion.swapper import VoiceSwapper
from voiceswap.conversion.voice import Voice

LEVEL = 0.01  # of the noise that is converted


def warm_up(swapper: VoiceSwapper, voice: Voice, latency: str) -> None:
    """Convert some noise, until a block's past is as long as it gets.

    Libraries prepare their products anew for every length, so that the first blocks of a program
    take twice as long as those that follow.
    """
    stream, seconds = swapper.stream(voice, latency=latency), Latency.of(latency)
    length = round((seconds.past + 2 * seconds.block + stream.latency) * stream.rate)
    stream.push(LEVEL * np.random.default_rng(0).standard_normal(length).astype(np.float32))
