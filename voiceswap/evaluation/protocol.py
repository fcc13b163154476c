"""The protocol: convert and measure every pair of a set, and measure its ceilings and floors."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import track

from voiceswap.audio_io.endings import SOUND_ENDINGS
from voiceswap.errors import DataError
from voiceswap.evaluation.conversions import PairConverter
from voiceswap.evaluation.intervals import Estimate, summarise
from voiceswap.evaluation.measurement import Measurement, MeasurementCache
from voiceswap.evaluation.pair_metrics import (
    quality_metrics,
    sound_metrics,
    voice_metrics,
    word_metrics,
)
from voiceswap.evaluation.pairs import Pair

RECORDINGS, COPY_SYNTHESIS, MOVED = "source recordings", "copy synthesis", "pitch moved"

Row = dict[str, float]  # metrics of one output, by key
Outputs = dict[str, tuple[Path, Row]]  # by pair id: an output, and metrics already known of it


@dataclass
class Results:
    """Metrics by column, such as "1 reference" or "copy synthesis", then by pair id.

    Attributes:
        systems: columns of the system that is evaluated.
        anchors: columns of its ceilings and floors.
        outputs: the systems' recordings, by column and pair id.
    """

    systems: dict[str, dict[str, Row]] = field(default_factory=dict)
    anchors: dict[str, dict[str, Row]] = field(default_factory=dict)
    outputs: dict[str, dict[str, Path]] = field(default_factory=dict)

    def summary(self, pairs: list[Pair]) -> dict[str, dict[str, Estimate]]:
        """Means over all pairs, by column."""
        return {name: _summary(pairs, rows) for name, rows in (self.systems | self.anchors).items()}

    def groups(self, pairs: list[Pair]) -> dict[str, dict[str, Estimate]]:
        """Means of the first system by group of pairs; empty if the set has no groups."""
        first = next(iter(self.systems.values()))
        names = sorted({pair.group for pair in pairs if pair.group})
        return {
            name: _summary([pair for pair in pairs if pair.group == name], first) for name in names
        }


class Protocol:
    """Measures a system on pairs.

    Args:
        pairs: what is converted.
        measurements: measures recordings.
        console: shows the progress.
        jobs: recordings measured at once.
        distortion: whether the mel-cepstral distortion is measured.
    """

    def __init__(
        self,
        pairs: list[Pair],
        measurements: MeasurementCache,
        console: Console,
        jobs: int = 1,
        distortion: bool = True,
    ):
        self.pairs, self.measurements, self.console = pairs, measurements, console
        self.jobs, self.distortion = jobs, distortion

    def evaluate_model(self, converter: PairConverter, references: Iterable[int]) -> Results:
        """Measure a model's conversions with each number of references, its ceilings and floors."""
        results = Results()
        # The first conversion loads what is loaded on first use, which should not be timed.
        converter.swapper.convert(self.pairs[0].source, self.pairs[0].target)
        for number in references:
            name = f"{number} reference{'s' * (number > 1)}"
            converted = {
                pair.id: converter.convert(pair, number)
                for pair in self._track(self.pairs, f"converting, {name}")
            }
            results.outputs[name] = {pair_id: file.path for pair_id, file in converted.items()}
            results.systems[name] = self._measure_outputs(
                {pair_id: (file.path, {"rtf": file.rtf}) for pair_id, file in converted.items()},
                name,
            )
        results.anchors[RECORDINGS] = self.evaluate_recordings()
        copied = sorted({path for pair in self.pairs for path in (pair.source, pair.target)})
        copies = {
            path: converter.copy_synthesis(path).path
            for path in self._track(copied, COPY_SYNTHESIS)
        }
        results.anchors[COPY_SYNTHESIS] = self._for_each_pair(
            lambda pair: self._copy_metrics(pair, copies), f"measuring, {COPY_SYNTHESIS}"
        )
        if converter.swapper.engine.vocoder is not None:
            moved = {
                pair.id: converter.pitch_moved(pair).path for pair in self._track(self.pairs, MOVED)
            }
            results.anchors[MOVED] = self._for_each_pair(
                lambda pair: self._voice_metrics(pair, self.measurements.measure(moved[pair.id])),
                f"measuring, {MOVED}",
            )
        return results

    def evaluate_files(self, folder: Path) -> Results:
        """Measure another system's files, which are named by the pairs' ids.

        Raises:
            DataError: a file is missing.
        """
        files = find_files(folder, self.pairs)
        outputs: Outputs = {pair_id: (path, {}) for pair_id, path in files.items()}
        name = "converted"
        return Results(
            {name: self._measure_outputs(outputs, name)},
            {RECORDINGS: self.evaluate_recordings()},
            {name: files},
        )

    def evaluate_recordings(self) -> dict[str, Row]:
        """Measure the source recordings: a ceiling of content and sound, a floor of the voice."""
        return self._measure_outputs(
            {pair.id: (pair.source, {}) for pair in self.pairs}, RECORDINGS
        )

    def _measure_outputs(self, outputs: Outputs, name: str) -> dict[str, Row]:
        return self._for_each_pair(
            lambda pair: self._metrics(pair, *outputs[pair.id]), f"measuring, {name}"
        )

    def _metrics(self, pair: Pair, path: Path, known: Row) -> Row:
        """All metrics of an output."""
        output, source = self.measurements.measure(path), self.measurements.measure(pair.source)
        parallel = None
        if pair.parallel and self.distortion:
            parallel = self.measurements.measure(pair.parallel)
        return {
            **self._voice_metrics(pair, output),
            **word_metrics(output, source, pair.text, pair.language),
            **sound_metrics(output, source, parallel),
            **known,
        }

    def _voice_metrics(self, pair: Pair, output: Measurement) -> Row:
        source, target, *enrolled = (
            self.measurements.measure(path) for path in (pair.source, pair.target, *pair.targets)
        )
        return voice_metrics(output, source, target, enrolled)

    def _copy_metrics(self, pair: Pair, copies: Mapping[Path, Path]) -> Row:
        """Voice and quality of the target's copy, the voice to reach; else of the source's copy."""
        source, source_copy, target_copy = (
            self.measurements.measure(path)
            for path in (pair.source, copies[pair.source], copies[pair.target])
        )
        row = {
            **self._voice_metrics(pair, target_copy),
            **word_metrics(source_copy, source, pair.text, pair.language),
            **sound_metrics(source_copy, source),
        }
        return {**row, **quality_metrics(target_copy)}

    def _for_each_pair(self, measure: Callable[[Pair], Row], description: str) -> dict[str, Row]:
        with ThreadPoolExecutor(self.jobs) as pool:
            rows = self._track(pool.map(measure, self.pairs), description, len(self.pairs))
            return {pair.id: row for pair, row in zip(self.pairs, rows, strict=True)}

    def _track(self, items: Iterable, description: str, total: int | None = None) -> Iterable:
        return track(items, description, total, console=self.console)


def _summary(pairs: list[Pair], rows: Mapping[str, Row]) -> dict[str, Estimate]:
    return summarise([rows[pair.id] for pair in pairs], [pair.speakers for pair in pairs])


def find_files(folder: Path, pairs: Iterable[Pair]) -> dict[str, Path]:
    """The recordings of pairs in a folder, by their ids. Raises DataError if one is missing."""
    return {pair.id: _find(folder, pair.id) for pair in pairs}


def _find(folder: Path, name: str) -> Path:
    for ending in SOUND_ENDINGS:
        path = folder / f"{name}.{ending}"
        if path.is_file():
            return path
    raise DataError(f"{folder} has no recording of the pair {name}, such as {name}.wav.")
