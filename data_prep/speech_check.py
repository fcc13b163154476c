"""What is asked of a recording before it is trained on, and where in it speech begins and ends."""

import os
from dataclasses import dataclass
from pathlib import Path

import librosa
import numpy as np
import soundfile
from lhotse import Recording

from voiceswap.audio import active_level_db, check_audio
from voiceswap.errors import AudioError

PAUSE_DB = 40.0  # what is this far below the loudest frame is a pause
KEPT_PAUSE, SHORT_PAUSE = (
    0.2,
    0.3,
)  # seconds: what is left of an end pause, and one too short to touch
QUIET_DB = -60.0  # speech below this was digitised in a few bits of 16
CLIPPED_SHARE = 0.01


@dataclass(frozen=True)
class Checks:
    """What a preparation asks of recordings. `test_share` of the speakers are kept for tests; `min_rate` is in Hz."""

    min_seconds: float = 1.0
    min_rate: int = 0
    keep_pauses: bool = False
    test_share: float = 0.04
    jobs: int = os.cpu_count() or 1


STANDARD = Checks()


def check_recording(path: Path, checks: Checks) -> dict:
    """Facts of a recording, fit for JSON: Lhotse's, and where speech starts and how long it lasts, in seconds.

    Of one that can't be used only `reason`. Never raises for what a file holds: no file stops a preparation.
    """
    try:
        if path.stat().st_size == 0:
            return {"reason": "empty file"}
        recording = Recording.from_file(path.resolve(), recording_id=path.stem)
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (
        Exception
    ) as error:  # whatever a broken file makes the readers raise is reported, never lost
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
    start, duration = (
        (0.0, recording.duration) if checks.keep_pauses else speech(mono, rate, recording.duration)
    )
    if duration < checks.min_seconds:
        return {"reason": f"less than {checks.min_seconds} s between its end pauses"}
    facts = recording.to_dict()
    facts["id"] = path.stem
    return {"recording": facts, "start": start, "duration": duration}


def speech(samples: np.ndarray, rate: int, seconds: float) -> tuple[float, float]:
    """Start and duration, in seconds, of `samples` (samples,) without pauses at the ends longer than 0.3 s."""
    frame = rate // 50
    _, (first, last) = librosa.effects.trim(
        samples, top_db=PAUSE_DB, frame_length=2 * frame, hop_length=frame
    )
    start = round((first - KEPT_PAUSE * rate) / rate, 8) if first / rate > SHORT_PAUSE else 0.0
    if seconds - last / rate <= SHORT_PAUSE:
        return start, seconds - start
    return start, round(last / rate + KEPT_PAUSE - start, 8)
