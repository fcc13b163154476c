"""Features of speech: log-mel spectrograms and F0."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import soxr
import torch
import torchaudio.transforms
from torch import Tensor, nn

from voiceswap.dsp.f0_tracker import HOP, SAMPLE_RATE, f0_tracker
from voiceswap.errors import CheckpointError
from voiceswap.precision import exact_arithmetic
from voiceswap.transfer import HostCopy, to_device

# Hz; searched range of the fundamental: from a low voice to the C6 of a soprano.
F0_MIN, F0_MAX = 60.0, 1100.0
DEFAULT_F0 = 150.0  # Hz; of a voice of which nothing is known, and where pitch inputs are centred
DEFAULT_LOG_F0_STD = 0.2
MEL_MEAN, MEL_STD = -5.0, 2.5  # rough moments of log-mels of speech; inputs are scaled by them


@dataclass(frozen=True)
class AudioConfig:
    """The audio settings, which define a mel spectrogram.

    Stored in every checkpoint and shared by autoencoder and vocoder. Rates and frequencies in Hz,
    sizes in samples. Defaults are those of the bundled model: 16 kHz, 100 frames a second.
    """

    sample_rate: int = 16000
    n_fft: int = 1024
    hop_length: int = 160
    n_mels: int = 80
    f_min: float = 0.0
    f_max: float = 8000.0
    log_floor: float = 1e-5

    @property
    def frame_rate(self) -> float:
        """Mel frames a second."""
        return self.sample_rate / self.hop_length

    def frames(self, samples: int) -> int:
        """Number of mel frames of a recording of `samples` samples: one for every hop begun."""
        return math.ceil(samples / self.hop_length)

    def at_rate(self, rate: int) -> "AudioConfig":
        """The settings for the same mel frames of recordings at another rate, in Hz.

        Raises CheckpointError where a frame is no whole number of samples at that rate.
        """
        hop, n_fft = self.hop_length * rate, self.n_fft * rate
        if hop % self.sample_rate or n_fft % self.sample_rate:
            raise CheckpointError(
                f"Frames of {self.hop_length} samples at {self.sample_rate} Hz are no whole "
                f"number of samples at {rate} Hz."
            )
        hop, n_fft = hop // self.sample_rate, n_fft // self.sample_rate
        return replace(self, sample_rate=rate, hop_length=hop, n_fft=n_fft)

    def to_dict(self) -> dict:
        """As plain numbers, for a checkpoint's metadata."""
        return asdict(self)

    def require_same(self, other: "AudioConfig", this: str, that: str) -> None:
        """Raise CheckpointError naming each value in which the two differ."""
        others = asdict(other)
        differences = [
            f"{name} is {value} in {this} and {others[name]} in {that}"
            for name, value in asdict(self).items()
            if value != others[name]
        ]
        if differences:
            raise CheckpointError(f"The audio settings do not match: {'; '.join(differences)}.")


class MelSpectrogram(torchaudio.transforms.MelSpectrogram):
    """Waveforms (batch, samples) to mel magnitudes or powers (batch, mels, ceil(samples / hop)).

    Frame t is centred on sample t * hop, and what lies outside the recording counts as zero, so
    padding a recording with zeros changes none of its frames. `slaney` is the mel scale and area
    normalisation of librosa and Whisper; otherwise the HTK scale, triangles of height one.
    """

    def __init__(
        self,
        sample_rate: int,
        n_fft: int,
        hop_length: int,
        n_mels: int,
        f_min: float,
        f_max: float,
        power: float = 1.0,
        slaney: bool = False,
    ):
        super().__init__(
            sample_rate,
            n_fft,
            hop_length=hop_length,
            n_mels=n_mels,
            f_min=f_min,
            f_max=f_max,
            power=power,
            pad_mode="constant",
            norm="slaney" if slaney else None,
            mel_scale="slaney" if slaney else "htk",
        )
        for module, name in ((self.spectrogram, "window"), (self.mel_scale, "fb")):
            module.register_buffer(name, getattr(module, name), persistent=False)

    @property
    def filters(self) -> Tensor:
        """The filter bank, (mels, bins)."""
        return self.mel_scale.fb.T

    def forward(self, samples: Tensor) -> Tensor:
        """The mel spectrogram, one frame for every hop begun."""
        return self.mel_scale(self.magnitudes(samples))

    def magnitudes(self, samples: Tensor) -> Tensor:
        """The spectrogram (batch, bins, frames) before the filter bank: magnitudes or powers."""
        return self.spectrogram(samples)[..., : math.ceil(samples.shape[-1] / self.hop_length)]


def mel_filters(config: AudioConfig) -> Tensor:
    """The filter bank (mels, bins) of the log-mels that `config` describes."""
    return LogMel(config).mel.filters


def mel_edges(config: AudioConfig) -> Tensor:
    """Hz between the middles of the log-mels' neighbouring bins, and outside the outer ones.

    (mels + 1,), on the HTK scale.
    """
    low, high = (2595 * math.log10(1 + hz / 700) for hz in (config.f_min, config.f_max))
    places = low + (torch.arange(config.n_mels + 1) + 0.5) * (high - low) / (config.n_mels + 1)
    return 700 * (10 ** (places / 2595) - 1)


class LogMel(nn.Module):
    """Waveforms (batch, samples) to natural-log mel magnitudes, floored at log(log_floor).

    Returns (batch, mels, frames); see `MelSpectrogram`.
    """

    def __init__(self, config: AudioConfig):
        super().__init__()
        self.mel = MelSpectrogram(
            config.sample_rate,
            config.n_fft,
            config.hop_length,
            config.n_mels,
            config.f_min,
            config.f_max,
        )
        self.floor = config.log_floor

    def forward(self, samples: Tensor) -> Tensor:
        """Log-mels of waveforms."""
        return self.mel(samples).clamp(min=self.floor).log()


def extract_f0(samples: np.ndarray, config: AudioConfig) -> np.ndarray:
    """F0 in Hz, one value a mel frame, 0 where unvoiced: (frames,), float32, of (samples,)."""
    return F0Batch([samples], config, torch.device("cpu")).contours()[0]


class F0Batch:
    """`extract_f0` of several recordings at once, under way on a device until it is asked for."""

    def __init__(self, items: Sequence[np.ndarray], config: AudioConfig, device: torch.device):
        waves = [torch.from_numpy(_at_16_khz(samples, config.sample_rate)) for samples in items]
        lengths = [len(wave) for wave in waves]
        batch = to_device(torch.nn.utils.rnn.pad_sequence(waves, batch_first=True), device)
        padded = max(lengths) > min(lengths)
        sizes = to_device(torch.tensor(lengths), device) if padded else None
        # The phase of a voice is the sum of its F0: a thousandth of F0 is soon a period.
        with torch.inference_mode(), exact_arithmetic(device):
            pitch, voicing = f0_tracker(str(device))(batch, F0_MIN, F0_MAX, sizes)
            self._tracked = HostCopy(torch.stack([pitch, voicing.to(pitch.dtype)], 1))
        self._frames = [
            (max(1, length // HOP), config.frames(len(samples)))
            for length, samples in zip(lengths, items, strict=True)
        ]
        self._frame_rate = config.frame_rate

    def contours(self) -> list[np.ndarray]:
        """F0 of each recording, (frames,)."""
        return [
            _on_mel_frames(pitch[:last], voicing[:last], frames, self._frame_rate)
            for (pitch, voicing), (last, frames) in zip(
                self._tracked.numpy(), self._frames, strict=True
            )
        ]


def _at_16_khz(samples: np.ndarray, rate: int) -> np.ndarray:
    if rate != SAMPLE_RATE:
        samples = soxr.resample(samples, rate, SAMPLE_RATE)
    return np.ascontiguousarray(samples, np.float32)


def _on_mel_frames(
    pitch: np.ndarray, voicing: np.ndarray, frames: int, frame_rate: float
) -> np.ndarray:
    """F0 (frames,) of the mel's frames from the tracker's, which are 16 ms apart.

    Pitch goes along a line from one voiced frame to the next, voicing comes from the nearest frame.
    """
    voiced = voicing >= 0.5
    if not voiced.any():
        return np.zeros(frames, np.float32)
    times, tracked = np.arange(frames) / frame_rate, np.arange(len(pitch)) * HOP / SAMPLE_RATE
    middles = (tracked[1:] + tracked[:-1]) / 2
    nearest = np.searchsorted(middles, times + 1e-6)  # a tie goes to the later frame, always
    f0 = np.exp(np.interp(times, tracked[voiced], np.log(pitch[voiced])))
    return np.where(voiced[nearest], f0, 0.0).astype(np.float32)


def log_f0_statistics(f0: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation of ln F0 over voiced frames; the defaults where none is."""
    voiced = np.log(f0[f0 > 0].astype(np.float64))
    if len(voiced) < 3:
        return math.log(DEFAULT_F0), DEFAULT_LOG_F0_STD
    # Octave errors and creak would raise the deviation; halfway between two pitches is no frame.
    near = np.abs(voiced - np.median(voiced)) < math.log(1.9)
    voiced = voiced[near] if near.any() else voiced
    return float(voiced.mean()), float(np.clip(voiced.std(), 0.05, 0.5))
