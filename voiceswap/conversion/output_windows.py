"""The windows that conversions are rendered in, and what each needs."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from voiceswap.conversion.options import DEFAULTS, ConversionOptions
from voiceswap.conversion.output import Output
from voiceswap.conversion.pitch import place_contour
from voiceswap.conversion.recording import (
    RECEPTIVE_SECONDS,
    EncodedRecording,
    Window,
    windows,
)
from voiceswap.conversion.two_voices import who_speaks
from voiceswap.conversion.voice import Voice
from voiceswap.features import AudioConfig
from voiceswap.models.excitation import ExcitationState, excitation_states


@dataclass(frozen=True)
class Conversion:
    """A recording to be converted to a voice."""

    source: EncodedRecording
    voice: Voice
    options: ConversionOptions = DEFAULTS


@dataclass(frozen=True)
class OutputWindow:
    """A window of a conversion, and where its samples go.

    Attributes:
        f0: Hz, at the target's pitch, of the window's mel frames with context, (frames,).
        log_f0: mean and standard deviation of ln F0 of the target, (2,).
        excitation: of the vocoder, at the window's left.
    """

    conversion: Conversion
    window: Window
    f0: Tensor
    log_f0: Tensor
    excitation: ExcitationState
    output: Output

    @property
    def segment(self) -> tuple[EncodedRecording, int, int]:
        """The source, and the mel frames of the window with context, first to last."""
        return self.conversion.source, self.window.left, self.window.right

    @property
    def own_f0(self) -> Tensor:
        """The source's F0 (frames,) in the window with context, Hz."""
        f0 = self.conversion.source.recording.f0
        return torch.from_numpy(f0[self.window.left : self.window.right])

    def samples(self) -> np.ndarray:
        """The source's samples (samples,) of the window with context."""
        return self.conversion.source.recording.samples(self.window.left, self.window.right)


def output_windows(
    conversion: Conversion, voice_log_f0: Tensor, output: Output, audio: AudioConfig
) -> list[OutputWindow]:
    """The windows of a conversion; `voice_log_f0` (2,) is the voice's, `audio` that of outputs."""
    recording = conversion.source.recording
    rate = recording.config.frame_rate
    # A song's verse and chorus, and one person's words and shouts, may be as far apart as two
    # people are.
    options = conversion.options
    alone = options.exact_pitch or options.source_pitch is not None
    people = np.zeros(recording.frames) if alone else who_speaks(recording.f0, rate)
    f0, log_f0 = place_contour(recording.f0, people, voice_log_f0, options, recording.name)
    cut = windows(recording.frames, rate, RECEPTIVE_SECONDS)
    states = excitation_states(f0, [window.left for window in cut], audio)
    return [
        OutputWindow(conversion, window, f0[window.left : window.right], log_f0, state, output)
        for window, state in zip(cut, states, strict=True)
    ]
