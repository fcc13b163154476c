"""What every corpus has in common: recordings of speakers to cut manifests, split by speaker.

Recordings, cuts, validation and shards are Lhotse's. Its corpus readers are not used: they stop at the first broken
file and read transcripts, which training does without, so each module here only says where a corpus keeps what.
"""

import hashlib
import json
import math
import os
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

from lhotse import CutSet, Recording, SupervisionSegment, validate
from lhotse.cut import Cut
from lhotse.utils import fastcopy
from rich.progress import track

from data_prep.speech_check import Checks, check_recording
from voiceswap.errors import DataError

ENDINGS = {".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif"}
VALIDATION_SHARE = 0.04  # of the speakers
MAX_SECONDS, PIECE_SECONDS = (
    60.0,
    30.0,
)  # a recording above the first is cut into pieces of up to the second
PARTS = ("train", "validation", "test")


class Found(NamedTuple):
    """A recording of a corpus. `name` tells it from the speaker's others, if the file's own name does not."""

    speaker: str
    path: Path
    name: str | None = None


@dataclass(frozen=True)
class Corpus:
    """What a corpus is called, in its manifests and before its speakers' names, and the licence of its recordings."""

    name: str
    licence: str


def audio_files(folder: Path) -> list[Path]:
    """Every audio file below `folder`, sorted by name, without the `._` files that macOS leaves behind."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in ENDINGS and not path.name.startswith("._")
    )


def part_of(speaker: str, test_share: float = 0.0) -> str:
    """The part a speaker belongs to: decided by the name alone, so it is the same every time."""
    place = int.from_bytes(hashlib.sha256(speaker.encode()).digest()[:8], "big") / 2**64
    return (
        "validation" if place < VALIDATION_SHARE else "test" if place >= 1 - test_share else "train"
    )


def write_manifests(
    found: Iterable[Found], corpus: Corpus, out: Path, checks: Checks
) -> dict[str, int | str]:
    """Write OUT/CORPUS-train.jsonl.gz, -validation and -test, CORPUS-report.json and CORPUS-left-out.txt.

    Left-out files are listed with the reason. What was checked is noted as it comes, so a run that was stopped goes on
    where it was. Nothing is replaced before all of it is checked. When no speaker's name falls to training, as can be
    with very few, all train. Returns counts for the screen. Raises DataError when nothing usable is found.
    """
    named = _cut_ids(sorted(set(found)), corpus.name)
    journal = out / f".{corpus.name}-checked.jsonl"
    with _said_plainly(out):
        out.mkdir(parents=True, exist_ok=True)
        checked = _check_all([item.path for item in named.values()], corpus.name, checks, journal)
    speakers = {
        f"{corpus.name}-{item.speaker}"
        for cut_id, item in named.items()
        if "reason" not in checked[str(item.path)]
    }
    parts = {speaker: part_of(speaker, checks.test_share) for speaker in speakers}
    if "train" not in parts.values():
        parts = dict.fromkeys(parts, "train")
    cuts: dict[str, list[Cut]] = {part: [] for part in PARTS}
    left_out: dict[str, str] = {}
    for cut_id, (speaker, path, _) in named.items():
        facts = checked[str(path)]
        if "reason" in facts:
            left_out[str(path)] = facts["reason"]
        else:
            name = f"{corpus.name}-{speaker}"
            cuts[parts[name]] += _cuts(cut_id, name, facts)
    if not speakers:
        raise DataError(f"No usable recordings were found for {corpus.name}{_example(left_out)}.")
    report = _report(corpus, cuts, left_out, named, checked)
    with _said_plainly(out):
        _write(cuts, corpus.name, out)
        _replace(
            out / f"{corpus.name}-report.json",
            json.dumps(report, indent=2, ensure_ascii=False) + "\n",
        )
        _replace(
            out / f"{corpus.name}-left-out.txt",
            "".join(f"{path}: {reason}\n" for path, reason in left_out.items()),
        )
        journal.unlink(missing_ok=True)
    return {
        "speakers": len(speakers),
        "recordings": len(named) - len(left_out),
        "minutes": round(sum(part["minutes"] for part in report["parts"].values())),
        "left out": len(left_out),
    }


def _cut_ids(found: list[Found], corpus: str) -> dict[str, Found]:
    """Recordings by cut id, CORPUS-SPEAKER-NAME. Files of one speaker that share a name are told apart by their folders too."""
    plain = {item: f"{corpus}-{item.speaker}-{item.name or item.path.stem}" for item in found}
    shared = Counter(plain.values())
    common = Path(os.path.commonpath([item.path.parent for item in found])) if found else Path()
    return {
        name
        if shared[name] == 1
        else f"{corpus}-{item.speaker}-{'-'.join(item.path.relative_to(common).parts)}": item
        for item, name in plain.items()
    }


def _check_all(paths: list[Path], corpus: str, checks: Checks, journal: Path) -> dict[str, dict]:
    """What `check_recording` says of each file, by path; from the journal what it said already of the file as it is now."""
    settings = [checks.min_seconds, checks.min_rate, checks.keep_pauses]
    checked = {}
    if journal.exists():
        for line in journal.read_text().splitlines():
            try:
                entry = json.loads(line)
            except ValueError:  # the line at which a run was stopped
                continue
            if entry["settings"] == settings and entry["state"] == _state(Path(entry["path"])):
                checked[entry["path"]] = entry["facts"]
    missing = [path for path in paths if str(path) not in checked]
    with open(journal, "a") as notes, ProcessPoolExecutor(checks.jobs) as pool:
        results = pool.map(partial(check_recording, checks=checks), missing, chunksize=8)
        for path, facts in track(
            zip(missing, results, strict=True), description=corpus, total=len(missing)
        ):
            checked[str(path)] = facts
            notes.write(
                json.dumps(
                    {"path": str(path), "state": _state(path), "settings": settings, "facts": facts}
                )
                + "\n"
            )
            notes.flush()
    return checked


def _state(path: Path) -> list[int]:
    """What changes when a file does."""
    try:
        facts = path.stat()
    except OSError:
        return []
    return [facts.st_size, facts.st_mtime_ns]


def _cuts(cut_id: str, speaker: str, facts: dict) -> list[Cut]:
    """The cut of a recording, without its end pauses; of a very long one, pieces of equal length."""
    recording = fastcopy(Recording.from_dict(facts["recording"]), id=cut_id)
    whole = recording.to_cut()
    pieces_ = [(cut_id, facts["start"], facts["duration"])]
    if facts["duration"] > MAX_SECONDS:
        pieces = math.ceil(facts["duration"] / PIECE_SECONDS)
        length = int(facts["duration"] / pieces * recording.sampling_rate) / recording.sampling_rate
        pieces_ = [
            (f"{cut_id}-{i + 1}", round(facts["start"] + i * length, 8), round(length, 8))
            for i in range(pieces)
        ]
    cuts = []
    for name, start, duration in pieces_:
        voice = SupervisionSegment(
            name, cut_id, 0.0, duration, channel=whole.channel, speaker=speaker
        )
        cuts.append(fastcopy(whole, id=name, start=start, duration=duration, supervisions=[voice]))
    return cuts


def _write(cuts: dict[str, list[Cut]], corpus: str, out: Path) -> None:
    temporary = {}
    for part, found in cuts.items():
        manifest = CutSet.from_cuts(found)
        try:
            validate(manifest)
        except AssertionError as error:
            raise DataError(
                f"The manifest {corpus}-{part} would not be valid ({error}); nothing was written."
            ) from error
        temporary[part] = out / f".{corpus}-{part}.jsonl.gz"
        manifest.to_file(temporary[part])
    for part, path in temporary.items():
        os.replace(path, out / f"{corpus}-{part}.jsonl.gz")


def _replace(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    temporary = path.with_name(f".{path.name}")
    temporary.write_text(text)
    os.replace(temporary, path)


def _report(
    corpus: Corpus,
    cuts: dict[str, list[Cut]],
    left_out: dict[str, str],
    named: dict[str, Found],
    checked: dict[str, dict],
) -> dict:
    used = [checked[str(item.path)] for item in named.values() if str(item.path) not in left_out]
    return {
        "corpus": corpus.name,
        "licence": corpus.licence,
        "parts": {
            part: {
                "speakers": len({cut.supervisions[0].speaker for cut in found}),
                "cuts": len(found),
                "minutes": round(sum(cut.duration for cut in found) / 60, 2),
            }
            for part, found in cuts.items()
        },
        "minutes of end pauses": round(
            sum(facts["recording"]["duration"] - facts["duration"] for facts in used) / 60, 2
        ),
        "left out": dict(Counter(left_out.values()).most_common()),
    }


def _example(left_out: dict[str, str]) -> str:
    return "".join(f": {path}, for one, {reason}" for path, reason in list(left_out.items())[:1])


@contextmanager
def _said_plainly(out: Path):
    """What the system refuses to write, as a sentence."""
    try:
        yield
    except OSError as error:
        raise DataError(f"{out} can't be written to ({error.strerror}).") from error
