"""Experiments on the codes: their size, noise, the line between two voices, random voices."""

from collections.abc import Iterable
from dataclasses import asdict
from itertools import combinations
from typing import TypeVar

import numpy as np
from rich.console import Console
from rich.progress import track

from voiceswap.audio import read_audio_up_to
from voiceswap.conversion.swapper import VoiceSwapper
from voiceswap.dsp.level import active_level_db
from voiceswap.evaluation.code_size import reconstruction_against_code_size
from voiceswap.evaluation.intervals import MIN_SPEAKERS, bootstrap, summarise
from voiceswap.evaluation.measurement import Measurement, MeasurementCache
from voiceswap.evaluation.pair_metrics import similarity, sound_metrics, voice_metrics, word_metrics
from voiceswap.evaluation.pairs import Pair

T = TypeVar("T")

CODE_SIZE_RECORDINGS = 12
NOISE_LEVELS_DB = (20, 10, 5, 0)  # level of the speech above the noise
NOISY_PAIRS = 12
LINE_POINTS = 11
LINE_PAIRS = 5
RANDOM_VOICES = 20
VERIFIERS = ("sv", "dv")


class Experiments:
    """Experiments with a model on some of `pairs`; each returns plain numbers for the report."""

    def __init__(
        self,
        swapper: VoiceSwapper,
        measurements: MeasurementCache,
        pairs: list[Pair],
        console: Console,
    ):
        self.swapper, self.measurements = swapper, measurements
        self.pairs, self.console = pairs, console

    def run(self) -> dict:
        """All of them: "code_size", "denoising", "line" and "random_voices"."""
        return {
            "code_size": self.code_size(),
            "denoising": self.denoising(),
            "line": self.line(),
            "random_voices": self.random_voices(),
        }

    def code_size(self) -> dict:
        """`reconstruction_against_code_size` of recordings of the targets."""
        targets = sorted({pair.target for pair in self.pairs})
        chosen = self._some(targets, CODE_SIZE_RECORDINGS, "the size of the codes")
        return reconstruction_against_code_size(self.swapper, chosen)

    def denoising(self) -> dict:
        """Metrics of conversions with white noise on the source or on the reference.

        Metrics of the content and MOS show the effect of noise on the source, metrics of the voice
        that of noise on the reference. Outputs are always compared with the clean recordings. What
        the scorers make of the noisy sources themselves shows what conversions could reach.

        Returns:
            Estimates by "source", "reference" or "recording", then by the level of the speech above
            the noise in dB ("clean" without noise), then by metric.
        """
        report: dict = {}
        for noisy in ("source", "reference", "recording"):
            for level in (None, *NOISE_LEVELS_DB):
                key = "clean" if level is None else str(level)
                chosen = self._some(self.pairs, NOISY_PAIRS, f"noise on the {noisy}, {key}")
                rows, speakers = [], []
                for pair in chosen:
                    rows.append(self._metrics_with_noise(pair, noisy, level))
                    speakers.append(pair.speakers)
                report.setdefault(noisy, {})[key] = {
                    metric: asdict(estimate)
                    for metric, estimate in summarise(rows, speakers).items()
                }
        return report

    def line(self) -> dict:
        """Similarity to both ends along the straight line from the source's voice to the target's.

        Returns:
            "amounts", the points on the line from 0 (source) to 1 (target); "curves", estimates at
            each point by verifier and end, such as "sv_target"; "steps_the_right_way", the share of
            steps of each curve's mean that move away from the source or towards the target.
        """
        amounts = np.linspace(0, 1, LINE_POINTS)
        curves: dict[str, list[list[float]]] = {}
        speakers = []
        for pair in self._some(self.pairs, LINE_PAIRS, "the line between two voices"):
            speakers.append(pair.speakers)
            start, end = self.swapper.embed(pair.source), self.swapper.embed(pair.target)
            points = [
                self._measure(self.swapper.convert(pair.source, start.toward(end, float(amount))))
                for amount in amounts
            ]
            for name, path in (("source", pair.source), ("target", pair.target)):
                recording = self.measurements.measure(path)
                for key in VERIFIERS:
                    vector = getattr(recording, key)
                    if vector is not None:
                        curve = [similarity(getattr(point, key), vector) for point in points]
                        curves.setdefault(f"{key}_{name}", []).append(curve)
        report: dict = {"amounts": amounts.tolist(), "curves": {}, "steps_the_right_way": {}}
        for name, of_pairs in curves.items():
            values = np.array(of_pairs)
            report["curves"][name] = [
                asdict(bootstrap(values[:, point], speakers)) for point in range(LINE_POINTS)
            ]
            steps = np.diff(values.mean(0)) * (1 if name.endswith("target") else -1)
            report["steps_the_right_way"][name] = float((steps > 0).mean())
        return report

    def random_voices(self) -> dict:
        """The first pair's source converted to random voices.

        Returns:
            "metrics", estimates of content and sound; "voices", their number; and for each verifier
            "spread", the mean of 1 - cosine over all couples of drawn voices,
            "spread_of_given_voices", the same of the set's target speakers, one recording each, and
            "nearest", the mean cosine to the nearest of those.
        """
        pair = self.pairs[0]
        source = self.measurements.measure(pair.source)
        rows, drawn = [], []
        for seed in track(range(RANDOM_VOICES), "random voices", console=self.console):
            output = self._measure(self.swapper.convert(pair.source, self.swapper.sample(seed)))
            words = word_metrics(output, source, pair.text, pair.language)
            rows.append({**words, **sound_metrics(output, source)})
            drawn.append(output)
        of_speakers = {other.speakers[1]: other.target for other in self.pairs}
        several = len(of_speakers) >= MIN_SPEAKERS  # else the paths may name none
        targets = sorted(of_speakers.values() if several else {p.target for p in self.pairs})
        targets = targets[:RANDOM_VOICES]
        given = [self._measure(self.swapper.convert(pair.source, target)) for target in targets]
        report: dict = {
            "metrics": {metric: asdict(value) for metric, value in summarise(rows).items()},
            "voices": RANDOM_VOICES,
        }
        for key in VERIFIERS:
            if getattr(source, key) is not None:
                drawn_vectors = np.stack([getattr(output, key) for output in drawn])
                given_vectors = np.stack([getattr(output, key) for output in given])
                nearest = (drawn_vectors @ given_vectors.T).max(1)
                report[key] = {
                    "spread": _mean_distance(drawn_vectors),
                    "nearest": asdict(bootstrap(nearest)),
                }
                if len(given) > 1:
                    report[key]["spread_of_given_voices"] = _mean_distance(given_vectors)
        return report

    def _metrics_with_noise(self, pair: Pair, noisy: str, level: int | None) -> dict[str, float]:
        source, reference = (
            read_audio_up_to(path, self.swapper.sample_rate) for path in (pair.source, pair.target)
        )
        if level is not None and noisy == "reference":
            reference = add_noise(*reference, level), reference[1]
        elif level is not None:
            source = add_noise(*source, level), source[1]
        if noisy == "recording":
            output = self.measurements.measure(*source)
        else:
            output = self._measure(self.swapper.convert(source, reference))
        clean_source = self.measurements.measure(pair.source)
        clean_target = self.measurements.measure(pair.target)
        return {
            **voice_metrics(output, clean_source, clean_target),
            **word_metrics(output, clean_source, pair.text, pair.language),
            **sound_metrics(output, clean_source),
        }

    def _measure(self, samples: np.ndarray) -> Measurement:
        return self.measurements.measure(samples, self.swapper.sample_rate)

    def _some(self, items: list[T], number: int, description: str) -> Iterable[T]:
        """At most `number` of `items`, evenly distributed."""
        chosen = sorted({round(index) for index in np.linspace(0, len(items) - 1, number)})
        return track([items[index] for index in chosen], description, console=self.console)


def add_noise(samples: np.ndarray, sample_rate: int, level_db: float) -> np.ndarray:
    """Add white Gaussian noise, always the same.

    Args:
        samples: (samples,).
        sample_rate: in Hz.
        level_db: level of the speech above the noise in dB.
    """
    noise = np.random.default_rng(0).standard_normal(len(samples))
    noise_db = active_level_db(samples, sample_rate) - level_db
    return (samples + noise * 10 ** (noise_db / 20)).astype(np.float32)


def _mean_distance(vectors: np.ndarray) -> float:
    """Mean of 1 - cosine over all couples of vectors (voices, size) of unit length."""
    return float(np.mean([1 - first @ second for first, second in combinations(vectors, 2)]))
