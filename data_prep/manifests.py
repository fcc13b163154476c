"""What every corpus has in common: recordings of speakers to cut manifests, split by speaker."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from lhotse import CutSet, MonoCut, Recording, SupervisionSegment
from lhotse.utils import fastcopy
from rich.progress import track

from voiceswap.errors import DataError

ENDINGS = {".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif"}
VALIDATION_SHARE = 0.04  # of the speakers


def audio_files(folder: Path) -> list[Path]:
    """Every audio file below `folder`, sorted by name."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS)


def is_validation(speaker: str) -> bool:
    """Whether a speaker is kept out of training: decided by the name alone, so it is the same every time."""
    return int.from_bytes(hashlib.sha256(speaker.encode()).digest()[:8], "big") / 2**64 < VALIDATION_SHARE


def write_manifests(recordings: Iterable[tuple[str, Path]], corpus: str, out: Path, min_seconds: float = 1.0) -> dict[str, int | str]:
    """Write OUT/CORPUS-train.jsonl.gz and OUT/CORPUS-validation.jsonl.gz from (speaker, file) pairs.

    A file that can't be read or is shorter than `min_seconds` is listed in OUT/CORPUS-left-out.txt with the reason.
    Returns counts for a report. Raises DataError when nothing usable is found.
    """
    out.mkdir(parents=True, exist_ok=True)
    cuts: dict[str, list[MonoCut]] = {"train": [], "validation": []}
    left_out, speakers, seconds = [], set(), 0.0
    for speaker, path in track(list(recordings), description=corpus):
        cut_id = f"{corpus}-{speaker}-{path.stem}"
        try:
            recording = Recording.from_file(path.resolve(), recording_id=cut_id)
        except Exception as error:  # whatever a broken file makes the reader raise is reported below, never lost
            left_out.append(f"{path}: can't be read ({type(error).__name__})")
            continue
        if recording.duration < min_seconds:
            left_out.append(f"{path}: {recording.duration:.2f} s long, at least {min_seconds} s is needed")
            continue
        name = f"{corpus}-{speaker}"
        voice = SupervisionSegment(cut_id, cut_id, 0.0, recording.duration, speaker=name)
        part = "validation" if is_validation(name) else "train"
        cuts[part].append(fastcopy(recording.to_cut(), id=cut_id, supervisions=[voice]))
        speakers.add(name)
        seconds += recording.duration
    if not cuts["train"]:
        raise DataError(f"No usable recordings were found for {corpus}.")
    for part, found in cuts.items():
        temporary = out / f".{corpus}-{part}.jsonl.gz"
        CutSet.from_cuts(found).to_file(temporary)
        os.replace(temporary, out / f"{corpus}-{part}.jsonl.gz")
    (out / f"{corpus}-left-out.txt").write_text("".join(f"{line}\n" for line in left_out))
    return {
        "speakers": len(speakers),
        "recordings": sum(map(len, cuts.values())),
        "minutes": round(seconds / 60),
        "left out": len(left_out),
    }
