"""What a run knows of its files, kept on the disk as it goes."""

import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from voiceswap.batch import storage
from voiceswap.batch.inputs import Job
from voiceswap.batch.journal import Entry, Journal, short_hash
from voiceswap.batch.report import Report, Row, Status
from voiceswap.batch.tasks import Written
from voiceswap.errors import VoiceswapError


class DiskFullError(VoiceswapError):
    """Nothing more can be written, so no other file need be tried."""

    def __init__(self) -> None:
        super().__init__("The disk is full.")


class RunState:
    """The report and the journal of a run, kept together."""

    def __init__(self, jobs: list[Job], out: Path, model: str, overwrite: bool):
        self.jobs, self.out, self.model, self.overwrite = jobs, out, model, overwrite
        self.journal = Journal(out)
        self.report = Report([Row(job.source, job.output) for job in jobs])
        self.signatures: dict[str, list] = {}

    def compare(
        self, to_convert: Status = Status.NOT_REACHED, to_redo: Status = Status.NOT_REACHED
    ) -> list[int]:
        """Set every row by what is there already, and return the numbers of the jobs to do, large files first."""
        todo = []
        for number, (job, row) in enumerate(zip(self.jobs, self.report.rows, strict=True)):
            try:
                if job.error is not None:
                    raise VoiceswapError(job.error)
                for reference in job.references:
                    self._signature(reference)  # one that is not there is this job's error
                entry = self._there(job)
                if entry is not None and entry.key == self.key(job) and not self.overwrite:
                    row.status, row.audio_seconds = Status.ALREADY, entry.audio_seconds
                    continue
                row.status = to_redo if entry is not None else to_convert
                todo.append(number)
            except VoiceswapError as error:
                row.status, row.error = Status.FAILED, str(error)
        todo.sort(
            key=lambda number: -self.jobs[number].signature.size
        )  # a long one at the end would keep one worker alone
        return todo

    def _there(self, job: Job) -> Entry | None:
        path = os.path.join(self.out, job.output)
        if not os.path.lexists(path):
            return None
        if os.path.isdir(path):
            raise VoiceswapError(f"{path} is a folder, so no file can be written there.")
        if (
            os.path.exists(job.source)
            and os.path.exists(path)
            and os.path.samefile(job.source, path)
        ):
            raise VoiceswapError(f"{path} is the input itself; give another --out.")
        entry = self.journal.find(job.output) if os.path.exists(path) else None
        if entry is None and not self.overwrite:
            raise VoiceswapError(
                f"{path} is in the way: no run made it, or it was changed since; --overwrite replaces it."
            )
        return entry

    def key(self, job: Job) -> str:
        """A short hash of all that an output depends on."""
        return short_hash(
            [job.source, job.signature.size, job.signature.modified, self.options(job), self.model]
        )

    def options(self, job: Job) -> str:
        """A short hash of a job's options and references."""
        return short_hash(
            [
                job.options.non_defaults(),
                [self._signature(reference) for reference in job.references],
            ]
        )

    def _signature(self, reference: str) -> list:
        if reference not in self.signatures:
            self.signatures[reference] = [reference, *asdict(storage.signature(reference)).values()]
        return self.signatures[reference]

    def keep_refused(self) -> None:
        """Keep what `compare` found to fail."""
        self._append(
            {"output": row.output, "source": row.source, "error": row.error}
            for row in self.report.failures
        )

    def fail(self, numbers: Iterable[int], sentence: str, trace: str = "") -> None:
        """Keep that jobs failed."""
        rows = []
        for number in numbers:
            row = self.report.rows[number]
            row.status, row.error = Status.FAILED, sentence
            rows.append(
                {**self._facts(number), "error": sentence, **({"trace": trace} if trace else {})}
            )
        self._append(rows)

    def publish(self, finished: list[tuple[int, Written]]) -> None:
        """Give finished parts their names: first the journal says so, then they appear."""
        ready = []
        for number, written in finished:
            path = self.out / self.jobs[number].output
            try:
                if not path.parent.resolve().is_relative_to(self.out.resolve()):
                    raise VoiceswapError(f"{path} lies outside the output folder by a link.")
                path.parent.mkdir(parents=True, exist_ok=True)
                ready.append((number, written, path))
            except (OSError, VoiceswapError) as error:
                self.fail([number], _writing_failed(path, error))
        self._append(
            {
                **self._facts(number),
                "sha256": written.sha256,
                "bytes": written.bytes,
                "written": written.written,
                "audio_seconds": round(written.audio_seconds, 3),
                "seconds": round(written.seconds, 3),
                "key": self.key(self.jobs[number]),
            }
            for number, written, _ in ready
        )
        for number, written, path in ready:
            try:
                os.replace(written.part, path)
            except OSError as error:
                self.fail([number], _writing_failed(path, error))
                continue
            row = self.report.rows[number]
            row.status, row.audio_seconds, row.seconds = (
                Status.CONVERTED,
                written.audio_seconds,
                written.seconds,
            )
        for folder in {path.parent for _, _, path in ready}:
            _sync_folder(folder)

    def _append(self, rows: Iterable[dict]) -> None:
        try:
            self.journal.append(rows)
        except OSError as error:
            if storage.disk_is_full(error):
                raise DiskFullError from error
            raise VoiceswapError(_writing_failed(self.journal.path, error)) from error

    def _facts(self, number: int) -> dict:
        job = self.jobs[number]
        return {
            "output": job.output,
            "source": job.source,
            "size": job.signature.size,
            "modified": job.signature.modified,
            "options": self.options(job),
            "model": self.model,
        }


def _writing_failed(path: Path, error: Exception) -> str:
    return (
        f"{path} can't be written ({error.strerror})." if isinstance(error, OSError) else str(error)
    )


def _sync_folder(folder: Path) -> None:
    """Make new names in a folder last through a loss of power."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
