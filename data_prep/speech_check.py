"""The checks of a recording for training, and the span of speech in it."""

import os
from dataclasses import dataclass
from pathlib import Path

import librosa
import numpy as np
import soundfile
from lhotse import Recording

from voiceswap.audio import QUIET_DB, active_level_db, check_audio
from voiceswap.errors import AudioError

PAUSE_DB = 40.0  # a frame that is so far below the loudest is a pause
KEPT_PAUSE = 0.2  # seconds of an end pause that are kept
SHORT_PAUSE = 0.3  # seconds; a shorter end pause is kept whole
CLIPPED_SHARE = 0.01


@dataclass(frozen=True)
class Checks:
    """The requirements on recordings, and the settings of a preparation.

    Attributes:
        min_seconds: shortest recording.
        min_rate: lowest sample rate in Hz.
        keep_pauses: whether pauses at the ends are kept.
        test_share: share of the speakers that are held out for tests.
        jobs: files read at a time.
    """

    min_seconds: float = 1.0
    min_rate: int = 0
    keep_pauses: bool = False
    test_share: float = 0.04
    jobs: int = os.cpu_count() or 1


DEFAULT_CHECKS = Checks()


def check_recording(path: Path, checks: Checks) -> dict:
    """Check one recording.

    Never raises for what the file contains: no file stops a preparation.

    Returns:
        A dict that JSON can hold: Lhotse's "recording", and "start" and "duration" of the speech in
        seconds. Of a recording that can't be used only the "reason".
    """
    try:
        if path.stat().st_size == 0:
            return {"reason": "empty file"}
        recording = Recording.from_file(path.resolve(), recording_id=path.stem)
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except Exception as error:  # a broken file makes the readers raise all kinds of errors
        return {"reason": f"can't be read ({type(error).__name__})"}
    if recording.duration < checks.min_seconds:
        return {"reason": f"shorter than {checks.min_seconds} s"}
    if rate < checks.min_rate:
        return {"reason": f"{rate} Hz, below {checks.min_rate} Hz"}
    mono = samples.mean(1)
    try:
        check_audio(mono, rate, "it")
    except AudioError as error:
        return {"reason": str(error).removeprefix("it ").rstrip(".")}
    if active_level_db(mono, rate) < QUIET_DB:
        return {"reason": f"speech is below {QUIET_DB:g} dB"}
    peak = np.abs(samples).max()
    if np.mean(np.abs(samples) >= 0.999 * peak) > CLIPPED_SHARE:
        return {"reason": f"more than {CLIPPED_SHARE:.0%} of the samples are clipped"}
    start, duration = 0.0, recording.duration
    if not checks.keep_pauses:
        start, duration = speech_span(mono, rate, recording.duration)
    if duration < checks.min_seconds:
        return {"reason": f"less than {checks.min_seconds} s between its end pauses"}
    return {
        "recording": recording.to_dict() | {"id": path.stem},
        "start": start,
        "duration": duration,
    }


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
