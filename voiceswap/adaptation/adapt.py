"""From recordings of one voice to an adapted voice, with a report."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from voiceswap.adaptation.material import prepare
from voiceswap.adaptation.report import AdaptationReport, Scores, VoiceScorer, selection_score
from voiceswap.adaptation.speech import keep_out, read_speech
from voiceswap.adaptation.trainer import Trainer
from voiceswap.audio import resample
from voiceswap.conversion.engine import Engine
from voiceswap.conversion.voice import Voice
from voiceswap.errors import VoiceswapError
from voiceswap.files import whole_file

STEPS = (
    (10.0, 60),
    (60.0, 120),
    (180.0, 200),
)  # seconds of speech, and steps; between them on lines
EVERY = 20  # steps between two scores, and between two states on the disk
PATIENCE = 3  # scores without a rise before it ends
Progress = Callable[[float, str], None]  # share done, and what is being done


class Swapper(Protocol):
    """What is used of a `VoiceSwapper`, which itself builds on this module."""

    engine: Engine
    fingerprint: str
    sample_rate: int

    def voice(self, references: list[tuple[np.ndarray, int]], /) -> Voice: ...

    def sample(self, seed: int) -> Voice: ...


def adapt(
    swapper: Swapper,
    recordings: Iterable[object],
    steps: int | None = None,
    seed: int = 0,
    state: Path | None = None,
    progress: Progress = lambda done, what: None,
) -> tuple[Voice, AdaptationReport]:
    """Adapt the decoder of a model to one voice.

    Args:
        swapper: whose model to adapt; it is not changed.
        recordings: of the one voice, as `VoiceSwapper` takes them; long ones are cut at pauses.
        steps: of training at most; None goes by the length of speech, from 60 to 200.
        seed: of all that is random.
        state: a file to keep the state in; a run that was ended goes on from there. It is removed
            at the end.
        progress: called with the share done and what is being done.

    Returns:
        The voice, adapted if that scores better by the recording kept out and as it was otherwise,
        and the report. KeyboardInterrupt ends it early, with the best so far.

    Raises:
        AudioError: there is no recording to learn from.
        VoiceswapError: the training failed, or `state` can't be written.
    """
    engine = swapper.engine
    progress(0.0, "Reading the recordings")
    speech = read_speech(recordings, swapper.sample_rate)
    learned, kept = keep_out(speech)
    steps = steps or steps_for(speech.seconds)
    progress(0.02, "Computing features")
    rate = engine.audio.sample_rate
    analysed = [resample(piece.samples, piece.rate, rate) for piece in learned]
    test = resample(kept.samples, kept.rate, rate) if kept else max(analysed, key=len)
    scorer = VoiceScorer(engine, test)
    plain = swapper.voice([(piece.samples, piece.rate) for piece in learned])
    others = [swapper.sample(1000 * seed + number) for number in range(len(learned))]
    trainer = Trainer(engine, prepare(engine, analysed, others), steps, seed)
    before = scorer.score(plain)
    report = AdaptationReport(
        speech.seconds, speech.left_out, kept.name if kept else None, before, before, kept="before"
    )
    key = _key(swapper.fingerprint, [piece.samples for piece in speech.pieces], steps, seed)
    best, best_mean = plain, None
    best_score, worse = selection_score(before, before), 0

    def take(voice: Voice, scores: Scores, step: int) -> None:
        nonlocal best, best_mean, best_score
        best, best_score = voice, selection_score(scores, before)
        best_mean = {name: x.clone() for name, x in trainer.mean.state_dict().items()}
        report.after, report.steps, report.kept = scores, step, "after"

    if saved := _load(state, key):
        if saved["best_mean"] is not None:
            trainer.mean.load_state_dict(saved["best_mean"])
            voice = trainer.voice()
            take(voice, scorer.score(voice), saved["best_step"])
        trainer.load_state_dict(saved["trainer"])
        report.curve, worse = [tuple(point) for point in saved["curve"]], saved["worse"]
    try:
        while trainer.step < steps and worse < PATIENCE:
            trainer.train_step()
            progress(0.1 + 0.9 * trainer.step / steps, "Adapting")
            if trainer.step % EVERY and trainer.step != steps:
                continue
            voice = trainer.voice()
            scores = scorer.score(voice)
            score = selection_score(scores, before)
            report.curve.append((trainer.step, score))
            worse = 0 if score > best_score else worse + 1
            if score > best_score:
                take(voice, scores, trainer.step)
            if state is not None:
                _save(
                    state,
                    {
                        "key": key,
                        "trainer": trainer.state_dict(),
                        "best_mean": best_mean,
                        "best_step": report.steps,
                        "curve": report.curve,
                        "worse": worse,
                    },
                )
    except KeyboardInterrupt:
        report.stopped = True
    if state is not None and not report.stopped:
        state.unlink(missing_ok=True)
    progress(1.0, "Done")
    notes = {"adapted": report.to_dict()}
    return replace(best, high_gain=plain.high_gain, notes=notes), report


def steps_for(seconds: float) -> int:
    """Steps of training for so many seconds of speech."""
    lengths, steps = zip(*STEPS, strict=True)
    return max(1, round(float(np.interp(seconds, lengths, steps)) / EVERY)) * EVERY


def _key(model: str, recordings: Iterable[np.ndarray], steps: int, seed: int) -> str:
    digest = hashlib.sha256(f"{model} {steps} {seed}".encode())
    for samples in recordings:
        digest.update(samples.tobytes())
    return digest.hexdigest()


def _save(path: Path, state: dict) -> None:
    with whole_file(path) as temporary, open(temporary, "wb") as file:
        torch.save(state, file)


def _load(path: Path | None, key: str) -> dict | None:
    """The state in a file, if it is of this very run."""
    if path is None or not path.exists():
        return None
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        mine = saved["key"] == key
    except Exception as error:  # bytes of another kind can raise anything when read as a pickle
        raise VoiceswapError(f"{path} is no state of an adaptation; move it away.") from error
    return saved if mine else None
