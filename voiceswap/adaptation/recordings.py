"""Recordings of one voice, cut at pauses and checked, for adaptation."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from voiceswap.audio import prepare_audio, read_audio_up_to, read_input
from voiceswap.audio_io.checks import MIN_RECORDING_SECONDS, check_audio
from voiceswap.conversion.reading import one_by_one
from voiceswap.dsp.pauses import cut_at_pauses
from voiceswap.dsp.recording_quality import is_clipped, speech_above_noise_db
from voiceswap.errors import AudioError

MAX_PIECE = 20.0  # seconds; longer recordings are cut at their quietest places
MIN_PIECE = 1.0
REFERENCE_SECONDS = 180.0  # more makes conversions slower, and brings little
MIN_SNR_DB = 12.0  # speech has to be so far above the quietest tenth of its frames
T = TypeVar("T")


@dataclass(frozen=True)
class Piece:
    """A part of a recording: its name, for people, and samples (samples,) at `rate` Hz."""

    name: str
    samples: np.ndarray
    rate: int

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.samples) / self.rate


@dataclass(frozen=True)
class Recordings:
    """What was read of recordings.

    pieces: what can be learned from. left_out: a sentence for each part that can't.
    """

    pieces: tuple[Piece, ...]
    left_out: tuple[str, ...]

    @property
    def seconds(self) -> float:
        """Length of all pieces."""
        return sum(piece.seconds for piece in self.pieces)


def read_recordings(recordings: Any, sample_rate: int) -> Recordings:
    """One recording or several, as `VoiceSwapper` takes references, in pieces of speech.

    They keep their rates up to `sample_rate`, which arrays without a rate have. Raises AudioError
    when none is left, VoiceswapError where there is none or a folder holds none.
    """
    pieces: list[Piece] = []
    left_out: list[str] = []
    for number, recording in enumerate(one_by_one(recordings), 1):
        named = isinstance(recording, (str, os.PathLike))
        name = Path(recording).name if named else f"recording {number}"
        try:
            if named:
                samples, rate = read_audio_up_to(recording, sample_rate)
            else:
                samples, own = read_input(recording, sample_rate)
                rate = round(min(sample_rate, max(0.0, own)))
                samples = prepare_audio(samples, own, rate, name)
        except AudioError as error:
            left_out.append(str(error))
            continue
        parts = cut_at_pauses(samples, rate, MAX_PIECE)
        for place, part in enumerate(parts, 1):
            label = name if len(parts) == 1 else f"{name}, part {place}"
            reason = unusable(part, rate)
            if reason:
                left_out.append(f"{label} {reason}.")
            else:
                pieces.append(Piece(label, part, rate))
    if not pieces:
        raise AudioError(" ".join(["There is no recording to learn from.", *left_out]))
    return Recordings(tuple(pieces), tuple(left_out))


def unusable(samples: np.ndarray, sample_rate: int) -> str:
    """Why a piece can't be learned from, or nothing."""
    if len(samples) < max(MIN_PIECE, MIN_RECORDING_SECONDS) * sample_rate:
        return f"is shorter than {MIN_PIECE:g} s"
    try:
        check_audio(samples, sample_rate, "it")
    except AudioError:
        return "is silent"
    if is_clipped(samples):
        return "is clipped"
    if speech_above_noise_db(samples, sample_rate) < MIN_SNR_DB:
        return f"has noise less than {MIN_SNR_DB:g} dB below its speech"
    return ""


def as_references(items: Sequence[T], seconds: Sequence[float]) -> list[T]:
    """What a voice keeps of recordings of so many seconds each: REFERENCE_SECONDS, or nearly.

    They are taken evenly from first to last; at least one is.
    """
    count = round(len(items) * min(1.0, REFERENCE_SECONDS / sum(seconds)))
    return [items[round(i)] for i in np.linspace(0, len(items) - 1, max(1, count))]


def hold_out(recordings: Recordings) -> tuple[Sequence[Piece], Piece | None]:
    """The pieces to train on, and a held-out one to score with; None of too little speech."""
    pieces = recordings.pieces
    if len(pieces) < 2 or recordings.seconds < 20:
        return pieces, None
    wanted = 5.0  # seconds: long enough for a verifier, and no more than is needed
    kept = min(range(len(pieces)), key=lambda i: abs(pieces[i].seconds - wanted))
    return [piece for i, piece in enumerate(pieces) if i != kept], pieces[kept]
