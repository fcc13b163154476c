"""F0 of a moving window is that of the whole recording, except where the future decides."""

import numpy as np
import pytest

from voiceswap.conversion import running_f0
from voiceswap.conversion.running_f0 import RunningF0
from voiceswap.features import AudioConfig, extract_f0


@pytest.mark.parametrize(("block", "ahead", "past"), [(12, 8, 120), (16, 24, 160), (10, 8, 4)])
def test_frames_that_are_settled_are_those_of_the_whole(hello, monkeypatch, block, ahead, past):
    tracked = []

    def track(samples, audio):
        tracked.append(len(samples))
        return extract_f0(samples, audio)

    monkeypatch.setattr(running_f0, "extract_f0", track)
    whole, running = extract_f0(hello, AudioConfig()), RunningF0(AudioConfig())
    found = np.full(len(whole), np.nan)
    for at in range(0, len(whole) - block - ahead, block):
        left, right = max(0, at - past), at + block + ahead
        f0 = running.track(hello[left * 160 : right * 160], left)
        assert f0.shape == (right - left,) and f0.dtype == np.float32
        last = max(left, right - 20)  # later ones are within the tracker's reach of what follows
        found[left:last] = f0[: last - left]
    settled = np.isfinite(found)
    if past >= 100:  # a window shorter than that cuts what a frame depends on
        assert settled.sum() > len(whole) - 2 * (block + ahead) - 40
        assert max(tracked) <= (block + 2 * 20 + 8) * 160  # what is known is not tracked again
        both = settled & (found > 0) & (whole > 0)
        assert ((found > 0) != (whole > 0))[settled].mean() < 0.01
        error = np.abs(found[both] / whole[both] - 1)  # not zero beside a gap beyond the reach
        assert np.quantile(error, 0.98) < 1e-4 and error.max() < 0.05
