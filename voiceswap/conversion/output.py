"""A conversion's samples, until they are written."""

from collections.abc import Iterator

import numpy as np

from voiceswap.audio_io.decoding import BLOCK_SECONDS
from voiceswap.audio_io.resampling import resample_blocks
from voiceswap.conversion.disk_array import DiskArray
from voiceswap.conversion.loudness import LoudnessGain, output_contours
from voiceswap.conversion.recording import Recording
from voiceswap.dsp.limiter import limited_gain, ramps, true_peaks
from voiceswap.errors import VoiceswapError
from voiceswap.features import AudioConfig

FADE_SECONDS = 0.003  # of an output's ends: a recording cut within a word would click there


def output_length(source: Recording, audio: AudioConfig) -> int:
    """How many samples at the rate of `audio` are as long as a recording."""
    return min(round(source.seconds * audio.sample_rate), source.frames * audio.hop_length)


class Output:
    """A conversion's samples, written window by window and read back as loud as the source.

    `audio` has the samples' rate, which may differ from the source's.
    """

    def __init__(self, source: Recording, audio: AudioConfig):
        self.source, self.audio, self._samples = source, audio, DiskArray(np.float32)
        self._length = output_length(source, audio)

    def append(self, samples: np.ndarray) -> None:
        """Add samples of whole mel frames; what is beyond the source's end is left out."""
        self._samples.append(samples[: self._length - len(self._samples)])

    def blocks(self) -> Iterator[np.ndarray]:
        """The samples as loud as the source over time and within full scale, in blocks.

        Raises VoiceswapError where they are not numbers.
        """
        step = BLOCK_SECONDS * self.audio.sample_rate
        unscaled = self._samples.blocks(step)
        contours = output_contours(unscaled, self.audio, self.source.config)
        if not np.isfinite(contours.powers).all():
            raise VoiceswapError(
                "The model gave samples that are not numbers; its file, or the voice's, is damaged."
            )
        gain_db = LoudnessGain(self.audio.frame_rate).next(self.source.contours, contours)
        gain = limited_gain(gain_db, self._true_peaks(step))
        first = 0
        for samples in self._samples.blocks(step):
            last = first + len(samples)
            louder = samples * ramps(gain, self.audio.hop_length, first, last)
            self._fade(louder, first)
            yield louder
            first = last

    def _fade(self, samples: np.ndarray, first: int) -> None:
        """Fade samples from `first` on, where they are at the ends, to silence, in place."""
        length = round(FADE_SECONDS * self.audio.sample_rate)
        share = (np.arange(length, dtype=np.float32) + 0.5) / length
        rising = np.square(np.sin(np.pi / 2 * share))
        begin = samples[: max(0, length - first)]
        begin *= rising[first:][: len(begin)]
        ending = self._length - length - first  # where the last fade begins in `samples`
        end = samples[max(0, ending) :]
        end *= rising[::-1][max(0, -ending) :][: len(end)]

    def _true_peaks(self, step: int) -> np.ndarray:
        """`true_peaks` of all samples, `step` at a time with a frame to either side."""
        hop, peaks = self.audio.hop_length, []
        for first in range(0, len(self._samples), step):
            around = self._samples.read(first - hop, first + step + hop)
            peaks.append(true_peaks(around, hop)[min(first, hop) // hop :][: step // hop])
        return np.concatenate(peaks)

    def recording(self) -> Recording:
        """The conversion as a recording of its own, at the source's rate."""
        rates = self.audio.sample_rate, self.source.config.sample_rate
        blocks = resample_blocks(self.blocks(), *rates)
        return Recording(blocks, self.source.config, "The conversion", noisy=True)
