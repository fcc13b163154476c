"""The step that all corpora share: from recordings of speakers to cut manifests, split by speaker.

Recordings, cuts and validation are Lhotse's. Its corpus readers are not used: they stop at the
first broken file and read transcripts, which training does not need. So `corpora.py` only finds
the recordings and their speakers.
"""

import glob
import gzip
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from lhotse import CutSet, Recording, SupervisionSegment, validate
from lhotse.cut import Cut
from lhotse.utils import fastcopy
from rich.progress import track

from data_prep import speech_check
from data_prep.advice import advice
from data_prep.distinct_names import distinct_names, piece_names
from data_prep.parallel_checks import check_each
from data_prep.speech_check import Checks, printable
from voiceswap.audio_io.endings import SOUND_ENDINGS
from voiceswap.errors import DataError
from voiceswap.files import file_signature, whole_file
from voiceswap.results_log import ResultsLog, code_hash, name_hash, short_hash

VALIDATION_SHARE = 0.04  # of the speakers
PARTS = ("train", "validation", "test")


class CorpusRecording(NamedTuple):
    """A recording of a corpus.

    Attributes:
        speaker: the corpus's own name of the speaker.
        path: the audio file.
        name: the recording's name; None takes the file's name.
    """

    speaker: str
    path: Path
    name: str | None = None


@dataclass(frozen=True)
class Corpus:
    """A corpus's name, which begins its manifests' and its speakers' names, and its licence."""

    name: str
    licence: str


def audio_files(folder: Path) -> list[Path]:
    """Every audio file below `folder`, sorted, without what is hidden, as `._` files of macOS.

    Links are followed; of several ways to one file the shortest counts.
    """
    names = sorted(glob.iglob("**/*", root_dir=folder, recursive=True), key=len, reverse=True)
    found = (folder / name for name in names)
    sounds = (path for path in found if path.suffix[1:].lower() in SOUND_ENDINGS)
    return sorted({path.resolve(): path for path in sounds}.values())


def part_of(speaker: str, test_share: float = 0.0) -> str:
    """The part of a speaker: "train", "validation" or "test".

    It depends on the name alone, so it is the same in every run.
    """
    place = name_hash(speaker) / 2**64
    if place < VALIDATION_SHARE:
        return "validation"
    return "test" if place >= 1 - test_share else "train"


def write_manifests(
    recordings: Iterable[CorpusRecording],
    corpus: Corpus,
    out: Path,
    checks: Checks,
    unused: Mapping[str, str],
) -> dict[str, int | str]:
    """Check recordings and write the corpus's manifests.

    Files: OUT/CORPUS-train.jsonl.gz, -validation and -test; CORPUS-report.json;
    CORPUS-left-out.txt, which lists the files that can't be used with the reason. Checks are logged
    as they are made, so a run that was stopped goes on where it was. Nothing is replaced before all
    recordings are checked. With very few speakers it can be that none falls to training; then all
    of them do.

    Args:
        recordings: in any order; duplicates count once.
        corpus: name and licence.
        out: folder for the files; made if it is missing.
        checks: what recordings must fulfil.
        unused: further files that can't be used, with the reason.

    Returns:
        Counts to show: "speakers", "recordings", "minutes" and "left out"; and "advice", a line.

    Raises:
        DataError: no recording can be used, or `out` can't be written.
    """
    found = sorted(set(recordings))
    log = ResultsLog(out / f".{corpus.name}-checked.jsonl")
    with _plain_write_errors(out):
        out.mkdir(parents=True, exist_ok=True)
        copies = out / f".{corpus.name}-audio"
        paths = [item.path for item in found]
        results = _check_all(paths, corpus.name, checks, log, copies)
    left_out = {path: result["reason"] for path, result in results.items() if "reason" in result}
    left_out |= unused
    used = [item for item in found if str(item.path) not in left_out]
    if not used:
        raise DataError(f"No usable recordings were found for {corpus.name}{_example(left_out)}.")
    parts = {
        speaker: part_of(printable(f"{corpus.name}-{speaker}"), checks.test_share)
        for speaker in {item.speaker for item in used}
    }
    if "train" not in parts.values():
        parts = dict.fromkeys(parts, "train")
    cuts: dict[str, list[Cut]] = {part: [] for part in PARTS}
    checked = [results[str(item.path)] for item in used]
    names = _recording_names(used, checked, corpus.name)
    for item, name, result in zip(used, names, checked, strict=True):
        voice = printable(f"{corpus.name}-{item.speaker}")
        cuts[parts[item.speaker]] += _cuts(name, voice, result)
    report = _report(corpus, cuts, left_out, checked)
    minutes = sum(part["minutes"] for part in report["parts"].values())
    with _plain_write_errors(out):
        _write_cuts(cuts, corpus.name, out)
        text = json.dumps(report, indent=2, ensure_ascii=False) + "\n"
        _write_text(out / f"{corpus.name}-report.json", text)
        text = "".join(f"{path}: {reason}\n" for path, reason in left_out.items())
        _write_text(out / f"{corpus.name}-left-out.txt", text)
        log.path.unlink(missing_ok=True)
    return {
        "speakers": len(parts),
        "recordings": len(used),
        "minutes": round(minutes),
        "left out": len(left_out),
        "advice": advice(minutes, (result["noise"] for result in checked), left_out),
    }


def _recording_names(
    recordings: list[CorpusRecording], results: list[dict], corpus: str
) -> list[str]:
    """CORPUS-SPEAKER-NAME of each, with a hash where that, or a piece's name, is another's too."""
    names = [
        printable(f"{corpus}-{item.speaker}-{item.name or item.path.stem}") for item in recordings
    ]
    # Paths from the common folder: names are the same wherever the corpus lies.
    common = os.path.commonpath([item.path.parent for item in recordings])
    origins = [f"{item.speaker}/{item.path.relative_to(common).as_posix()}" for item in recordings]
    return distinct_names(names, origins, [len(result["pieces"]) for result in results])


def _check_all(
    paths: list[Path], corpus: str, checks: Checks, log: ResultsLog, copies: Path
) -> dict[str, dict]:
    """The results of `check_recording` by path; those in the log are reused if still valid."""
    settings = [checks.min_seconds, checks.min_rate, checks.min_snr, checks.keep_pauses]
    code = code_hash(speech_check)
    keys = {str(path): short_hash([file_signature(path), settings, code]) for path in paths}
    logged = {row.get("path"): row for row in log.read()}
    results = {
        path: logged[path]["result"]
        for path, key in keys.items()
        if path in logged and logged[path].get("key") == key
    }
    missing = [path for path in paths if str(path) not in results]
    checked = check_each(missing, checks, copies)
    for path, result in track(checked, description=corpus, total=len(missing)):
        results[str(path)] = result
        log.append([{"path": str(path), "key": keys[str(path)], "result": result}])
    return {path: results[path] for path in keys}


def _cuts(name: str, speaker: str, result: dict) -> list[Cut]:
    """The cut of a recording without its end pauses; pieces of a very long one."""
    recording = Recording.from_dict({**result["recording"], "id": name})
    whole, pieces = recording.to_cut(), result["pieces"]
    cuts = []
    for cut_id, (start, duration) in zip(piece_names(name, len(pieces)), pieces, strict=True):
        segment = SupervisionSegment(
            cut_id, name, 0.0, duration, channel=whole.channel, speaker=speaker
        )
        cuts.append(
            fastcopy(whole, id=cut_id, start=start, duration=duration, supervisions=[segment])
        )
    return cuts


def _write_cuts(cuts: dict[str, list[Cut]], corpus: str, out: Path) -> None:
    """Write the manifest of each part; replace those of an earlier run only if all are valid."""
    temporary = {}
    for part, part_cuts in cuts.items():
        manifest = CutSet.from_cuts(part_cuts)
        try:
            validate(manifest)
        except AssertionError as error:
            raise DataError(
                f"The manifest {corpus}-{part} would not be valid ({error}); nothing was written."
            ) from error
        temporary[part] = out / f".{corpus}-{part}.jsonl.gz"
        # Escaped: Lhotse reads and writes letters in the encoding that the system prefers.
        with gzip.open(temporary[part], "wt", encoding="ascii") as file:
            file.writelines(f"{json.dumps(row)}\n" for row in manifest.to_dicts())
    for part, path in temporary.items():
        os.replace(path, out / f"{corpus}-{part}.jsonl.gz")


def _write_text(path: Path, text: str) -> None:
    with whole_file(path, DataError) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="surrogateescape")


def _report(
    corpus: Corpus, cuts: dict[str, list[Cut]], left_out: dict[str, str], checked: list[dict]
) -> dict:
    return {
        "corpus": corpus.name,
        "licence": corpus.licence,
        "parts": {
            part: {
                "speakers": len({cut.supervisions[0].speaker for cut in part_cuts}),
                "cuts": len(part_cuts),
                "minutes": round(sum(cut.duration for cut in part_cuts) / 60, 2),
            }
            for part, part_cuts in cuts.items()
        },
        "minutes of end pauses": round(sum(map(_pause_seconds, checked)) / 60, 2),
        "left out": dict(Counter(left_out.values()).most_common()),
        "notes": [note for result in checked for note in result["notes"]],
    }


def _pause_seconds(result: dict) -> float:
    return result["recording"]["duration"] - sum(length for _, length in result["pieces"])


def _example(left_out: dict[str, str]) -> str:
    return "".join(f": {path}, for one, {reason}" for path, reason in list(left_out.items())[:1])


@contextmanager
def _plain_write_errors(out: Path) -> Iterator[None]:
    """Turn the system's errors of writing below `out` into a DataError of one sentence."""
    try:
        yield
    except OSError as error:
        raise DataError(f"{out} can't be written to ({error.strerror}).") from error
