"""Recordings of two people with one on each channel, such as calls: who speaks when, and parts."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from voiceswap.audio_io.channels import ALONE
from voiceswap.audio_io.decoding import decode_file
from voiceswap.audio_io.resampling import BlockResampler
from voiceswap.audio_io.writing import AudioWriter
from voiceswap.conversion.disk_array import DiskArray
from voiceswap.conversion.speaker_changes import PLACE_SECONDS, QUIET_DB, likeliest, smooth
from voiceswap.dsp.level import frame_powers, power_frame
from voiceswap.notes import notes_to

LOUD = 99  # percentile of the powers of frames that is loud speech, of who speaks little too
# Frames around one, in which whoever speaks is louder than in a pause between syllables.
AROUND = 15
# Of two people's relative levels: the difference that is worth a deviation of the verifier's.
PREFERENCE_DB = 6.0
BLOCK_FRAMES = 500


class TwoChannels:
    """The samples of a file with two channels, and the powers of their frames.

    Args:
        file: with two channels.
        rate: Hz, of the samples that are kept.
    """

    def __init__(self, file: Path, rate: int):
        self.rate, self.frame = rate, power_frame(rate)
        self.samples = DiskArray.of(_resampled(file, rate), np.float32, 2)
        longest = BLOCK_FRAMES * self.frame
        powers = [
            np.stack([frame_powers(block[:, channel], rate) for channel in (0, 1)], 1)
            for block in self.samples.blocks(longest)
        ]
        together = np.concatenate(powers)
        loud = np.maximum(np.percentile(together, LOUD, axis=0), 1e-12)
        self._relative = np.stack([smooth(own, AROUND) for own in (together / loud).T], 1) + 1e-9

    def second(self) -> np.ndarray:
        """Whether the second channel's person speaks at places PLACE_SECONDS apart."""
        count = round(len(self.samples) / self.rate / PLACE_SECONDS)
        places = np.arange(max(1, count)) * PLACE_SECONDS * self.rate / self.frame
        nearest = np.minimum(places.astype(int), len(self._relative) - 1)
        decibels = 10 * np.log10(self._relative[nearest])
        speech = decibels.max(1) > QUIET_DB
        return likeliest((decibels[:, 1] - decibels[:, 0]) / PREFERENCE_DB, speech)

    def write(self, channel: int, path: Path) -> None:
        """Write what the person on a channel speaks: silence where only the other one does.

        So none of the other's voice, which a microphone nearby takes too, is left in it.
        """
        own, other = self._relative[:, channel], self._relative[:, 1 - channel]
        closed = (other > 10 ** (QUIET_DB / 10)) & (other > ALONE * own)
        middles = (np.arange(len(own)) + 0.5) * self.frame
        longest = BLOCK_FRAMES * self.frame
        with AudioWriter(path, self.rate, subtype="FLOAT") as writer:
            for number, block in enumerate(self.samples.blocks(longest)):
                places = number * longest + np.arange(len(block))
                writer.write(block[:, channel] * np.interp(places, middles, 1.0 - closed))


def _resampled(file: Path, rate: int) -> Iterator[np.ndarray]:
    """The samples (samples, 2) of a file in blocks, at `rate` Hz."""
    resamplers: list[BlockResampler] = []
    with notes_to(lambda sentence: None):  # the reading of their mix had the same
        for own_rate, block in decode_file(file):
            resamplers = resamplers or [BlockResampler(own_rate, rate) for _ in range(2)]
            yield np.stack([r.push(part) for r, part in zip(resamplers, block.T, strict=True)], 1)
    yield np.stack([resampler.flush() for resampler in resamplers], 1)
