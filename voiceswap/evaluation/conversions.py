"""Recordings made to be judged: written once, and made anew only when what they are made from has changed."""

import hashlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch

from voiceswap.audio import read_audio, set_level, write_audio
from voiceswap.evaluation.pairs import Pair
from voiceswap.features import extract_f0
from voiceswap.swapper import VoiceSwapper, move_pitch


@dataclass(frozen=True)
class Made:
    """A recording on disk and the real-time factor of making it."""

    path: Path
    rtf: float


class Converter:
    """Makes a model's recordings of pairs in `folder`, so that a run that was stopped goes on where it was.

    `model` identifies the weights, such as by their SHA-256.
    """

    def __init__(self, swapper: VoiceSwapper, model: str, folder: Path):
        self.swapper, self.model, self.folder = swapper, model, folder

    def convert(self, pair: Pair, references: int) -> Made:
        """The pair converted with its first `references` references."""
        chosen = [pair.target] if references == 1 else list(pair.targets[:references])
        name = f"{references}-reference{'s' * (references > 1)}/{pair.id}"
        return self._make(name, [pair.source, *chosen], lambda: self.swapper.convert(pair.source, chosen))

    def copy_synthesis(self, recording: Path) -> Made:
        """The vocoder alone on the recording's own mel spectrogram: the ceiling."""
        name = f"copy-synthesis/{recording.stem}-{_digest(recording)[:8]}"
        return self._make(name, [recording], lambda: self.swapper.copy_synthesis(recording))

    def pitch_moved(self, pair: Pair) -> Made:
        """The source through the vocoder alone with its pitch moved to the target's mean: a floor."""
        return self._make(f"pitch-moved/{pair.id}", [pair.source, pair.target], lambda: self._move_pitch(pair))

    @torch.inference_mode()
    def _move_pitch(self, pair: Pair) -> np.ndarray:
        swapper = self.swapper
        assert swapper.vocoder is not None  # without one there is no pitch to move, and the caller leaves this floor out
        samples = set_level(read_audio(pair.source, swapper.sample_rate), swapper.sample_rate)
        f0 = move_pitch(extract_f0(samples, swapper.audio), swapper.embed(pair.target).log_f0)
        mel = swapper.log_mel(torch.from_numpy(samples)[None].to(swapper.device))
        return swapper.vocoder(mel, torch.from_numpy(f0)[None].to(swapper.device))[0, : len(samples)].cpu().numpy()

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
        temporary = note.with_suffix(".part")
        temporary.write_text(json.dumps({"recipe": recipe, "rtf": rtf}))
        os.replace(temporary, note)
        return Made(path, rtf)


@cache
def _digest(path: Path) -> str:
    return sha256(path)


def sha256(path: Path) -> str:
    """SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
