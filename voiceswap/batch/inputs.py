"""The inputs of a batch: files, folders, globs and manifests, turned into jobs."""

import glob
import os
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from voiceswap.audio_io.endings import SOUND_ENDINGS
from voiceswap.batch import storage
from voiceswap.batch.formats import FORMATS, ending, output_ending
from voiceswap.batch.manifests import OPTION_COLUMNS, is_manifest, manifest_lines
from voiceswap.batch.options import BatchOptions
from voiceswap.errors import VoiceswapError

ReferencePaths = tuple[str, ...]  # absolute; recordings or saved voices, which are averaged


@dataclass(frozen=True, slots=True)
class Job:
    """One output to make.

    Attributes:
        source: absolute path or full URL of the input.
        signature: of the input.
        references: of the target's voice.
        output: path in the output folder, with slashes; empty where a line does not tell it.
        options: how the file is converted and written.
        error: why the output can't be made; None if it can.
        place: of a manifest's line, the start of an error on it: "jobs.csv, line 37: ".
    """

    source: str
    signature: storage.FileSignature
    references: ReferencePaths
    output: str
    options: BatchOptions
    error: str | None = None
    place: str = field(default="", compare=False)


def collect(
    inputs: Sequence[str], voices: Mapping[str, ReferencePaths], out: str, options: BatchOptions
) -> Iterator[Job]:
    """A job for every output of `inputs`, in an order that depends on names alone.

    Args:
        inputs: paths, globs or URLs.
        voices: the targets by name. With more than one, each has a folder in the output. A
            manifest's line that names a target is converted to that target alone.
        out: the output folder, which is not searched.
        options: how files are converted; a manifest's line may change them.

    Raises:
        VoiceswapError: a manifest can't be read at all, or a glob matches nothing.
    """
    for item in inputs:
        if _is_output_folder(item, out):
            raise VoiceswapError(
                f"{item} is what is read and where outputs go; give another folder as --out."
            )
        if not storage.exists(item) and glob.has_magic(item):
            found = [
                pair for pair in storage.matching(item, out) if ending(pair[1]) in SOUND_ENDINGS
            ]
            if not found:
                raise VoiceswapError(f"{item} matches no recording.")
        elif storage.is_folder(item):
            found = [
                (path, name)
                for path, name in storage.walk(item, out)
                if ending(name) in SOUND_ENDINGS or os.path.isdir(path)
            ]
        elif is_manifest(item):
            yield from _manifest_jobs(item, voices, options)
            continue
        else:
            found = [(item, posixpath.basename(item.replace(os.sep, "/")))]
        for path, name in found:
            stem = posixpath.splitext(name)[0]
            yield from _source_jobs(storage.absolute(path), stem, voices, options)


def _is_output_folder(item: str, out: str) -> bool:
    """Whether an input is the output folder, or a glob in it."""
    if storage.is_url(item):
        return False
    folder = item if os.path.exists(item) or not glob.has_magic(item) else os.path.dirname(item)
    return os.path.isdir(folder) and os.path.realpath(folder) == os.path.realpath(out)


def _source_jobs(
    source: str,
    stem: str,
    voices: Mapping[str, ReferencePaths],
    options: BatchOptions,
    place: str = "",
) -> Iterator[Job]:
    """The jobs of one source, one for each voice; outputs are called `stem`, with their ending."""
    if not voices:
        raise VoiceswapError(
            "Give at least one --target, or a manifest with a target on every line."
        )
    try:
        signature, error = storage.signature(source), None
        if os.path.isdir(source):  # only `storage.walk` yields a folder: one that can't be listed
            error = f"{source} can't be listed."
    except VoiceswapError as problem:
        signature, error = storage.FileSignature(0, ""), f"{place}{problem}"
    for voice, references in voices.items():
        output = f"{stem}.{options.format or output_ending(source)}"
        output = f"{voice}/{output}" if len(voices) > 1 else output
        yield Job(source, signature, references, output, options, error, place)


def _problem(reference: str) -> str:
    """Why a reference is not to be found, or nothing."""
    try:
        storage.signature(reference)
    except VoiceswapError as error:
        return str(error)
    return ""


def _manifest_jobs(
    path: str, voices: Mapping[str, ReferencePaths], options: BatchOptions
) -> Iterator[Job]:
    """The jobs of a manifest. A line that can't be used is a job with an error."""
    if storage.is_url(path):
        folder = posixpath.dirname(path)
    else:
        folder = os.getcwd() if storage.is_pipe(path) else os.path.dirname(os.path.abspath(path))
    problems: dict[str, str] = {}  # of references, each of which is looked for once
    # Of source voices, each measured once, or why one can't be.
    pitches: dict[tuple[str, ...], tuple[float, float] | str] = {}
    for number, line in manifest_lines(path):
        source, place = str(line.get("source") or ""), f"{path}, line {number}: "
        output = ""
        try:
            if not source:
                raise VoiceswapError("there is no source.")
            source = _resolve(folder, source)
            line_options = options.changed(
                {name: value for name, value in line.items() if name in OPTION_COLUMNS}
            )
            stem = str(line.get("output") or "")
            if ending(stem) in FORMATS:
                if not line.get("format"):
                    line_options = line_options.changed({"format": ending(stem)})
                stem = posixpath.splitext(stem)[0]
            if not stem:
                stem = posixpath.splitext(posixpath.basename(source.replace(os.sep, "/")))[0]
            output = f"{stem}.{line_options.format or output_ending(source)}"
            if voice := tuple(_targets(line.get("source_voice"))):
                if voice not in pitches:
                    pitches[voice] = _source_pitch([_resolve(folder, item) for item in voice])
                if isinstance(pitch := pitches[voice], str):
                    raise VoiceswapError(pitch)
                line_options = replace(line_options, source_pitch=pitch)
            named = [_resolve(folder, item) for item in _targets(line.get("target"))]
            references = tuple(path for item in named for path in storage.references_in(item))
            for reference in references:
                if reference not in problems:
                    problems[reference] = _problem(reference)
                if problem := problems[reference]:
                    raise VoiceswapError(problem)
            targets = {"": references} if references else voices
            yield from _source_jobs(source, stem, targets, line_options, place)
        except VoiceswapError as error:
            unknown = storage.FileSignature(0, "")
            yield Job(source or path, unknown, (), output, options, f"{place}{error}", place)


def _source_pitch(paths: Sequence[str]) -> tuple[float, float] | str:
    """The pitch of the one who speaks in recordings, or why there is none."""
    from voiceswap.conversion.source_pitch import source_pitch  # with PyTorch, which takes a while

    try:
        return source_pitch(paths)
    except VoiceswapError as error:
        return str(error)


def _targets(value: object) -> list[str]:
    """The references of a manifest's line: a list, or a text with semicolons between them."""
    items = value if isinstance(value, list) else str(value or "").split(";")
    return [str(item).strip() for item in items if str(item).strip()]


def _resolve(folder: str, path: str) -> str:
    """A path in a manifest, which is relative to `folder`."""
    if storage.is_url(path):
        return path
    if storage.is_url(folder):
        return f"{folder}/{path}"
    return os.path.normpath(os.path.join(folder, path))
