"""Recordings of one voice, cut at pauses and checked, for adaptation."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voiceswap.audio import (
    MIN_SECONDS,
    active_level_db,
    check_audio,
    frame_powers,
    prepare_audio,
    read_audio_up_to,
    read_input,
)
from voiceswap.errors import AudioError

MAX_PIECE = 20.0  # seconds; longer recordings are cut at their quietest places
MIN_PIECE = 1.0
CLIPPED_SHARE = 0.01  # of a piece's samples at its peak
CLIPPED_PEAK = 0.5  # below this a flat peak is no clipping of the recorder
NOISE_DB = 12.0  # speech has to be so far above the quietest tenth of its frames
FRAME = 0.02  # seconds


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
class Speech:
    """What was read of recordings.

    pieces: what can be learned from. left_out: a sentence for each part that can't.
    """

    pieces: tuple[Piece, ...]
    left_out: tuple[str, ...]

    @property
    def seconds(self) -> float:
        """Length of all pieces."""
        return sum(piece.seconds for piece in self.pieces)


def read_speech(recordings: Iterable[object], sample_rate: int) -> Speech:
    """Recordings (paths, arrays or pairs, as `VoiceSwapper` takes them) in pieces of speech.

    They keep their rates up to `sample_rate`, which arrays without a rate have. Raises AudioError
    when none is left.
    """
    pieces: list[Piece] = []
    left_out: list[str] = []
    for number, recording in enumerate(recordings, 1):
        named = isinstance(recording, (str, Path))
        name = Path(str(recording)).name if named else f"recording {number}"
        try:
            if named:
                samples, rate = read_audio_up_to(str(recording), sample_rate)
            else:
                samples, own = read_input(recording, sample_rate)
                rate = min(round(own), sample_rate)
                samples = prepare_audio(samples, own, rate, name)
        except AudioError as error:
            left_out.append(str(error))
            continue
        parts = cut_at_pauses(samples, rate)
        for place, part in enumerate(parts, 1):
            label = name if len(parts) == 1 else f"{name}, part {place}"
            reason = unusable(part, rate)
            if reason:
                left_out.append(f"{label} {reason}.")
            else:
                pieces.append(Piece(label, part, rate))
    if not pieces:
        raise AudioError(" ".join(["There is no recording to learn from.", *left_out]))
    return Speech(tuple(pieces), tuple(left_out))


def cut_at_pauses(
    samples: np.ndarray, sample_rate: int, seconds: float = MAX_PIECE
) -> list[np.ndarray]:
    """`samples` (samples,) in parts of at most `seconds`, cut where they are quietest."""
    frame, longest = round(FRAME * sample_rate), round(seconds / FRAME)
    power = frame_powers(samples, sample_rate)
    width = min(len(power), 10) | 1
    smooth = np.convolve(power, np.ones(width) / width, "same")
    parts, start = [], 0
    while len(power) - start > longest:
        low = start + longest // 2
        cut = low + int(np.argmin(smooth[low : start + longest]))
        parts.append(samples[start * frame : cut * frame])
        start = cut
    return [*parts, samples[start * frame :]]


def unusable(samples: np.ndarray, sample_rate: int) -> str:
    """Why a piece can't be learned from, or nothing."""
    if len(samples) < max(MIN_PIECE, MIN_SECONDS) * sample_rate:
        return f"is shorter than {MIN_PIECE:g} s"
    try:
        check_audio(samples, sample_rate, "it")
    except AudioError:
        return "is silent"
    peak = float(np.abs(samples).max())
    if peak > CLIPPED_PEAK and np.mean(np.abs(samples) >= 0.999 * peak) > CLIPPED_SHARE:
        return "is clipped"
    noise = 10 * np.log10(np.quantile(frame_powers(samples, sample_rate), 0.1) + 1e-12)
    if active_level_db(samples, sample_rate) - noise < NOISE_DB:
        return f"has noise less than {NOISE_DB:g} dB below its speech"
    return ""


def keep_out(speech: Speech) -> tuple[Sequence[Piece], Piece | None]:
    """The pieces to learn from, and one that is kept out to judge by; none of too little speech."""
    if len(speech.pieces) < 2 or speech.seconds < 20:
        return speech.pieces, None
    wanted = 5.0  # seconds: long enough for a verifier, and no more than is needed
    kept = min(range(len(speech.pieces)), key=lambda i: abs(speech.pieces[i].seconds - wanted))
    return [p for i, p in enumerate(speech.pieces) if i != kept], speech.pieces[kept]
