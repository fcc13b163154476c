"""The protocol: every pair of a set converted and judged, with ceilings and floors beside it."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import track

from voiceswap.errors import DataError
from voiceswap.evaluation.conversions import PairConverter
from voiceswap.evaluation.intervals import Estimate, summarise
from voiceswap.evaluation.measurement import Measurement, MeasurementCache
from voiceswap.evaluation.pair_metrics import sound_metrics, voice_metrics, word_metrics
from voiceswap.evaluation.pairs import Pair

ENDINGS = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif")
RECORDINGS, COPIES, MOVED = "source recordings", "copy synthesis", "pitch moved"

Row = dict[str, float]
Outputs = dict[
    str, tuple[Path, Row]
]  # a pair's id to the recording to scorer and what is known of it already


@dataclass
class Results:
    """Figures by column, such as "1 reference" or "copy synthesis", then by pair."""

    systems: dict[str, dict[str, Row]] = field(default_factory=dict)  # what is being judged
    anchors: dict[str, dict[str, Row]] = field(default_factory=dict)  # ceilings and floors
    outputs: dict[str, dict[str, Path]] = field(
        default_factory=dict
    )  # the recordings that were judged

    def summary(self, pairs: list[Pair]) -> dict[str, dict[str, Estimate]]:
        """Means over all pairs, by column."""
        return {name: _summary(pairs, rows) for name, rows in (self.systems | self.anchors).items()}

    def groups(self, pairs: list[Pair]) -> dict[str, dict[str, Estimate]]:
        """Means of the first system by group of pairs, where the set tells pairs apart."""
        first = next(iter(self.systems.values()))
        names = sorted({pair.group for pair in pairs if pair.group})
        return {
            name: _summary([pair for pair in pairs if pair.group == name], first) for name in names
        }


class Protocol:
    """Judges what `measurements` hears of `pairs`, `jobs` at once; `console` shows how far it has come."""

    def __init__(
        self,
        pairs: list[Pair],
        measurements: MeasurementCache,
        console: Console,
        jobs: int = 1,
        distortion: bool = True,
    ):
        self.pairs, self.measurements, self.console, self.jobs, self.distortion = (
            pairs,
            measurements,
            console,
            jobs,
            distortion,
        )

    def evaluate_model(self, converter: PairConverter, references: Iterable[int]) -> Results:
        """A model's conversions with each number of references, then its ceilings and floors."""
        results = Results()
        converter.swapper.convert(
            self.pairs[0].source, self.pairs[0].target
        )  # what is loaded on first use is not timed
        for number in references:
            name = f"{number} reference{'s' * (number > 1)}"
            made = {
                pair.id: converter.convert(pair, number)
                for pair in self._track(self.pairs, f"converting, {name}")
            }
            outputs = {
                pair_id: (recording.path, {"rtf": recording.rtf})
                for pair_id, recording in made.items()
            }
            results.outputs[name] = {pair_id: path for pair_id, (path, _) in outputs.items()}
            results.systems[name] = self._evaluate(outputs, name)
        results.anchors[RECORDINGS] = self.evaluate_recordings()
        copies = {
            path: converter.copy_synthesis(path).path for path in self._track(self._ends(), COPIES)
        }
        results.anchors[COPIES] = self._each(
            lambda pair: self._copied(pair, copies), f"judging, {COPIES}"
        )
        if converter.swapper.engine.vocoder is not None:
            moved = {
                pair.id: converter.pitch_moved(pair).path for pair in self._track(self.pairs, MOVED)
            }
            results.anchors[MOVED] = self._each(
                lambda pair: self._voice(pair, self.measurements.measure(moved[pair.id])),
                f"judging, {MOVED}",
            )
        return results

    def evaluate_files(self, folder: Path) -> Results:
        """Another system's files, named by the pairs' ids. Raises DataError when one is missing."""
        files = {pair.id: _find(folder, pair.id) for pair in self.pairs}
        outputs: Outputs = {pair_id: (path, {}) for pair_id, path in files.items()}
        name = "converted"
        return Results(
            {name: self._evaluate(outputs, name)},
            {RECORDINGS: self.evaluate_recordings()},
            {name: files},
        )

    def evaluate_recordings(self) -> dict[str, Row]:
        """The source recordings themselves: a ceiling of words and sound, a floor of the voice."""
        return self._evaluate({pair.id: (pair.source, {}) for pair in self.pairs}, RECORDINGS)

    def _evaluate(self, outputs: Outputs, name: str) -> dict[str, Row]:
        return self._each(lambda pair: self._score(pair, *outputs[pair.id]), f"judging, {name}")

    def _score(self, pair: Pair, path: Path, known: Mapping[str, float]) -> Row:
        output, source = self.measurements.measure(path), self.measurements.measure(pair.source)
        return {**self._voice(pair, output), **self._words_and_sound(pair, output, source), **known}

    def _voice(self, pair: Pair, output: Measurement) -> Row:
        source, target, *enrolled = (
            self.measurements.measure(path) for path in (pair.source, pair.target, *pair.targets)
        )
        return voice_metrics(output, source, target, enrolled)

    def _words_and_sound(self, pair: Pair, output: Measurement, source: Measurement) -> Row:
        parallel = (
            self.measurements.measure(pair.parallel) if pair.parallel and self.distortion else None
        )
        return {
            **word_metrics(output, source, pair.text, pair.language),
            **sound_metrics(output, source, parallel),
        }

    def _copied(self, pair: Pair, copies: Mapping[Path, Path]) -> Row:
        """Voice and MOS of the target's copy, since that is the voice to reach; words and pitch of the source's."""
        source = self.measurements.measure(pair.source)
        source_copy, target_copy = (
            self.measurements.measure(copies[pair.source]),
            self.measurements.measure(copies[pair.target]),
        )
        row = {
            **self._voice(pair, target_copy),
            **word_metrics(source_copy, source, pair.text, pair.language),
        }
        row |= sound_metrics(source_copy, source)
        return row if target_copy.mos is None else {**row, "mos": target_copy.mos}

    def _ends(self) -> list[Path]:
        return sorted({path for pair in self.pairs for path in (pair.source, pair.target)})

    def _each(self, score: Callable[[Pair], Row], description: str) -> dict[str, Row]:
        with ThreadPoolExecutor(self.jobs) as pool:
            rows = self._track(pool.map(score, self.pairs), description, len(self.pairs))
            return {pair.id: row for pair, row in zip(self.pairs, rows, strict=True)}

    def _track(self, items: Iterable, description: str, total: int | None = None) -> Iterable:
        return track(items, description, total, console=self.console)


def _summary(pairs: list[Pair], rows: Mapping[str, Row]) -> dict[str, Estimate]:
    return summarise([rows[pair.id] for pair in pairs], [pair.speakers for pair in pairs])


def _find(folder: Path, name: str) -> Path:
    for ending in ENDINGS:
        path = folder / f"{name}{ending}"
        if path.is_file():
            return path
    raise DataError(f"{folder} has no recording of the pair {name}, such as {name}.wav.")
