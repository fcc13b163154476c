"""What a stream knows of its source: level, pitch, and the moments that instance norm needs."""

import copy
import math

import numpy as np
import torch

from voiceswap.conversion.batching import stack_pairs
from voiceswap.conversion.engine import Engine
from voiceswap.conversion.recording import EncodedRecording
from voiceswap.dsp.level import ACTIVE_LEVEL_DB, POWER_FRAME_RATE, frame_powers, level_of_powers
from voiceswap.features import DEFAULT_F0, DEFAULT_LOG_F0_STD, log_f0_statistics
from voiceswap.models.layers import RunningMoments
from voiceswap.precision import inference

TYPICAL_SECONDS = 2.0  # weight of the typical statistics, as seconds of speech
REMEMBERED_SECONDS = 60.0  # of levels and pitch
PAUSE_BELOW_DB = 25.0  # frames this far below the speech's level are pauses, and teach nothing
NEAR_TONE = 0.03  # share of a tone's frequency by which F0 of it may be off
QUIETEST_DB = -55.0  # a level below this is no speech


class SourceStatistics:
    """Running statistics of a source speaker; they settle within seconds of speech.

    Args:
        frame_rate: mel frames a second.
        stride: mel frames of a feature frame.

    Attributes:
        features, content: moments of the front end's features and of the content posterior's mean,
            before its instance norm.
        peak: greatest log10 mel power so far; the front end needs it.
    """

    def __init__(self, frame_rate: float, stride: int) -> None:
        self.frame_rate, self.feature_rate = frame_rate, frame_rate / stride
        self.features, self.content = RunningMoments(), RunningMoments()
        self.peak = -math.inf
        self._powers, self._f0 = np.zeros(0), np.zeros(0, np.float32)

    @property
    def level_db(self) -> float:
        """Active level of the speech so far, in dB relative to full scale."""
        if not len(self._powers):
            return ACTIVE_LEVEL_DB
        return max(QUIETEST_DB, level_of_powers(self._powers))

    @property
    def log_f0(self) -> tuple[float, float]:
        """Mean and standard deviation of ln F0."""
        voiced = int((self._f0 > 0).sum())
        if voiced < 3:
            return math.log(DEFAULT_F0), DEFAULT_LOG_F0_STD
        mean, deviation = log_f0_statistics(self._f0)
        share = voiced / (voiced + self.frame_rate * TYPICAL_SECONDS / 2)  # a mean settles sooner
        return mean, share * deviation + (1 - share) * DEFAULT_LOG_F0_STD

    def add_samples(self, samples: np.ndarray, sample_rate: int) -> None:
        """Add the level of samples (samples,) as they came."""
        powers = frame_powers(samples, sample_rate)
        kept = round(REMEMBERED_SECONDS * POWER_FRAME_RATE)
        self._powers = np.append(self._powers, powers)[-kept:]

    def add_f0(self, f0: np.ndarray) -> None:
        """Add F0 in Hz (mel frames,)."""
        self._f0 = np.append(self._f0, f0)[-round(REMEMBERED_SECONDS * self.frame_rate) :]

    def forget_f0(self, tones: np.ndarray) -> None:
        """Count F0 near tones (tones,), in Hz, as unvoiced: they are no voice."""
        near = np.abs(self._f0[:, None] / tones - 1) < NEAR_TONE
        self._f0[near.any(1)] = 0.0

    def is_speech(self, samples: np.ndarray) -> bool:
        """Whether samples (samples,), as they came, are loud enough to update the statistics."""
        level = 10 * math.log10(float(np.square(samples, dtype=np.float64).mean()) + 1e-12)
        usual = self.level_db
        return usual > QUIETEST_DB and level > usual - PAUSE_BELOW_DB

    def copy(self) -> "SourceStatistics":
        """A copy, which later samples of this one do not change."""
        return copy.deepcopy(self)


def typical(statistics: SourceStatistics) -> SourceStatistics:
    """The initial statistics of an unknown speaker, from those of another recording.

    Level and pitch start empty; moments weigh as much as TYPICAL_SECONDS of speech.
    """
    known = statistics.copy()
    known._powers, known._f0 = known._powers[:0], known._f0[:0]
    for moments in (known.features, known.content):
        moments.weigh(round(TYPICAL_SECONDS * known.feature_rate))
    return known


@inference
def enroll(engine: Engine, encoded: EncodedRecording) -> SourceStatistics:
    """The statistics of a recording, of its densest REMEMBERED_SECONDS."""
    recording, stride = encoded.recording, engine.autoencoder.stride
    first, last = recording.densest_segment(REMEMBERED_SECONDS)
    features = encoded.features(first // stride, -(-last // stride)).to(engine.device)
    mean, _ = engine.autoencoder.content_encoder.encode_unnormalized(
        features[None], None, stack_pairs([encoded.feature_statistics], engine.device)
    )
    samples = recording.samples(first, last)
    statistics = SourceStatistics(engine.audio.frame_rate, stride)
    statistics.features.add(features)
    statistics.content.add(mean[0])
    spectrum = engine.encoder.front_end.spectrum(torch.from_numpy(samples)[None].to(engine.device))
    statistics.peak = float(spectrum.max())
    gain = 10 ** ((recording.level_db - ACTIVE_LEVEL_DB) / 20)
    statistics.add_samples(samples * gain, engine.audio.sample_rate)
    statistics.add_f0(recording.f0[first:last])
    return statistics
