"""The recordings of a model that are evaluated: written once, and again only after a change."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

import voiceswap
from voiceswap.audio import read_audio, read_audio_up_to
from voiceswap.audio_io.writing import write_audio
from voiceswap.conversion.reading import read_recording
from voiceswap.conversion.swapper import VoiceSwapper
from voiceswap.evaluation.pairs import Pair
from voiceswap.files import sha256
from voiceswap.live.simulation import simulate
from voiceswap.results_log import ResultsLog, code_hash, short_hash


@dataclass(frozen=True)
class OutputFile:
    """A recording on the disk, and the real-time factor of making it."""

    path: Path
    rtf: float


class PairConverter:
    """Makes a model's recordings of pairs; those of an earlier run are reused.

    A recording is made again when the model, a recording that it is made from, or the package's
    code has changed.

    Args:
        swapper: the model.
        model: identifies the weights, such as their SHA-256.
        folder: for the recordings and their log.
        stream: convert by a stream of this latency: low, normal or high.
        reference_seconds: how much of each reference is used, where most is voiced; None is all.
    """

    def __init__(
        self,
        swapper: VoiceSwapper,
        model: str,
        folder: Path,
        stream: str | None = None,
        reference_seconds: float | None = None,
    ):
        folder.mkdir(parents=True, exist_ok=True)
        self.swapper, self.model, self.folder, self.stream = swapper, model, folder, stream
        self.reference_seconds = reference_seconds
        self.log = ResultsLog(folder / "conversions.jsonl")
        self.logged = {row.get("name"): row for row in self.log.read()}

    def convert(self, pair: Pair, references: int) -> OutputFile:
        """The pair converted with its first `references` references."""
        chosen = [pair.target] if references == 1 else list(pair.targets[:references])
        name = f"{references}-reference{'s' * (references > 1)}/{pair.id}"
        if self.reference_seconds is not None:
            name = f"{self.reference_seconds:g}-seconds/{name}"
        if self.stream is not None:
            name = f"stream-{self.stream}/{name}"
        made = partial(self._convert, pair.source, chosen)
        return self._make(name, [pair.source, *chosen], made)

    def _convert(self, source: Path, references: list[Path]) -> np.ndarray:
        given: Any = references
        if self.reference_seconds is not None:
            given = [self._densest(path, self.reference_seconds) for path in references]
        if self.stream is None:
            return self.swapper.convert(source, given)
        stream = self.swapper.stream(given, latency=self.stream)
        return simulate(stream, read_audio(source, stream.rate))[0]

    def _densest(self, path: Path, seconds: float) -> tuple[np.ndarray, int]:
        """The part of a recording in which most is voiced, and its rate."""
        audio, highest = self.swapper.engine.audio, self.swapper.sample_rate
        first, last = read_recording(path, audio, highest).densest_segment(seconds)
        samples, rate = read_audio_up_to(path, highest)
        start, end = (round(frame / audio.frame_rate * rate) for frame in (first, last))
        return samples[start:end], rate

    def copy_synthesis(self, recording: Path) -> OutputFile:
        """The vocoder alone on the recording's own mel spectrogram: the ceiling."""
        name = f"copy-synthesis/{recording.stem}-{_digest(recording)[:8]}"
        return self._make(name, [recording], lambda: self.swapper.copy_synthesis(recording))

    def pitch_moved(self, pair: Pair) -> OutputFile:
        """The source through the vocoder alone at the target's mean pitch: a floor of the voice."""

        def synthesize() -> np.ndarray:
            return self.swapper.copy_synthesis(pair.source, self.swapper.embed(pair.target))

        return self._make(f"pitch-moved/{pair.id}", [pair.source, pair.target], synthesize)

    def _make(
        self, name: str, made_from: list[Path], synthesize: Callable[[], np.ndarray]
    ) -> OutputFile:
        path = self.folder / f"{name}.wav"
        code = code_hash(voiceswap)
        key = short_hash([self.model, code, *map(_digest, made_from)])
        logged = self.logged.get(name, {})
        if logged.get("key") == key and path.exists() and sha256(path) == logged["sha256"]:
            return OutputFile(path, logged["rtf"])
        start = time.perf_counter()
        samples = synthesize()
        rtf = (time.perf_counter() - start) * self.swapper.sample_rate / len(samples)
        write_audio(path, samples, self.swapper.sample_rate)
        row = {"name": name, "key": key, "sha256": sha256(path), "rtf": rtf}
        self.log.append([row])
        self.logged[name] = row
        return OutputFile(path, rtf)


@cache
def _digest(path: Path) -> str:
    return sha256(path)
