"""What is to be converted: files, folders, globs and manifests, as jobs."""

import csv
import glob
import io
import json
import os
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from voiceswap.batch import storage
from voiceswap.batch.formats import FORMATS, SOUNDS, ending, written_as
from voiceswap.batch.options import BatchOptions
from voiceswap.errors import VoiceswapError

ReferencePaths = tuple[str, ...]  # recordings, averaged, or files of saved voices; absolute
COLUMNS = (
    "source",
    "target",
    "output",
    "pitch",
    "pitch_range",
    "strength",
    "seed",
    "format",
    "rate",
    "subtype",
)


@dataclass(frozen=True, slots=True)
class Job:
    """One output to make. `output` is its path in the output folder, with slashes; `error` says why it can't be had."""

    source: str
    signature: storage.FileSignature
    references: ReferencePaths
    output: str
    options: BatchOptions
    error: str | None = None


def collect(
    inputs: Sequence[str], voices: Mapping[str, ReferencePaths], out: str, options: BatchOptions
) -> Iterator[Job]:
    """A job for every output that `inputs` ask for, in an order that depends on names alone.

    `voices` are the targets by name. With more than one, each has a folder of its own in the output. A manifest's line
    that names a target is for that one alone. Raises VoiceswapError for a manifest that can't be read at all.
    """
    for given in inputs:
        if not storage.exists(given) and glob.has_magic(given):
            found = [pair for pair in storage.matching(given, out) if ending(pair[1]) in SOUNDS]
        elif storage.is_folder(given):
            found = [
                pair
                for pair in storage.walk(given, out)
                if ending(pair[1]) in SOUNDS or os.path.isdir(pair[0])
            ]
        elif ending(given) in ("csv", "jsonl"):
            yield from _manifest(given, voices, options)
            continue
        else:
            found = [(given, posixpath.basename(given.replace(os.sep, "/")))]
        for path, name in found:
            yield from _one(storage.absolute(path), posixpath.splitext(name)[0], voices, options)


def _one(
    source: str, stem: str, voices: Mapping[str, ReferencePaths], options: BatchOptions
) -> Iterator[Job]:
    """The jobs for one source whose output is called `stem` and the format's ending."""
    if not voices:
        raise VoiceswapError(
            "Give at least one --target, or a manifest with a target on every line."
        )
    try:
        signature, error = storage.signature(source), None
        if os.path.isdir(source):  # a folder that was given is walked; so this is one in it
            error = f"{source} can't be listed."
    except VoiceswapError as problem:
        signature, error = storage.FileSignature(0, ""), str(problem)
    for voice, references in voices.items():
        output = f"{stem}.{options.format or written_as(source)}"
        yield Job(
            source,
            signature,
            references,
            f"{voice}/{output}" if len(voices) > 1 else output,
            options,
            error,
        )


def _manifest(
    path: str, voices: Mapping[str, ReferencePaths], options: BatchOptions
) -> Iterator[Job]:
    """The jobs of a .csv or .jsonl file. A line that can't be used is a job with an error."""
    folder = (
        posixpath.dirname(path) if storage.is_url(path) else os.path.dirname(os.path.abspath(path))
    )
    for number, line in _lines(path):
        source = str(line.get("source") or "")
        try:
            if not source:
                raise VoiceswapError("there is no source.")
            source = _from(folder, source)
            own = _targets(line.get("target"))
            targets = {"": tuple(_from(folder, each) for each in own)} if own else voices
            mine = options.changed(
                {name: value for name, value in line.items() if name in COLUMNS[3:]}
            )
            stem = str(line.get("output") or "")
            if ending(stem) in FORMATS:
                mine = mine if line.get("format") else mine.changed({"format": ending(stem)})
                stem = posixpath.splitext(stem)[0]
            yield from _one(
                source,
                stem or posixpath.splitext(posixpath.basename(source.replace(os.sep, "/")))[0],
                targets,
                mine,
            )
        except VoiceswapError as error:
            yield Job(
                source or path,
                storage.FileSignature(0, ""),
                (),
                "",
                options,
                f"{path}, line {number}: {error}",
            )


def _lines(path: str) -> Iterator[tuple[int, dict]]:
    text = storage.read_text(path)
    if ending(path) == "csv":
        rows = csv.DictReader(io.StringIO(text))
        _check_columns(path, rows.fieldnames or [])
        for row in rows:
            if None in row:
                raise VoiceswapError(f"{path}, line {rows.line_num}: more values than columns.")
            yield rows.line_num, row
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                row = json.loads(line)
            except ValueError as error:
                raise VoiceswapError(f"{path}, line {number}: not JSON.") from error
            if not isinstance(row, dict):
                raise VoiceswapError(f"{path}, line {number}: not a JSON object.")
            _check_columns(path, row)
            yield number, row


def _check_columns(path: str, names) -> None:
    unknown = [name for name in names if name not in COLUMNS]
    if unknown:
        raise VoiceswapError(
            f"{path} has a column '{unknown[0]}' that is not known; known are {', '.join(COLUMNS)}."
        )
    if "source" not in names:
        raise VoiceswapError(f"{path} has no column 'source'.")


def _targets(value) -> list[str]:
    """The references of a manifest's line: a list, or a text with semicolons between them."""
    items = value if isinstance(value, list) else str(value or "").split(";")
    return [str(item).strip() for item in items if str(item).strip()]


def _from(folder: str, path: str) -> str:
    """A manifest's path, which starts from the manifest's folder."""
    if storage.is_url(path):
        return path
    return (
        f"{folder}/{path}"
        if storage.is_url(folder)
        else os.path.normpath(os.path.join(folder, path))
    )
