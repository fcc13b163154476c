"""Pitch transfer: the source's intonation at the target's pitch."""

import math

import numpy as np
import torch
from torch import Tensor

from voiceswap.conversion.options import ConversionOptions
from voiceswap.features import F0_MAX, F0_MIN, log_f0_statistics
from voiceswap.notes import Note, note

OCTAVE = math.log(2)  # of ln F0
SEMITONE = OCTAVE / 12
MAX_PITCH_RANGE = 1.5  # in training: conversions may be asked for with another intonation
LIMITED_SHARE = 0.1  # of voiced frames at the end of the range that is worth a note
F0_PERCENTILES = (2, 98)  # that an octave has to leave within F0_MIN and F0_MAX
# Where a song's mean may lie above a voice's speech, in ln F0: people sing higher than they speak.
SUNG = (-6 * SEMITONE, 14 * SEMITONE)


def place_contour(
    f0: np.ndarray, people: np.ndarray, voice: Tensor, options: ConversionOptions, name: str
) -> tuple[Tensor, Tensor]:
    """A recording's F0 at a voice's pitch: each person's by their own statistics.

    Args:
        f0: (frames,), Hz, 0 where unvoiced.
        people: (frames,), the number of the person who speaks.
        voice: (2,), mean and standard deviation of ln F0 of the voice.
        options: pitch_shift, pitch_range, exact_pitch and source_pitch.
        name: the recording's, for notes where pitch can't be what was asked for.

    Returns:
        F0 (frames,) in Hz, and the mean and deviation (2,) of ln F0 that the voice has there.
    """
    # The phase of a voice is the sum of its F0, which rounding to 32 bits would move as a whole.
    shift = torch.tensor([options.pitch_shift * SEMITONE, 0.0], dtype=torch.float64)
    voice = voice.double()
    moved = torch.zeros(len(f0))
    for person in np.unique(people):
        own = np.where(people == person, f0, 0.0).astype(np.float64)
        statistics = options.source_pitch or log_f0_statistics(own)
        source = torch.tensor([statistics], dtype=torch.float64)
        if options.exact_pitch:
            octave = _singable_octave(own, source[0], voice, float(shift[0]))
            if octave != _singable_octave(own, source[0], voice):
                _note_other_octave(options.pitch_shift, name)
            elif octave and not options.pitch_shift:
                _note_moved_octave(octave, name)
            target = source[0] + shift + torch.tensor([octave * OCTAVE, 0.0])
        else:
            target = shift + voice
        moved += transfer_pitch(
            torch.from_numpy(own)[None], source, target[None], options.pitch_range
        )[0]
    placed = (
        torch.tensor(log_f0_statistics(moved.numpy())) if options.exact_pitch else voice + shift
    )
    _note_pitch_limits(moved, name)
    return moved, placed.float()


def _note_other_octave(pitch_shift: float, name: str) -> None:
    """Note that a shift would move a song out of the range of F0."""
    text = (
        f": moved by {pitch_shift:+g} semitones it would be outside {F0_MIN:.0f} to "
        f"{F0_MAX:.0f} Hz, the range of pitch, so it is in another octave."
    )
    note(Note(name, text))


def _note_moved_octave(octave: int, name: str) -> None:
    """Note that a song is not in its own octave, and how to get it there."""
    count = "an octave" if abs(octave) == 1 else f"{abs(octave)} octaves"
    way, back = ("higher", "-") if octave > 0 else ("lower", "+")
    text = (
        f": it is {count} {way} than its source, where the target's voice can sing it; shift the "
        f"pitch by {back}12 semitones for another octave (--pitch exact{back}12)."
    )
    note(Note(name, text))


def _note_pitch_limits(f0: Tensor, name: str) -> None:
    """Note that much of a contour (frames,), in Hz, is at the end of the range of F0, if it is."""
    voiced = f0[f0 > 0]
    for limit, side in ((F0_MAX, "above"), (F0_MIN, "below")):
        share = float((voiced == limit).double().mean()) if len(voiced) else 0.0
        if share > LIMITED_SHARE:
            text = (
                f": {share:.0%} of its voice would be {side} {limit:.0f} Hz, where pitch ends, so "
                "its melody is flattened; shift the pitch less."
            )
            note(Note(name, text))


def _singable_octave(f0: np.ndarray, source: Tensor, voice: Tensor, shift: float = 0.0) -> int:
    """By how many octaves, as few as it takes, a source has to move for a voice to sing it.

    A song fits its accompaniment where its octave stays, so it stays where the mean is within SUNG
    of the voice's. Octaves that would, with `shift` beside them, move the contour out of F0_MIN to
    F0_MAX are left out, since they would clip intervals. Where none is left, the octave stays.
    """
    if not f0.any():
        return 0
    low, high = np.percentile(np.log(f0[f0 > 0]), F0_PERCENTILES) + shift
    octaves = [
        number
        for number in range(-3, 4)
        if math.log(F0_MIN) <= low + number * OCTAVE and high + number * OCTAVE <= math.log(F0_MAX)
    ]
    above = float(source[0] - voice[0])

    def effort(number: int) -> tuple[float, int]:
        sung = above + number * OCTAVE
        return max(SUNG[0] - sung, sung - SUNG[1], 0.0), abs(number)

    return min(octaves, key=effort, default=0)


def transfer_pitch(
    f0: Tensor, source: Tensor, target: Tensor, pitch_range: float | Tensor = 1.0
) -> Tensor:
    """Move F0 contours to a voice's pitch by a linear map of ln F0.

    The contour's standard deviation becomes the geometric mean of both voices': the target's alone
    would exaggerate the estimation error of a short reference, the source's alone would keep one of
    the source's habits.

    Args:
        f0: (batch, frames), Hz, 0 where unvoiced.
        source: (batch, 2), mean and standard deviation of ln F0 of the source.
        target: (batch, 2), those of the voice to move to.
        pitch_range: factor of the standard deviation, a number or (batch, 1).

    Returns:
        (batch, frames), Hz within [F0_MIN, F0_MAX], 0 where `f0` is 0.
    """
    width = (target[:, 1:] / source[:, 1:]).sqrt() * pitch_range
    moved = target[:, :1] + (f0.clamp(min=1.0).log() - source[:, :1]) * width
    return torch.where(f0 > 0, moved.exp().clamp(F0_MIN, F0_MAX), 0.0)
