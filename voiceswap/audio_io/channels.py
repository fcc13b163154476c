"""Which channels of a recording to mix; some would cancel the speech."""

import numpy as np

from voiceswap.notes import Note, note

FRAME_SECONDS = 0.25  # of a cross-correlation
SHIFT_SECONDS = 0.05  # how late a channel may be
ALIKE = 0.6  # cross-correlation, at the best shift, of channels that hold the same sound
UNLIKE = 0.4  # the same, below which they hold different ones
ADDS_UP = 0.85  # share of it without a shift, above which a sum loses little
SILENT = 1e-4  # power, relative to the loudest channel's: -40 dB
ACTIVE = 0.25  # power of a frame with speech, relative to the channel's mean: -6 dB
ALONE = 6.3  # ratio of relative powers, above which one channel has speech alone: 8 dB
ALONE_SHARE, ALONE_FRAMES = 0.05, 2  # of frames with speech, alone on each channel: the least
ONE_ON_EACH = (
    ": two people seem to speak in it, one on each channel; both are mixed, so convert it as a "
    "dialogue, or give each as a file of its own."
)


class ChannelMix:
    """Measures blocks of a recording, and then tells which channels to take the mean of.

    A channel is left out that is silent beside the loudest, or that holds the same sound inverted
    or late, by cross-correlation (Knapp and Carter, "The generalized correlation method for
    estimation of time delay", 1976). Two people, one on each channel, are mixed.
    """

    def __init__(self, channels: int, rate: float):
        self.frame = 1 << int(FRAME_SECONDS * rate).bit_length()
        self.shift = int(SHIFT_SECONDS * rate)
        self.cross = np.zeros((channels, channels, self.frame // 2 + 1), complex)
        self.powers: list[np.ndarray] = []  # of each block's frames, (frames, channels)

    def add(self, block: np.ndarray) -> None:
        """Measure samples (samples, channels)."""
        if not np.isfinite(block).all():  # an error, which reading raises
            return
        channels = block.shape[1]
        centred = block - block.mean(0, dtype=float)  # an offset is no sound
        padded = np.pad(centred, ((0, -len(block) % self.frame), (0, 0)))
        frames = padded.reshape(-1, self.frame, channels)
        self.powers.append(np.square(frames).mean(1))
        for frame in frames:
            spectrum = np.fft.rfft(frame, axis=0).T
            for one in range(channels):
                for other in range(one, channels):
                    self.cross[one, other] += spectrum[one].conj() * spectrum[other]

    def kept(self, name: str) -> list[int]:
        """The channels to take the mean of.

        A note has what is left out of `name`, or that its two channels are of two people.
        """
        channels = range(len(self.cross))
        powers = [self._cross_correlation(channel, channel)[0] for channel in channels]
        loudest = int(np.argmax(powers))
        silent = [c for c in channels if powers[c] <= SILENT * powers[loudest] and c != loudest]
        alike = {
            c: self._alike(loudest, c, (powers[loudest] * powers[c]) ** 0.5)
            for c in channels
            if c not in (*silent, loudest)
        }
        cancelling = [
            c for c, (best, mixed) in alike.items() if best > ALIKE and mixed < ADDS_UP * best
        ]
        kept = [channel for channel in channels if channel not in (*silent, *cancelling)]
        why = "inverted or late, so that a mix would cancel speech"
        if cancelling and len(channels) > 2:
            count = f"{len(cancelling)} of {len(channels)} channels are"
            note(Note(name, f": {count} {why}; the others are used."))
        elif cancelling:
            note(Note(name, f": one channel is {why}; only the louder one is used."))
        elif silent and powers[loudest] > 0 and len(channels) == 2:
            note(Note(name, ": one channel is silent, so only the other one is used."))
        elif len(channels) == len(kept) == 2 and self._of_two_people(alike[1 - loudest][0]):
            note(Note(name, ONE_ON_EACH))
        return kept

    def _cross_correlation(self, one: int, other: int) -> np.ndarray:
        first, second = sorted((one, other))  # the other way round it is mirrored in time
        return np.fft.irfft(self.cross[first, second], self.frame)

    def _alike(self, one: int, other: int, scale: float) -> tuple[float, float]:
        """Cross-correlation of two channels at the best shift, and without a shift."""
        correlation = self._cross_correlation(one, other) / scale
        near = np.concatenate([correlation[: self.shift + 1], correlation[-self.shift :]])
        return float(np.abs(near).max()), float(correlation[0])

    def _of_two_people(self, correlation: float) -> bool:
        """Whether two channels are unlike, and each has speech where the other one has none.

        `correlation` is their cross-correlation at the best shift.
        """
        power = np.concatenate(self.powers)
        relative = power / power.mean(0)
        active = relative > ACTIVE
        alone = active & (relative > ALONE * relative[:, ::-1])
        least = max(ALONE_FRAMES, ALONE_SHARE * active.any(1).sum())
        return correlation < UNLIKE and bool((alone.sum(0) >= least).all())
