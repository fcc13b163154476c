"""Nonverbal sounds of a stream, which follow the source; see `nonverbal`."""

import numpy as np
import torch
from torch import Tensor

from voiceswap.conversion.engine import Engine
from voiceswap.conversion.nonverbal import difference, follow_source, unsure

SETTLED_SECONDS = 1.0  # of speech in a voice, after which such sounds follow the source fully
STREAM_LOG_VARIANCE = 0.05  # how much higher the mean log-variance of speech is in streams


class RunningNonverbal:
    """What a stream knows of the difference between source and voice."""

    def __init__(self, engine: Engine):
        self._engine = engine
        nothing = torch.zeros((), dtype=torch.float32, device=engine.device)
        self._difference = nothing, nothing + 1e-6  # of mels so far

    def follow_source(
        self, mel: Tensor, wave: np.ndarray, f0: Tensor, log_variance: Tensor, block: slice
    ) -> Tensor:
        """Log-mels of a window's end that follow the source where the content is unsure.

        Args:
            mel: decoded, (1, mels, frames).
            wave: samples (samples,) of the whole window.
            f0: the source's, (1, frames), Hz.
            log_variance: the content posterior's, of the whole window.
            block: the frames of `mel` to learn from.
        """
        engine = self._engine
        if engine.usual_log_variance is None:
            return mel
        source = engine.log_mel(torch.from_numpy(wave)[None].to(engine.device))
        share = unsure(log_variance, engine.usual_log_variance + STREAM_LOG_VARIANCE, source)
        source, share = (x[..., source.shape[-1] - mel.shape[-1] :] for x in (source, share))
        source = engine.envelope(source, f0.to(engine.device))
        if block.stop:
            new = difference(mel[..., block], source[..., block], share[..., block])
            self._difference = self._difference[0] + new[0], self._difference[1] + new[1]
        settled = (self._difference[1] / (SETTLED_SECONDS * engine.audio.frame_rate)).clamp(max=1)
        return follow_source(mel, source, share * settled, self._difference)
