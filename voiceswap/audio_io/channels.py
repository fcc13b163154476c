"""Which channels of a recording to mix; some would cancel the speech."""

import numpy as np

from voiceswap.notes import Note, note

FRAME_SECONDS = 0.25  # of a cross-correlation
SHIFT_SECONDS = 0.05  # how late a channel may be
ALIKE = 0.6  # cross-correlation, at the best shift, of channels that hold the same sound
ADDS_UP = 0.85  # share of it without a shift, above which a sum loses little
SILENT = 1e-4  # power, relative to the loudest channel's: -40 dB


class ChannelMix:
    """Measures blocks of a recording, and then tells which channels to take the mean of.

    A channel is left out that is silent beside the loudest, or that holds the same sound inverted
    or late, by cross-correlation (Knapp and Carter, "The generalized correlation method for
    estimation of time delay", 1976). Two microphones of two people are mixed.
    """

    def __init__(self, channels: int, rate: float):
        self.frame = 1 << int(FRAME_SECONDS * rate).bit_length()
        self.shift = int(SHIFT_SECONDS * rate)
        self.cross = np.zeros((channels, channels, self.frame // 2 + 1), complex)

    def add(self, block: np.ndarray) -> None:
        """Measure samples (samples, channels)."""
        if not np.isfinite(block).all():  # an error, which reading raises
            return
        channels = block.shape[1]
        centred = block - block.mean(0, dtype=float)  # an offset is no sound
        padded = np.pad(centred, ((0, -len(block) % self.frame), (0, 0)))
        for frame in padded.reshape(-1, self.frame, channels):
            spectrum = np.fft.rfft(frame, axis=0).T
            for one in range(channels):
                for other in range(one, channels):
                    self.cross[one, other] += spectrum[one].conj() * spectrum[other]

    def kept(self, name: str) -> list[int]:
        """The channels to take the mean of. What is left out of `name` is a note."""
        channels = range(len(self.cross))
        powers = [self._correlation(channel, channel)[0] for channel in channels]
        loudest = int(np.argmax(powers))
        silent = [c for c in channels if powers[c] <= SILENT * powers[loudest] and c != loudest]
        cancelling = [
            channel
            for channel in channels
            if channel not in (*silent, loudest)
            and self._cancels(loudest, channel, (powers[loudest] * powers[channel]) ** 0.5)
        ]
        kept = [channel for channel in channels if channel not in (*silent, *cancelling)]
        if cancelling:
            left_out, used = "one channel is", "only the louder one is"
            if len(channels) > 2:
                left_out, used = (
                    f"{len(cancelling)} of {len(channels)} channels are",
                    "the others are",
                )
            why = "inverted or late, so that a mix would cancel speech"
            note(Note(name, f": {left_out} {why}; {used} used."))
        elif silent and powers[loudest] > 0 and len(channels) == 2:
            note(Note(name, ": one channel is silent, so only the other one is used."))
        return kept

    def _correlation(self, one: int, other: int) -> np.ndarray:
        first, second = sorted((one, other))  # the other way round it is mirrored in time
        return np.fft.irfft(self.cross[first, second], self.frame)

    def _cancels(self, one: int, other: int, scale: float) -> bool:
        correlation = self._correlation(one, other) / scale
        near = np.concatenate([correlation[: self.shift + 1], correlation[-self.shift :]])
        best = float(np.abs(near).max())
        return best > ALIKE and correlation[0] < ADDS_UP * best
