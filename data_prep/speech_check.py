"""The checks of a recording for training, and the span of speech in it."""

import os
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import librosa
import numpy as np
import soundfile
from lhotse import Recording

from voiceswap.audio_io.channels import ChannelMix
from voiceswap.audio_io.checks import check_audio
from voiceswap.audio_io.decoding import decode_file, sound_info
from voiceswap.dsp.level import MIN_SPEECH_LEVEL_DB, active_level_db
from voiceswap.dsp.pauses import cut_at_pauses
from voiceswap.dsp.recording_quality import CLIPPED_SHARE, is_clipped, speech_above_noise_db
from voiceswap.errors import AudioError, DataError
from voiceswap.files import whole_file
from voiceswap.notes import Note, notes_to
from voiceswap.results_log import short_hash

PAUSE_DB = 40.0  # a frame that is so far below the loudest is a pause
KEPT_PAUSE = 0.2  # seconds of an end pause that are kept
SHORT_PAUSE = 0.3  # seconds; a shorter end pause is kept whole
MAX_SECONDS = 60.0  # a longer recording is cut into pieces
PIECE_SECONDS = 30.0  # longest piece
ALIKE_SECONDS = 0.1  # by which decoders of one file may differ
MIN_RATE = 12800  # Hz; training of a 16 kHz model refuses less, which lacks too much


@dataclass(frozen=True)
class Checks:
    """The requirements on recordings, and the settings of a preparation.

    Attributes:
        min_seconds: shortest recording.
        min_rate: lowest sample rate in Hz.
        min_snr: lowest level of the speech above the quietest tenth of the frames, in dB.
        keep_pauses: whether pauses at the ends are kept.
        test_share: share of the speakers that are held out for tests.
        jobs: files read at a time.
    """

    min_seconds: float = 1.0
    min_rate: int = MIN_RATE
    min_snr: float = 0.0
    keep_pauses: bool = False
    test_share: float = 0.04
    jobs: int = os.cpu_count() or 1


def check_recording(path: Path, checks: Checks, copies: Path) -> dict:
    """Check one recording, by the reader that conversions use.

    Never raises for what the file contains: no file stops a preparation. What Lhotse would not read
    to its end, such as a phone memo, is copied to FLAC in the folder `copies`.

    Returns:
        A dict that JSON can hold: Lhotse's "recording", "pieces" of speech, [start, duration] each
        in seconds, "noise" in dB below the speech, and "notes". Of a recording that can't be used
        only the "reason".
    """
    notes: list[Note] = []
    try:
        with notes_to(notes.append):
            rate = sound_info(path).rate
            blocks = [block for _, block in decode_file(path)]
            samples = np.concatenate(blocks or [np.zeros((0, 1), np.float32)])
            mono = _mixed(samples, rate, path)
            check_audio(mono, rate, str(path))
    except AudioError as error:
        return {"reason": str(error).removeprefix(f"{path} ").rstrip(".")}
    if reason := _unusable(samples, mono, rate, checks):
        return {"reason": reason}
    start, duration = 0.0, len(mono) / rate
    if not checks.keep_pauses:
        start, duration = speech_span(mono, rate, duration)
    if duration < checks.min_seconds:
        return {"reason": f"less than {checks.min_seconds} s between its end pauses"}
    readable = path.resolve()
    if not _read_by_lhotse(path, len(mono), rate):
        readable = _copy(path, samples, rate, copies).resolve()
    recording = Recording.from_file(readable, recording_id=printable(path.stem))
    return {
        "recording": recording.to_dict(),
        "pieces": _pieces(mono, rate, start, min(duration, recording.duration - start)),
        "noise": round(speech_above_noise_db(mono, rate), 1),
        "notes": notes,
    }


def printable(name: str) -> str:
    """A name as a manifest can hold it: what is not UTF-8 is escaped."""
    return name.encode("utf-8", "backslashreplace").decode()


def _mixed(samples: np.ndarray, rate: int, path: Path) -> np.ndarray:
    mix = ChannelMix(samples.shape[1], rate)
    if samples.shape[1] > 1:
        mix.add(samples)
    return samples[:, mix.kept(str(path))].mean(1)


def _unusable(samples: np.ndarray, mono: np.ndarray, rate: int, checks: Checks) -> str:
    """Why a recording can't be used, or nothing."""
    if len(mono) < checks.min_seconds * rate:
        return f"shorter than {checks.min_seconds} s"
    if rate < checks.min_rate:
        return f"{rate} Hz, below {checks.min_rate} Hz, which --min-rate sets"
    if active_level_db(mono, rate) < MIN_SPEECH_LEVEL_DB:
        return f"speech is below {MIN_SPEECH_LEVEL_DB:g} dB"
    if (noise := speech_above_noise_db(mono, rate)) < checks.min_snr:
        return f"noise {noise:.0f} dB below the speech, where --min-snr asks for {checks.min_snr:g}"
    if is_clipped(samples):
        return f"more than {CLIPPED_SHARE:.0%} of the samples are clipped"
    return ""


def _read_by_lhotse(path: Path, length: int, rate: int) -> bool:
    """Whether libsndfile, by which Lhotse reads, gives all of the file."""
    if printable(str(path.resolve())) != str(path.resolve()):
        return False
    try:
        known = soundfile.info(path)
    except soundfile.LibsndfileError:
        return False
    return known.samplerate == rate and abs(known.frames - length) < ALIKE_SECONDS * rate


def _copy(path: Path, samples: np.ndarray, rate: int, folder: Path) -> Path:
    copy = folder / f"{printable(path.stem)}-{short_hash(str(path))}.flac"
    with whole_file(copy, DataError) as temporary:
        soundfile.write(temporary, samples, rate, format="FLAC")
    return copy


def _pieces(mono: np.ndarray, rate: int, start: float, duration: float) -> list[list[float]]:
    """The speech in one piece, or a long recording's in several, cut where it is quietest."""
    if duration <= MAX_SECONDS:
        return [[start, duration]]
    first = round(start * rate)
    parts = cut_at_pauses(mono[first : first + round(duration * rate)], rate, PIECE_SECONDS)
    ends = np.cumsum([0, *map(len, parts)]) / rate
    return [[round(start + a, 8), round(b - a, 8)] for a, b in pairwise(ends.tolist())]


def speech_span(samples: np.ndarray, rate: int, seconds: float) -> tuple[float, float]:
    """The span of a recording without end pauses of more than 0.3 s.

    Args:
        samples: (samples,).
        rate: in Hz.
        seconds: the recording's duration.

    Returns:
        Start and duration in seconds.
    """
    frame = rate // 50
    _, (first, last) = librosa.effects.trim(
        samples, top_db=PAUSE_DB, frame_length=2 * frame, hop_length=frame
    )
    start = round((first - KEPT_PAUSE * rate) / rate, 8) if first / rate > SHORT_PAUSE else 0.0
    if seconds - last / rate <= SHORT_PAUSE:
        return start, seconds - start
    return start, round(last / rate + KEPT_PAUSE - start, 8)
