"""Experiments on the codes: their size, noise, the line between two voices, and voices drawn from the prior."""

from collections.abc import Iterable
from itertools import combinations
from typing import TypeVar

import numpy as np
from rich.console import Console
from rich.progress import track

from voiceswap.audio import active_level_db, read_audio
from voiceswap.conversion.swapper import VoiceSwapper
from voiceswap.evaluation.code_size import reconstruction_against_code_size
from voiceswap.evaluation.intervals import bootstrap, summarise
from voiceswap.evaluation.measurement import Measurement, MeasurementCache
from voiceswap.evaluation.pair_metrics import similarity, sound_metrics, voice_metrics, word_metrics
from voiceswap.evaluation.pairs import Pair

T = TypeVar("T")

CODE_SIZE_RECORDINGS = 12
NOISE_DB = (20, 10, 5, 0)  # speech above noise
NOISY_PAIRS = 12
LINE_POINTS = 11
LINE_PAIRS = 5
PRIOR_VOICES = 20
VERIFIERS = ("sv", "dv")


class Experiments:
    """Runs the experiments on some of `pairs`; each returns plain numbers for the report."""

    def __init__(
        self,
        swapper: VoiceSwapper,
        measurements: MeasurementCache,
        pairs: list[Pair],
        console: Console,
    ):
        self.swapper, self.measurements, self.pairs, self.console = (
            swapper,
            measurements,
            pairs,
            console,
        )

    def run(self) -> dict:
        """All of them: "code_size", "denoising", "line" and "prior"."""
        return {
            "code_size": self.code_size(),
            "denoising": self.denoising(),
            "line": self.line(),
            "prior": self.prior(),
        }

    def code_size(self) -> dict:
        """What recordings of the targets lose when a code keeps fewer channels; see `reconstruction_against_code_size`."""
        targets = sorted({pair.target for pair in self.pairs})
        return reconstruction_against_code_size(
            self.swapper, self._some(targets, CODE_SIZE_RECORDINGS, "the size of the codes")
        )

    def denoising(self) -> dict:
        """Figures with white noise on the source or on the reference, by decibels of speech above noise; "clean" without.

        Words and MOS say what noise on the source costs, the voice's metrics what noise on the reference costs. The
        clean recordings are what outputs are compared with throughout.
        """
        report: dict = {}
        for noisy in ("source", "reference"):
            for level in (None, *NOISE_DB):
                key = "clean" if level is None else str(level)
                chosen = self._some(self.pairs, NOISY_PAIRS, f"noise on the {noisy}, {key}")
                rows, speakers = zip(
                    *((self._with_noise(pair, noisy, level), pair.speakers) for pair in chosen),
                    strict=True,
                )
                metrics = summarise(rows, speakers)
                report.setdefault(noisy, {})[key] = {
                    metric: value.to_dict() for metric, value in metrics.items()
                }
        return report

    def line(self) -> dict:
        """Similarity to both ends along the straight line from the source's voice (0) to the target's (1).

        For each verifier the means at each point, and the share of steps of that curve that go the way they should.
        """
        amounts = np.linspace(0, 1, LINE_POINTS)
        curves: dict[str, list[list[float]]] = {
            f"{key}_{end}": [] for key in VERIFIERS for end in ("source", "target")
        }
        speakers = []
        for pair in self._some(self.pairs, LINE_PAIRS, "the line between two voices"):
            speakers.append(pair.speakers)
            start, end = self.swapper.embed(pair.source), self.swapper.embed(pair.target)
            heard = [
                self._hear(self.swapper.convert(pair.source, start.toward(end, float(amount))))
                for amount in amounts
            ]
            source, target = (
                self.measurements.measure(pair.source),
                self.measurements.measure(pair.target),
            )
            for key in VERIFIERS:
                for name, other in (("source", source), ("target", target)):
                    if getattr(other, key) is not None:
                        curves[f"{key}_{name}"].append(
                            [
                                similarity(getattr(point, key), getattr(other, key))
                                for point in heard
                            ]
                        )
        report: dict = {"amounts": amounts.tolist(), "curves": {}, "steps_the_right_way": {}}
        for name, found in curves.items():
            if found:
                values = np.array(found)
                report["curves"][name] = [
                    bootstrap(values[:, point], speakers).to_dict() for point in range(LINE_POINTS)
                ]
                steps = np.diff(values.mean(0)) * (1 if name.endswith("target") else -1)
                report["steps_the_right_way"][name] = float((steps > 0).mean())
        return report

    def prior(self) -> dict:
        """Voices drawn from N(0, I), all saying the first pair's sentence: MOS and words, how much they differ, how new they are.

        "spread" is the mean of 1 - cosine over all couples of voices, beside the same of the set's speakers converted
        to; "nearest" the cosine to the nearest of those, in the mean.
        """
        pair = self.pairs[0]
        source = self.measurements.measure(pair.source)
        rows, drawn = [], []
        for seed in track(range(PRIOR_VOICES), "voices from the prior", console=self.console):
            output = self._hear(self.swapper.convert(pair.source, self.swapper.sample(seed)))
            rows.append(
                {
                    **word_metrics(output, source, pair.text, pair.language),
                    **sound_metrics(output, source),
                }
            )
            drawn.append(output)
        targets = sorted({other.target for other in self.pairs})[:PRIOR_VOICES]
        known = [self._hear(self.swapper.convert(pair.source, target)) for target in targets]
        report: dict = {
            "metrics": {metric: value.to_dict() for metric, value in summarise(rows).items()},
            "voices": PRIOR_VOICES,
        }
        for key in VERIFIERS:
            if getattr(source, key) is not None:
                new, old = (
                    np.stack([getattr(item, key) for item in items]) for items in (drawn, known)
                )
                report[key] = {
                    "spread": _spread(new),
                    "nearest": bootstrap((new @ old.T).max(1)).to_dict(),
                }
                if len(old) > 1:
                    report[key]["spread_of_given_voices"] = _spread(old)
        return report

    def _with_noise(self, pair: Pair, noisy: str, level: int | None) -> dict[str, float]:
        source, reference = (
            read_audio(path, self.swapper.sample_rate) for path in (pair.source, pair.target)
        )
        if level is not None and noisy == "source":
            source = add_noise(source, self.swapper.sample_rate, level)
        elif level is not None:
            reference = add_noise(reference, self.swapper.sample_rate, level)
        output = self._hear(self.swapper.convert(source, reference))
        clean_source, clean_target = (
            self.measurements.measure(pair.source),
            self.measurements.measure(pair.target),
        )
        return {
            **voice_metrics(output, clean_source, clean_target),
            **word_metrics(output, clean_source, pair.text, pair.language),
            **sound_metrics(output, clean_source),
        }

    def _hear(self, samples: np.ndarray) -> Measurement:
        return self.measurements.measure(samples, self.swapper.sample_rate)

    def _some(self, items: list[T], number: int, description: str) -> Iterable[T]:
        """At most `number` of `items`, spread evenly over them."""
        chosen = sorted({round(index) for index in np.linspace(0, len(items) - 1, number)})
        return track([items[index] for index in chosen], description, console=self.console)


def add_noise(samples: np.ndarray, sample_rate: int, level_db: float) -> np.ndarray:
    """`samples` (samples,) with white Gaussian noise `level_db` decibels below the level of the speech; always the same noise."""
    noise = np.random.default_rng(0).standard_normal(len(samples))
    return (
        samples + noise * 10 ** ((active_level_db(samples, sample_rate) - level_db) / 20)
    ).astype(np.float32)


def _spread(vectors: np.ndarray) -> float:
    return float(np.mean([1 - first @ second for first, second in combinations(vectors, 2)]))
