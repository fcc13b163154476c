"""Recordings as the scorers hear them, each opinion formed once and kept."""

import hashlib
import json
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from voiceswap.audio import prepare_audio, read_audio
from voiceswap.evaluation.acoustics import mel_cepstrum
from voiceswap.evaluation.scorers import SAMPLE_RATE, Scorer
from voiceswap.features import AudioConfig, extract_f0
from voiceswap.files import whole_file


class MeasurementCache:
    """Lets scorers hear recordings; opinions are kept in `folder` by what was heard and who judged, so never go stale."""

    def __init__(self, scorers: dict[str, Scorer], folder: Path):
        self.scorers, self.folder = scorers, folder
        folder.mkdir(parents=True, exist_ok=True)

    def measure(self, recording: Path | np.ndarray, rate: int = SAMPLE_RATE) -> "Measurement":
        """A file, or samples (samples,) at `rate` Hz. Raises AudioError where it can't be used."""
        samples = (
            read_audio(recording, SAMPLE_RATE)
            if isinstance(recording, Path)
            else prepare_audio(recording, rate, SAMPLE_RATE)
        )
        return Measurement(samples / max(1.0, float(np.abs(samples).max())), self)


class Measurement:
    """One recording and what the scorers say of it; None where a scorer is missing."""

    def __init__(self, samples: np.ndarray, measurements: MeasurementCache):
        self.samples = np.ascontiguousarray(samples, dtype=np.float32)
        self._judges = measurements.scorers
        self._file = (
            measurements.folder / f"{hashlib.sha256(self.samples.tobytes()).hexdigest()[:32]}.json"
        )

    @property
    def sv(self) -> np.ndarray | None:
        """Resemblyzer's vector (256,), unit length."""
        return self._vector("sv")

    @property
    def dv(self) -> np.ndarray | None:
        """The second verifier's vector (256,), unit length."""
        return self._vector("dv")

    @property
    def mos(self) -> float | None:
        """Predicted mean opinion score, 1 to 5."""
        return self._opinion("mos")

    def words(self, language: str) -> str | None:
        """A transcript in `language`, such as "en"."""
        return self._opinion("words", language)

    def nll(self, text: str, language: str) -> float | None:
        """Negative log-likelihood of `text`, nats a token. None also for more than 30 s."""
        return self._opinion("nll", language, text)

    @cached_property
    def f0(self) -> np.ndarray:
        """F0 in Hz (frames,), a frame every 10 ms, 0 where unvoiced."""
        return extract_f0(self.samples, AudioConfig(sample_rate=SAMPLE_RATE))

    @cached_property
    def cepstrum(self) -> np.ndarray:
        """Mel cepstra (24, frames). Raises ImportError without librosa."""
        return mel_cepstrum(self.samples, SAMPLE_RATE)

    def _vector(self, key: str) -> np.ndarray | None:
        opinion = self._opinion(key)
        return None if opinion is None else np.asarray(opinion)

    def _opinion(self, key: str, *options: str) -> Any:
        scorer = self._judges.get(key)
        if scorer is None:
            return None
        label = " ".join([key, *options, "by", scorer.name])
        kept = json.loads(self._file.read_text()) if self._file.exists() else {}
        if label not in kept:
            kept[label] = scorer.compute(self.samples, *options)
            with whole_file(self._file) as temporary:
                temporary.write_text(json.dumps(kept))
        return kept[label]
