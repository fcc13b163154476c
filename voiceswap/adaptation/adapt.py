"""From recordings of one voice to an adapted voice, with a report."""

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from voiceswap.adaptation.recordings import (
    Piece,
    Recordings,
    as_references,
    hold_out,
    read_recordings,
)
from voiceswap.adaptation.report import AdaptationReport
from voiceswap.adaptation.scoring import Scores, VoiceScorer, selection_score
from voiceswap.adaptation.trainer import Trainer
from voiceswap.adaptation.voice_features import compute_features
from voiceswap.audio_io.resampling import resample
from voiceswap.conversion.options import number
from voiceswap.conversion.swapper import VoiceSwapper
from voiceswap.conversion.voice import Voice, join_voices
from voiceswap.errors import VoiceswapError
from voiceswap.files import whole_file
from voiceswap.notes import Note, note, notes_to
from voiceswap.precision import torch_defaults

# Seconds of speech, and steps; between them on lines.
STEPS = ((10.0, 60), (60.0, 120), (180.0, 200))
EVERY = 20  # steps between two scores, and between two states on the disk
STATE_FORMAT = 2  # one of another format is not gone on from
PATIENCE = 3  # scores without a rise before it ends
Progress = Callable[[float, str], None]  # share done, and what is being done


@dataclass(frozen=True)
class Adapted:
    """What adapting gives.

    voice: adapted, or as it was where that scores no better. plain: as it was. piece: the first
    piece of the recordings' speech. report: what was used, and the scores.
    """

    voice: Voice
    plain: Voice
    piece: Piece
    report: AdaptationReport


@torch_defaults()
def adapt(
    swapper: VoiceSwapper,
    recordings: Any,
    steps: int | None = None,
    seed: int = 0,
    state: Path | None = None,
    progress: Progress = lambda done, what: None,
) -> Adapted:
    """Adapt the decoder of a model to one voice.

    Args:
        swapper: whose model to adapt; it is not changed.
        recordings: of the one voice, as `VoiceSwapper.adapt` takes them, or what was read of them.
        steps: of training at most; None goes by the length of speech, from 60 to 200.
        seed: of the random numbers.
        state: a file to keep the state in; a run that was ended goes on from there. Who has saved
            the finished voice removes it.
        progress: called with the share done and what is being done.

    Returns:
        The voice, adapted if that scores better by the recording kept out and as it was otherwise,
        and the report. KeyboardInterrupt ends it early, with the best so far.

    Raises:
        AudioError: there is no recording to learn from.
        VoiceswapError: no recording was given, a folder holds none, the training failed, or
            `state` can't be written.
    """
    engine = swapper.engine
    seed, steps = number("seed", seed), None if steps is None else number("steps", steps)
    progress(0.0, "Reading the recordings")
    read = recordings
    if not isinstance(read, Recordings):
        read = read_recordings(recordings, swapper.sample_rate)
    learned, kept = hold_out(read)
    key = run_key(swapper, read, steps, seed)
    steps = steps or steps_for(read.seconds)
    progress(0.02, "Computing features")
    rate = engine.audio.sample_rate
    analysed = [resample(piece.samples, piece.rate, rate) for piece in learned]
    test = resample(kept.samples, kept.rate, rate) if kept else max(analysed, key=len)
    scorer = VoiceScorer(engine, test)
    references = as_references(learned, [piece.seconds for piece in learned])
    plain = join_voices([_voice(swapper, piece) for piece in references])
    if kept:
        _voice(swapper, kept)  # for its notes: scores by two people's speech tell nothing
    others = [swapper.sample(1000 * seed + number) for number in range(len(learned))]
    trainer = Trainer(engine, compute_features(engine, analysed, others), steps, seed)
    before = scorer.score(plain)
    report = AdaptationReport(
        read.seconds, read.left_out, kept.name if kept else None, before, before
    )
    selection = _Selection(trainer, scorer, plain, report)
    if saved := load_state(state, key):
        selection.load_state_dict(saved)
    try:
        while trainer.step < steps and selection.worse < PATIENCE:
            trainer.train_step()
            progress(0.1 + 0.9 * trainer.step / steps, "Adapting")
            if trainer.step % EVERY and trainer.step != steps:
                continue
            selection.score()
            if state is not None:
                _save(state, {"key": key, **selection.state_dict()})
    except KeyboardInterrupt:
        report.stopped = True
    progress(1.0, "Done")
    notes = {"adapted": asdict(report)}
    voice = replace(selection.best, high_gain=plain.high_gain, notes=notes)
    return Adapted(voice, plain, read.pieces[0], report)


def _voice(swapper: VoiceSwapper, piece: Piece) -> Voice:
    """The voice of a piece, whose notes have its name."""
    notes: list[Note] = []
    with notes_to(notes.append):
        voice = swapper.voice([(piece.samples, piece.rate)])
    for sentence in notes:
        note(sentence.of(piece.name))
    return voice


class _Selection:
    """The best voice of a training so far, which may be the one before it.

    Attributes:
        best: the voice.
        worse: how many scores since then were no better.
    """

    def __init__(
        self, trainer: Trainer, scorer: VoiceScorer, plain: Voice, report: AdaptationReport
    ):
        self.trainer, self.scorer, self.report = trainer, scorer, report
        self.best, self.worse = plain, 0
        self._score = selection_score(report.before, report.before)
        self._mean: dict[str, Tensor] | None = None  # the trainer's, of the best voice

    def score(self) -> None:
        """Score the voice as trained so far, add that to the report, and keep the voice if best."""
        voice = self.trainer.voice()
        scores = self.scorer.score(voice)
        score = selection_score(scores, self.report.before)
        self.report.curve.append((self.trainer.step, score))
        self.worse += 1
        if score > self._score:
            self.worse = 0
            self._keep(voice, scores, self.trainer.step)

    def state_dict(self) -> dict[str, Any]:
        """All that `load_state_dict` needs to go on from here, the trainer's state included."""
        return {
            "trainer": self.trainer.state_dict(),
            "best_mean": self._mean,
            "best_step": self.report.steps,
            "curve": self.report.curve,
            "worse": self.worse,
        }

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Go on from a state."""
        if saved["best_mean"] is not None:
            self.trainer.mean.load_state_dict(saved["best_mean"])
            voice = self.trainer.voice()
            self._keep(voice, self.scorer.score(voice), saved["best_step"])
        self.trainer.load_state_dict(saved["trainer"])
        self.report.curve = [tuple(point) for point in saved["curve"]]
        self.worse = saved["worse"]

    def _keep(self, voice: Voice, scores: Scores, step: int) -> None:
        self.best, self._score = voice, selection_score(scores, self.report.before)
        self._mean = {name: x.clone() for name, x in self.trainer.mean.state_dict().items()}
        self.report.after, self.report.steps, self.report.helped = scores, step, True


def steps_for(seconds: float) -> int:
    """Steps of training for so many seconds of speech."""
    lengths, steps = zip(*STEPS, strict=True)
    return max(1, round(float(np.interp(seconds, lengths, steps)) / EVERY)) * EVERY


def run_key(swapper: VoiceSwapper, read: Recordings, steps: int | None, seed: int) -> str:
    """A hash of everything that a run depends on, which its state has."""
    steps = steps or steps_for(read.seconds)
    digest = hashlib.sha256(f"{swapper.fingerprint} {steps} {seed} {STATE_FORMAT}".encode())
    for piece in read.pieces:
        digest.update(piece.samples.tobytes())
    return digest.hexdigest()


def _save(path: Path, state: dict) -> None:
    with whole_file(path) as temporary, open(temporary, "wb") as file:
        torch.save(state, file)


def load_state(path: Path | None, key: str) -> dict | None:
    """The state in a file, if it is of this very run."""
    if path is None or not path.exists():
        return None
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        mine = saved["key"] == key
    except Exception as error:  # bytes of another kind can raise anything when read as a pickle
        raise VoiceswapError(f"{path} is no state of an adaptation; move it away.") from error
    return saved if mine else None
