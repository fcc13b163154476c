"""What an adaptation brought, measured on a recording that was kept out."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from voiceswap.audio import read_audio
from voiceswap.conversion.engine import Engine
from voiceswap.conversion.output_windows import Conversion
from voiceswap.conversion.recording import EncodedRecording, Recording
from voiceswap.conversion.voice import Voice
from voiceswap.examples import GOODBYE, HELLO


@dataclass(frozen=True)
class Scores:
    """Of a voice, on conversions of two recordings of the package to it.

    similarity: cosine of the verifier's vectors of conversions and of the test recording, mean.
    words: cosine of content codes of conversions and of their sources, mean over frames.
    reconstruction: L1 of log-mels of the test recording and of its decoding in this voice, in
    dB.
    """

    similarity: float
    words: float
    reconstruction: float


@dataclass
class AdaptationReport:
    """What was done: seconds of speech used, steps, and scores before and after.

    `left_out` has a sentence for each part that was not used. `kept_out` names the recording that
    the scores are of; None where there was too little speech to keep one out, and a recording of
    the training measured. `helped` is whether the voice after is the better one, `stopped` whether
    it was ended early.
    """

    seconds: float
    left_out: tuple[str, ...]
    kept_out: str | None
    before: Scores
    after: Scores
    steps: int = 0
    helped: bool = False
    stopped: bool = False
    curve: list[tuple[int, float]] = field(default_factory=list)  # steps and the score that is kept

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)


class VoiceScorer:
    """Scores voices by one recording (samples,) at the model's rate."""

    def __init__(self, engine: Engine, samples: np.ndarray):
        self.engine = engine
        sources = [read_audio(path, engine.audio.sample_rate) for path in (HELLO, GOODBYE)]
        recordings = [Recording(iter([wave]), engine.audio, "it") for wave in (*sources, samples)]
        *self.sources, self.test = engine.encoder.encode(recordings)
        self.wanted = engine.speaker_vector(self.test.recording.samples())
        self.content = [self._content(source) for source in self.sources]

    @torch.inference_mode()
    def score(self, voice: Voice) -> Scores:
        """The scores of a voice."""
        conversions = [Conversion(source, voice) for source in self.sources]
        recordings = [output.recording() for output in self.engine.convert(conversions)]
        vectors = torch.stack([self.engine.speaker_vector(r.samples()) for r in recordings])
        codes = [self._content(item) for item in self.engine.encoder.encode(recordings)]
        words = [
            F.cosine_similarity(*pair).mean() for pair in zip(codes, self.content, strict=True)
        ]
        return Scores(
            float((vectors @ self.wanted).mean()),
            float(torch.stack(words).mean()),
            self._reconstruction_db(voice),
        )

    def _content(self, encoded: EncodedRecording) -> torch.Tensor:
        posterior, _ = self.engine.encoder.content([(encoded, 0, encoded.recording.frames)])
        return posterior.mode()

    def _reconstruction_db(self, voice: Voice) -> float:
        recording, engine = self.test.recording, self.engine
        wave = torch.from_numpy(recording.samples())[None].to(engine.device)
        f0 = torch.from_numpy(recording.f0)[None].to(engine.device)
        decoded = engine.autoencoder.decode(
            self._content(self.test), f0, voice.log_f0[None], voice.code[None], None, voice.delta
        )
        error = float((decoded - engine.log_mel(wave)).abs().mean())
        return error * 20 / math.log(10)


def selection_score(scores: Scores, before: Scores) -> float:
    """The criterion that selects a voice, higher is better.

    Similarity, minus twice the loss of content similarity beyond 0.005.
    """
    return scores.similarity + 2.0 * min(0.0, scores.words - before.words + 0.005)


def rows(report: AdaptationReport) -> Sequence[tuple[str, str, str]]:
    """The table of scores: a name, before, after."""
    before, after = report.before, report.after
    return [
        ("similarity to the voice (higher)", f"{before.similarity:.3f}", f"{after.similarity:.3f}"),
        ("words kept (higher)", f"{before.words:.3f}", f"{after.words:.3f}"),
        (
            "error of its own recording (lower)",
            f"{before.reconstruction:.2f} dB",
            f"{after.reconstruction:.2f} dB",
        ),
    ]
