"""The pairs of recordings that a set asks to convert."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voiceswap.errors import DataError

REQUIRED = ("id", "source", "target", "source_text")


@dataclass(frozen=True)
class Pair:
    """One conversion: the words of `source` in the voice of `target`."""

    id: str
    source: Path
    target: Path
    targets: tuple[
        Path, ...
    ]  # several references of the target's voice; one where the set gives no more
    text: str
    language: str = "en"
    parallel: Path | None = None  # the target saying the source's sentence
    source_sex: str = ""
    target_sex: str = ""
    group: str = ""  # what the set tells its pairs apart by

    @property
    def speakers(self) -> tuple[str, str]:
        """Who speaks in the source and in the target."""
        return speaker_of(self.source), speaker_of(self.target)


def read_pairs(path: Path, root: Path, limit: int | None = None) -> list[Pair]:
    """Pairs of a CSV whose paths are relative to `root`; with `limit`, that many spread evenly over the set.

    Columns: id, source, target, source_text; optional targets3 (references apart by ";"), lang, parallel, source_sex,
    target_sex. Raises DataError when the file is missing, lacks a column or names a recording that does not exist.
    """
    if not path.is_file():
        raise DataError(f"There is no list of pairs {path}.")
    with open(path, newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    lacking = [column for column in REQUIRED if column not in (reader.fieldnames or [])]
    if lacking or not rows:
        raise DataError(
            f"{path} needs rows with the columns {', '.join(REQUIRED)}; it lacks {', '.join(lacking) or 'rows'}."
        )
    for number, row in enumerate(rows, 2):
        if empty := [column for column in REQUIRED if not row[column]]:
            raise DataError(f"Line {number} of {path} has no {empty[0]}.")
    if limit is not None and limit < len(rows):
        rows = [rows[round(index)] for index in np.linspace(0, len(rows) - 1, limit)]
    pairs = [_pair(row, root) for row in rows]
    for pair in pairs:
        for recording in (pair.source, *pair.targets, *([pair.parallel] if pair.parallel else [])):
            if not recording.is_file():
                raise DataError(
                    f"The pair {pair.id} names {recording}, which does not exist; is the root folder right?"
                )
    return pairs


def recordings(pairs: list[Pair]) -> list[Path]:
    """Every recording that the pairs name, once."""
    return sorted(
        {
            path
            for pair in pairs
            for path in (pair.source, *pair.targets, *([pair.parallel] if pair.parallel else []))
        }
    )


def speaker_of(path: Path) -> str:
    """Who speaks: SPEAKER of SPEAKER/CHAPTER/SPEAKER-CHAPTER-NUMBER (LibriSpeech), or of SPEAKER/RECORDING."""
    grandparent = path.parent.parent.name
    return (
        grandparent if grandparent and path.stem.startswith(f"{grandparent}-") else path.parent.name
    )


def _pair(row: dict[str, str], root: Path) -> Pair:
    parallel, language = row.get("parallel"), row.get("lang")
    source_sex, target_sex = row.get("source_sex") or "", row.get("target_sex") or ""
    group = ""
    if language and parallel is not None:
        group = language if parallel else "across languages"
    elif source_sex and target_sex:
        group = f"{source_sex} to {target_sex}"
    target = root / row["target"]
    several = tuple(root / name for name in (row.get("targets3") or "").split(";") if name)
    return Pair(
        id=row["id"],
        source=root / row["source"],
        target=target,
        targets=several or (target,),
        text=row["source_text"],
        language=language or "en",
        parallel=root / parallel if parallel else None,
        source_sex=source_sex,
        target_sex=target_sex,
        group=group,
    )
