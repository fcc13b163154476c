"""The pairs of recordings that are converted for an evaluation."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voiceswap.csv_lists import decode_text, read_csv
from voiceswap.errors import DataError
from voiceswap.files import folded_name, is_safe_name

# Folders within a speaker's: of CMU ARCTIC, JVS and ESD.
WITHIN_SPEAKER = re.compile(
    r"wav(\d+kHz\d+bit)?|(parallel|nonpara|falset|whisper)\d+|Angry|Happy|Neutral|Sad|Surprise"
)
REQUIRED = ("id", "source", "target", "source_text")


@dataclass(frozen=True)
class Pair:
    """One conversion: the content of `source` in the voice of `target`.

    Attributes:
        id: names the conversion's file; of two pairs they differ not by case alone.
        source: recording that is converted.
        target: first reference of the target's voice.
        targets: all references of the target's voice; one if the set gives no more.
        text: of the source.
        language: of the text, such as "en".
        parallel: recording of the target reading the source's sentence.
        source_sex: as the set gives it; may be empty.
        target_sex: the same of the target.
        group: the pair's group in the report, such as "F to M"; may be empty.
    """

    id: str
    source: Path
    target: Path
    targets: tuple[Path, ...]
    text: str
    language: str = "en"
    parallel: Path | None = None
    source_sex: str = ""
    target_sex: str = ""
    group: str = ""

    @property
    def speakers(self) -> tuple[str, str]:
        """The speakers of the source and of the target."""
        return speaker_of(self.source), speaker_of(self.target)

    @property
    def recordings(self) -> list[Path]:
        """Every recording of the pair."""
        return [self.source, *self.targets, *([self.parallel] if self.parallel else [])]


def read_pairs(path: Path, root: Path, limit: int | None = None) -> list[Pair]:
    """Read pairs from a CSV.

    Columns: id, source, target, source_text; optional targets3 (references with ";" between them),
    lang, parallel, source_sex, target_sex.

    Args:
        path: the CSV.
        root: folder that the paths in the CSV start from.
        limit: most pairs to take, evenly distributed over the set.

    Raises:
        DataError: the file is missing, lacks a column, holds an id twice or one that can't be a
            file's name, or names a recording that does not exist.
    """
    if not path.is_file():
        raise DataError(f"There is no list of pairs {path}.")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} can't be read ({error.strerror}).") from error
    columns, numbered = read_csv(decode_text(data, str(path)), str(path))
    lacking = [column for column in REQUIRED if column not in columns]
    lines = {} if lacking else dict(numbered)
    if not lines:
        missing = ", ".join(lacking) or "rows"
        raise DataError(
            f"{path} needs rows with the columns {', '.join(REQUIRED)}; it lacks {missing}."
        )
    first_lines: dict[str, int] = {}
    for number, row in lines.items():
        if empty := [column for column in REQUIRED if not row[column]]:
            raise DataError(f"{path}, line {number}: there is no {empty[0]}.")
        if row["id"].startswith(".") or not is_safe_name(row["id"]):
            raise DataError(f"{path}, line {number}: the id can't be a file's name.")
        first = first_lines.setdefault(folded_name(row["id"]), number)
        if first != number:
            raise DataError(
                f"{path}, line {number}: the id {row['id']} is that of line {first}; each pair "
                "needs an id of its own, in other letters, not only in small or capital ones."
            )
    pairs = {number: _pair(row, root) for number, row in lines.items()}
    numbers = list(pairs)
    if limit is not None and limit < len(numbers):
        numbers = [numbers[round(index)] for index in np.linspace(0, len(numbers) - 1, limit)]
    for number in numbers:
        for recording in pairs[number].recordings:
            if not recording.is_file():
                raise DataError(
                    f"{path}, line {number}: {recording} does not exist; is the root folder right?"
                )
    return [pairs[number] for number in numbers]


def recordings(pairs: list[Pair]) -> list[Path]:
    """Every recording that the pairs name, once."""
    return sorted({path for pair in pairs for path in pair.recordings})


def speaker_of(path: Path) -> str:
    """The speaker in a recording's path.

    SPEAKER of SPEAKER/CHAPTER/SPEAKER-CHAPTER-NUMBER (LibriSpeech; with "_" LibriTTS and MLS), of
    SPEAKER/wav/RECORDING and other folders that corpora have there, or of SPEAKER/RECORDING.
    """
    chapter, grandparent = path.parent.name, path.parent.parent.name
    if path.stem.startswith((f"{grandparent}-{chapter}-", f"{grandparent}_{chapter}_")):
        return grandparent
    folders = [folder.name for folder in path.parents if folder.name]
    own = (name for name in folders if not WITHIN_SPEAKER.fullmatch(name))
    return next(own, path.parent.name)


def _pair(row: dict[str, str], root: Path) -> Pair:
    parallel, language = row.get("parallel"), row.get("lang")
    source_sex, target_sex = row.get("source_sex") or "", row.get("target_sex") or ""
    group = ""
    if language and parallel is not None:
        group = language if parallel else "across languages"
    elif source_sex and target_sex:
        group = f"{source_sex} to {target_sex}"
    target = root / row["target"]
    names = [name.strip() for name in (row.get("targets3") or "").split(";")]
    several = tuple(root / name for name in names if name)
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
