"""Audio files in and out: channels, resampling, checks and level."""

import os
import tempfile
from pathlib import Path

import numpy as np
import soundfile
import soxr

from voiceswap.errors import AudioError

ACTIVE_LEVEL_DB = -26.0  # speech level that the models hear, dB relative to full scale (ITU-T P.56 uses the same nominal level)
MIN_SECONDS = 0.3
SILENCE_PEAK = 1e-4  # -80 dB: below this nothing can be told from the noise of a 16-bit file


def read_audio(path: str | os.PathLike, sample_rate: int) -> np.ndarray:
    """Read any file that soundfile reads, mixed down to one channel at `sample_rate` Hz.

    Returns float32 samples, shape (samples,), full scale at 1.0. Raises AudioError when the file is missing, is not
    audio, or fails `check_audio`.
    """
    path = Path(path)
    if not path.exists():
        raise AudioError(f"{path} does not exist.")
    if path.is_dir():
        raise AudioError(f"{path} is a folder, not a recording.")
    if path.stat().st_size == 0:
        raise AudioError(f"{path} is an empty file.")
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise AudioError(f"{path} can't be read as audio ({str(error).rstrip('.')}).") from error
    return prepare_audio(samples.T, rate, sample_rate, name=str(path))


def prepare_audio(samples: np.ndarray, rate: int, sample_rate: int, name: str = "The recording") -> np.ndarray:
    """Samples of shape (samples,) or (channels, samples), at `rate` Hz, to checked float32 mono at `sample_rate` Hz.

    Integer samples are scaled by their type's full scale. Raises AudioError as `check_audio` does.
    """
    samples = np.asarray(samples)
    if samples.dtype.kind not in "fiu" or samples.ndim not in (1, 2):
        raise AudioError(f"{name} must be an array of numbers of shape (samples,) or (channels, samples).")
    if rate <= 0:
        raise AudioError(f"{name} has a sample rate of {rate} Hz, which must be above zero.")
    if samples.dtype.kind == "u":  # unsigned PCM is centred on half its range
        half = (np.iinfo(samples.dtype).max + 1) / 2
        samples = samples / half - 1
    elif samples.dtype.kind == "i":
        samples = samples / (np.iinfo(samples.dtype).max + 1)
    samples = samples.astype(np.float32)
    if samples.ndim == 2:
        samples = samples.mean(0)
    check_audio(samples, rate, name)
    samples = samples - samples.mean()  # an offset is no sound, but would count as level
    if rate != sample_rate:
        samples = soxr.resample(samples, rate, sample_rate)
    return np.ascontiguousarray(samples, dtype=np.float32)


def check_audio(samples: np.ndarray, rate: int, name: str = "The recording") -> None:
    """Raise AudioError unless `samples` (samples,) are finite, at least 0.3 s long and not silent."""
    if len(samples) == 0:
        raise AudioError(f"{name} holds no samples.")
    if not np.isfinite(samples).all():
        raise AudioError(f"{name} holds NaN or infinite samples.")
    if len(samples) < MIN_SECONDS * rate:
        raise AudioError(f"{name} is {len(samples) / rate:.2f} s long; at least {MIN_SECONDS} s is needed.")
    if np.abs(samples - samples.mean()).max() < SILENCE_PEAK:
        raise AudioError(f"{name} is silent.")


def active_level_db(samples: np.ndarray, sample_rate: int) -> float:
    """Level of the parts where someone speaks, in dB relative to full scale.

    The mean power of the 20 ms frames within 30 dB of the loudest one: pauses do not count, a click hardly does.
    """
    frame = max(1, sample_rate // 50)
    power = np.square(samples[: len(samples) // frame * frame].astype(np.float64).reshape(-1, frame)).mean(1)
    active = power[power > power.max() * 1e-3]
    return float(10 * np.log10(active.mean() + 1e-12))


def set_level(samples: np.ndarray, sample_rate: int, level_db: float = ACTIVE_LEVEL_DB) -> np.ndarray:
    """Scale `samples` so that their active level is `level_db`."""
    gain = 10 ** ((level_db - active_level_db(samples, sample_rate)) / 20)
    return (samples * gain).astype(np.float32)


def write_audio(path: str | os.PathLike, samples: np.ndarray, sample_rate: int) -> Path:
    """Write `samples` (samples,) in the format of the path's ending, whole or not at all. Returns the path.

    Peaks above full scale are scaled down rather than clipped.
    """
    path = Path(path)
    if path.suffix[1:].upper() not in soundfile.available_formats() and path.suffix.lower() not in (".opus", ".aif"):
        raise AudioError(f"{path.name}: no audio format is known by the ending '{path.suffix}'; use .wav, .flac, .ogg or .mp3.")
    samples = samples / max(1.0, float(np.abs(samples).max(initial=0.0)) / 0.999)
    kind = {"opus": ("OGG", "OPUS"), "aif": ("AIFF", None)}.get(path.suffix[1:].lower(), (path.suffix[1:].upper(), None))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
        os.close(handle)
    except OSError as error:
        raise AudioError(f"{path} can't be written ({error.strerror}).") from error
    try:
        soundfile.write(temporary, samples, sample_rate, format=kind[0], subtype=kind[1])
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except (soundfile.LibsndfileError, OSError, ValueError) as error:
        raise AudioError(f"{path} can't be written ({error}).") from error
    finally:
        Path(temporary).unlink(missing_ok=True)
    return path
