"""The state of a run: its report, and the journal that keeps it on the disk."""

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from voiceswap.batch import storage
from voiceswap.batch.inputs import Job
from voiceswap.batch.journal import Entry, Journal
from voiceswap.batch.report import Report, Row, Status
from voiceswap.batch.tasks import WrittenFile
from voiceswap.errors import VoiceswapError
from voiceswap.files import disk_is_full
from voiceswap.results_log import short_hash


class DiskFullError(VoiceswapError):
    """Nothing more can be written, so the run stops."""

    def __init__(self) -> None:
        super().__init__("The disk is full; make room.")


class RunState:
    """The report and the journal of a run, which always agree.

    Args:
        jobs: the outputs to make; a job's number is its index here.
        out: the output folder.
        model: a short hash of the model.
        overwrite: convert everything again, and replace files that no run wrote.
    """

    def __init__(self, jobs: list[Job], out: Path, model: str, overwrite: bool):
        self.jobs, self.out, self.model, self.overwrite = jobs, out, model, overwrite
        self.journal = Journal(out)
        self.report = Report([Row(job.source, job.output) for job in jobs])
        self.signatures: dict[str, list] = {}

    def compare(
        self, to_convert: Status = Status.NOT_REACHED, to_redo: Status = Status.NOT_REACHED
    ) -> list[int]:
        """Set every row's status by what is in the output folder.

        Args:
            to_convert: status of outputs that are not there.
            to_redo: status of outputs that were made from something else.

        Returns:
            The numbers of the jobs to do, large files first: a long one at the end would keep one
            worker busy alone.
        """
        todo = []
        for number, (job, row) in enumerate(zip(self.jobs, self.report.rows, strict=True)):
            try:
                if job.error is not None:
                    raise VoiceswapError(job.error)
                for reference in job.references:
                    self._signature(reference)  # a missing reference is this job's error
                entry = self._existing_output(job)
                if entry is not None and entry.key == self.key(job) and not self.overwrite:
                    row.status, row.audio_seconds = Status.ALREADY, entry.audio_seconds
                    continue
                row.status = to_redo if entry is not None else to_convert
                todo.append(number)
            except VoiceswapError as error:
                row.status, row.error = Status.FAILED, str(error)
        todo.sort(key=lambda number: -self.jobs[number].signature.size)
        return todo

    def _existing_output(self, job: Job) -> Entry | None:
        """The journal's entry of a job's output; None where there is none to keep.

        Raises:
            VoiceswapError: the path can't be written, or holds a file that no run wrote, or the
                conversion of another source.
        """
        path = os.path.join(self.out, job.output)
        if not os.path.lexists(path):
            return None
        if os.path.isdir(path):
            raise VoiceswapError(f"{path} is a folder, so no file can be written there.")
        both_exist = os.path.exists(job.source) and os.path.exists(path)
        if both_exist and os.path.samefile(job.source, path):
            raise VoiceswapError(f"{path} is the input itself; give another --out.")
        entry = self.journal.find(job.output) if os.path.exists(path) else None
        if entry is None and not self.overwrite:
            raise VoiceswapError(
                f"{path} is in the way: no run wrote it, or it was changed since; "
                "--overwrite replaces it."
            )
        if entry and not self.overwrite and _are_two_files(entry.source, job.source):
            raise VoiceswapError(
                f"{path} is the conversion of {entry.source}; give another --out, or --overwrite "
                "replaces it."
            )
        return entry

    def key(self, job: Job) -> str:
        """A short hash of everything that an output depends on."""
        signature = job.signature
        return short_hash(
            [job.source, signature.size, signature.modified, self.options_hash(job), self.model]
        )

    def options_hash(self, job: Job) -> str:
        """A short hash of a job's options and references."""
        references = [self._signature(reference) for reference in job.references]
        return short_hash([job.options.non_defaults(), references])

    def _signature(self, reference: str) -> list:
        if reference not in self.signatures:
            self.signatures[reference] = [reference, *asdict(storage.signature(reference)).values()]
        return self.signatures[reference]

    def log_refused(self) -> None:
        """Add the failures that `compare` found to the journal."""
        self._append(
            {"output": row.output, "source": row.source, "error": row.error}
            for row in self.report.failures
        )

    def fail(self, numbers: Iterable[int], message: str, trace: str = "") -> None:
        """Set jobs to failed, in the report and in the journal."""
        rows = []
        for number in numbers:
            row = self.report.rows[number]
            row.status, row.error = Status.FAILED, message
            error = {"error": message, "trace": trace} if trace else {"error": message}
            rows.append(self._job_columns(number) | error)
        self._append(rows)

    def publish(self, finished: list[tuple[int, WrittenFile]]) -> None:
        """Move finished part files to their outputs' paths, after the journal has their lines.

        An output whose place was taken during the run is failed, as one whose place was before.
        """
        ready = []
        for number, written in finished:
            path = self.out / self.jobs[number].output
            try:
                if not path.parent.resolve().is_relative_to(self.out.resolve()):
                    raise VoiceswapError(f"{path} lies outside the output folder by a link.")
                path.parent.mkdir(parents=True, exist_ok=True)
                ready.append((number, written, path))
            except (OSError, VoiceswapError) as error:
                self.fail([number], _message(path, error))
        self._append(
            {
                **self._job_columns(number),
                "sha256": written.sha256,
                "bytes": written.bytes,
                "written": written.modified_ns,
                "audio_seconds": round(written.audio_seconds, 3),
                "seconds": round(written.seconds, 3),
                "key": self.key(self.jobs[number]),
            }
            for number, written, _ in ready
        )
        for number, written, path in ready:
            try:
                self._existing_output(self.jobs[number])  # may have changed since the run began
                os.replace(written.part, path)
            except (OSError, VoiceswapError) as error:
                self.fail([number], _message(path, error))
                continue
            row = self.report.rows[number]
            row.status = Status.CONVERTED
            row.audio_seconds, row.seconds = written.audio_seconds, written.seconds
            row.notes = written.notes
        for folder in {path.parent for _, _, path in ready}:
            _sync_folder(folder)

    def _append(self, rows: Iterable[dict]) -> None:
        try:
            self.journal.log.append(rows)
        except OSError as error:
            if disk_is_full(error):
                raise DiskFullError from error
            raise VoiceswapError(_message(self.journal.log.path, error)) from error

    def _job_columns(self, number: int) -> dict:
        job = self.jobs[number]
        return {
            "output": job.output,
            "source": job.source,
            "size": job.signature.size,
            "modified": job.signature.modified,
            "options": self.options_hash(job),
            "model": self.model,
        }


def _message(path: Path, error: OSError | VoiceswapError) -> str:
    """The sentence of an error, or, of the system's, one on the path that can't be written."""
    if isinstance(error, OSError):
        return f"{path} can't be written ({error.strerror})."
    return str(error)


def _sync_folder(folder: Path) -> None:
    """Make new names in a folder survive a loss of power."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a share may flush no folders
            os.fsync(handle)
    finally:
        os.close(handle)


def _are_two_files(one: str, other: str) -> bool:
    if storage.is_url(one) or storage.is_url(other):
        return one != other
    return os.path.exists(one) and os.path.exists(other) and not os.path.samefile(one, other)
