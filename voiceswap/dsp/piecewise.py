"""Long recordings cleaned a minute at a time."""

from collections.abc import Callable, Iterator

import numpy as np

PIECE_SECONDS, FADE_SECONDS = 60.0, 1.0  # of a recording at once, and between pieces
LAST_SECONDS = 2.0  # the least that is a piece of its own


def piecewise(
    blocks: Iterator[np.ndarray], sample_rate: int, clean: Callable[[np.ndarray, int], np.ndarray]
) -> Iterator[np.ndarray]:
    """A recording in blocks (samples,), cleaned piece by piece, with fades between pieces.

    `clean` takes samples and their rate, and gives as many. The result does not depend on how the
    recording is cut.
    """
    longest, fade = round(PIECE_SECONDS * sample_rate), round(FADE_SECONDS * sample_rate)
    rising = np.linspace(0, 1, fade, dtype=np.float32)
    held, before = np.zeros(0, np.float32), np.zeros(0, np.float32)

    def joined(piece: np.ndarray) -> np.ndarray:
        cleaned = clean(piece, sample_rate)
        if len(before):
            faded = before + rising * (cleaned[:fade] - before)
            cleaned = np.concatenate([faded, cleaned[fade:]])
        return cleaned

    for block in blocks:
        held = np.concatenate([held, block])
        while len(held) > longest + round(LAST_SECONDS * sample_rate):
            piece = joined(held[:longest])
            held, before = held[longest - fade :], piece[-fade:]
            yield piece[:-fade]
    if len(held):
        yield joined(held)
