"""F0 of a recording that comes block by block."""

import math

import numpy as np

from voiceswap.dsp.f0_tracker import HOP, SAMPLE_RATE
from voiceswap.features import AudioConfig, extract_f0

F0_CONTEXT_SECONDS = 0.2  # to either side of a frame that its F0 depends on


class RunningF0:
    """The F0 of a window that moves on: frames that later samples can't change are tracked once."""

    def __init__(self, audio: AudioConfig):
        self._audio = audio
        self._reach = round(F0_CONTEXT_SECONDS * audio.frame_rate)
        # The tracker's frames stay where they are if windows begin at every so many mel frames.
        common = math.lcm(audio.hop_length * SAMPLE_RATE, HOP * audio.sample_rate)
        self._grid = common // (audio.hop_length * SAMPLE_RATE)
        self._known = np.zeros(0, np.float32)  # of the frames before `_settled`
        self._settled = 0

    def track(self, wave: np.ndarray, left: int) -> np.ndarray:
        """F0 in Hz, 0 where unvoiced, of every mel frame (frames,) of a window.

        Args:
            wave: the window's samples (samples,).
            left: the mel frame that it begins at, not before that of the last window.
        """
        hop, known = self._audio.hop_length, self._known
        known = known[len(known) - max(0, self._settled - left) :]
        first = max(left, (left + len(known) - self._reach) // self._grid * self._grid)
        tracked = extract_f0(wave[(first - left) * hop :], self._audio)
        f0 = np.concatenate([known, tracked[left + len(known) - first :]])
        self._settled = max(left + len(known), left + len(f0) - self._reach)
        self._known = f0[: self._settled - left]
        return f0
