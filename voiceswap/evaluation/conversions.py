"""Recordings made to be judged: written once, and made anew only when what they are made from has changed."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from voiceswap.audio import write_audio
from voiceswap.conversion.swapper import VoiceSwapper
from voiceswap.evaluation.pairs import Pair
from voiceswap.files import sha256, whole_file


@dataclass(frozen=True)
class Made:
    """A recording on disk and the real-time factor of making it."""

    path: Path
    rtf: float


class PairConverter:
    """Makes a model's recordings of pairs in `folder`, so that a run that was stopped goes on where it was.

    `model` identifies the weights, such as by their SHA-256.
    """

    def __init__(self, swapper: VoiceSwapper, model: str, folder: Path):
        self.swapper, self.model, self.folder = swapper, model, folder

    def convert(self, pair: Pair, references: int) -> Made:
        """The pair converted with its first `references` references."""
        chosen = [pair.target] if references == 1 else list(pair.targets[:references])
        name = f"{references}-reference{'s' * (references > 1)}/{pair.id}"
        return self._make(
            name, [pair.source, *chosen], lambda: self.swapper.convert(pair.source, chosen)
        )

    def copy_synthesis(self, recording: Path) -> Made:
        """The vocoder alone on the recording's own mel spectrogram: the ceiling."""
        name = f"copy-synthesis/{recording.stem}-{_digest(recording)[:8]}"
        return self._make(name, [recording], lambda: self.swapper.copy_synthesis(recording))

    def pitch_moved(self, pair: Pair) -> Made:
        """The source through the vocoder alone with its pitch moved to the target's mean: a floor."""

        def build() -> np.ndarray:
            return self.swapper.copy_synthesis(pair.source, self.swapper.embed(pair.target))

        return self._make(f"pitch-moved/{pair.id}", [pair.source, pair.target], build)

    def _make(self, name: str, made_from: list[Path], build: Callable[[], np.ndarray]) -> Made:
        path, note = self.folder / f"{name}.wav", self.folder / f"{name}.json"
        recipe = {"model": self.model, "made_from": [_digest(recording) for recording in made_from]}
        if path.exists() and note.exists():
            kept = json.loads(note.read_text())
            if kept["recipe"] == recipe:
                return Made(path, kept["rtf"])
        note.unlink(missing_ok=True)
        start = time.perf_counter()
        samples = build()
        rtf = (time.perf_counter() - start) * self.swapper.sample_rate / len(samples)
        write_audio(path, samples, self.swapper.sample_rate)
        with whole_file(note) as temporary:
            temporary.write_text(json.dumps({"recipe": recipe, "rtf": rtf}))
        return Made(path, rtf)


@cache
def _digest(path: Path) -> str:
    return sha256(path)
