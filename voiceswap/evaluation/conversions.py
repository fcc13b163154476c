"""The recordings of a model that are evaluated: written once, and again only after a change."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np

from voiceswap import audio, conversion, features, models
from voiceswap.audio import read_audio
from voiceswap.conversion.swapper import VoiceSwapper
from voiceswap.evaluation.pairs import Pair
from voiceswap.files import sha256
from voiceswap.live.simulation import simulate
from voiceswap.results_log import ResultsLog, code_hash, short_hash
from voiceswap.writing import write_audio


@dataclass(frozen=True)
class OutputFile:
    """A recording on the disk, and the real-time factor of making it."""

    path: Path
    rtf: float


class PairConverter:
    """Makes a model's recordings of pairs; those of an earlier run are reused.

    A recording is made again when the model, a recording that it is made from, or the code of the
    conversion has changed.

    Args:
        swapper: the model.
        model: identifies the weights, such as their SHA-256.
        folder: for the recordings and their log.
        stream: convert by a stream of this latency: low, normal or high.
    """

    def __init__(self, swapper: VoiceSwapper, model: str, folder: Path, stream: str | None = None):
        folder.mkdir(parents=True, exist_ok=True)
        self.swapper, self.model, self.folder, self.stream = swapper, model, folder, stream
        self.log = ResultsLog(folder / "conversions.jsonl")
        self.logged = {row.get("name"): row for row in self.log.read()}

    def convert(self, pair: Pair, references: int) -> OutputFile:
        """The pair converted with its first `references` references."""
        chosen = [pair.target] if references == 1 else list(pair.targets[:references])
        name = f"{references}-reference{'s' * (references > 1)}/{pair.id}"
        if self.stream is None:
            convert = partial(self.swapper.convert, pair.source, chosen)
        else:
            name, convert = f"stream-{self.stream}/{name}", partial(self._live, pair.source, chosen)
        return self._make(name, [pair.source, *chosen], convert)

    def _live(self, source: Path, references: list[Path]) -> np.ndarray:
        stream = self.swapper.stream(references, latency=str(self.stream))
        return simulate(stream, read_audio(source, stream.rate))[0]

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
        code = code_hash(conversion, models, features, audio)
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
