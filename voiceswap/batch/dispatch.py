"""The work of a run, as a pool of workers gets it: voices that are shared first, then files."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

from voiceswap.batch.formats import ending
from voiceswap.batch.inputs import ReferencePaths
from voiceswap.batch.progress import BatchProgress, ProgressMeter
from voiceswap.batch.report import Status
from voiceswap.batch.run_state import DiskFullError, RunState
from voiceswap.batch.tasks import (
    ConversionTask,
    ExtractedVoice,
    Failure,
    VoiceTask,
    Work,
    WrittenFile,
)
from voiceswap.batch.worker_pool import WorkerPool

if TYPE_CHECKING:
    from voiceswap.conversion.voice import Voice

BATCH_BYTES = 64 * 2**20  # most bytes of inputs that a worker gets at once: a kill loses so much


def convert_jobs(
    state: RunState,
    todo: list[int],
    pool: WorkerPool,
    batch_size: int,
    parts: Path,
    fail_fast: bool,
    progress: Callable[[BatchProgress], None],
) -> None:
    """Do the jobs numbered `todo`, after extracting once each voice that several of them share."""
    meter = ProgressMeter(state, todo, progress)
    numbers: dict[str, int] = {}  # by part file

    def conversion_task(number: int) -> ConversionTask:
        job = state.jobs[number]
        part = str(parts / f"{number}.{ending(job.output)}")
        numbers[part] = number
        voice = voices.get(job.references, job.references)
        return ConversionTask(job.source, voice, job.options, job.output, part)

    def on_share(work: Work, share: float) -> None:
        meter.update([numbers[cast(ConversionTask, task).part] for task in work], share)

    with pool:
        voices = _extract_shared_voices(state, todo, pool, meter)
        if fail_fast and meter.failed:
            return
        left = [number for number in todo if state.report.rows[number].status is not Status.FAILED]
        batches = _batches(left, [state.jobs[number].signature.size for number in left], batch_size)
        work = (tuple(map(conversion_task, batch)) for batch in batches)
        for finished in pool.run(work, on_share):
            done = [(numbers.pop(cast(ConversionTask, task).part), item) for task, item in finished]
            state.publish(
                [(number, item) for number, item in done if isinstance(item, WrittenFile)]
            )
            for number, item in done:
                if isinstance(item, Failure):
                    if item.disk_full:
                        raise DiskFullError
                    state.fail([number], item.message, item.trace)
            meter.finish(number for number, _ in done)
            if fail_fast and meter.failed:
                return


def _extract_shared_voices(
    state: RunState, todo: Iterable[int], pool: WorkerPool, meter: ProgressMeter
) -> "dict[ReferencePaths, Voice]":
    """The voices that several jobs share, by their references. Jobs of the others are failed."""
    users: dict[ReferencePaths, list[int]] = {}
    for number in todo:
        users.setdefault(state.jobs[number].references, []).append(number)
    shared = ((VoiceTask(references),) for references, jobs in users.items() if len(jobs) > 1)
    voices: dict[ReferencePaths, Voice] = {}
    for extracted in pool.run(shared, lambda work, share: None):
        for task, outcome in extracted:
            assert isinstance(task, VoiceTask)
            if isinstance(outcome, ExtractedVoice):
                voices[task.references] = outcome.voice
                state.report.notes += outcome.notes
            elif isinstance(outcome, Failure):
                state.fail(users[task.references], outcome.message, outcome.trace)
                meter.finish(users[task.references])
    return voices


def _batches(numbers: list[int], sizes: list[int], batch_size: int) -> Iterator[list[int]]:
    """Neighbours together, up to `batch_size` files and BATCH_BYTES; a larger file alone."""
    batch: list[int] = []
    total = 0
    for number, size in zip(numbers, sizes, strict=True):
        if batch and (len(batch) == batch_size or total + size > BATCH_BYTES):
            yield batch
            batch, total = [], 0
        batch.append(number)
        total += size
    if batch:
        yield batch
