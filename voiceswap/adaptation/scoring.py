"""Scores of an adapted voice, by a recording that was held out, and the criterion they give."""

import math
from dataclasses import dataclass

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
