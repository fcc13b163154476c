"""A whole batch run: plan, lock, convert, keep state."""

import hashlib
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, cast

from voiceswap import weights
from voiceswap.batch import storage
from voiceswap.batch.formats import ending
from voiceswap.batch.inputs import ReferencePaths, collect
from voiceswap.batch.lock import only_run
from voiceswap.batch.names import name_outputs
from voiceswap.batch.options import BatchOptions
from voiceswap.batch.progress import BatchProgress, Meter
from voiceswap.batch.report import Report, Status
from voiceswap.batch.run_state import DiskFullError, RunState
from voiceswap.batch.tasks import Conversion, Failure, VoiceExtraction, Work, Written
from voiceswap.batch.worker_pool import InProcessPool, ModelSettings, ProcessPool, WorkerPool
from voiceswap.conversion.voice import Voice
from voiceswap.errors import CheckpointError, VoiceswapError
from voiceswap.files import sha256

if TYPE_CHECKING:
    from voiceswap import VoiceSwapper

Paths = str | os.PathLike | Sequence[str | os.PathLike]
BATCH_BYTES = 64 * 2**20  # of the inputs that a worker gets at once: so much a kill may undo
MEMORY_OF_A_WORKER = 2 * 2**30  # bytes; long recordings are converted in windows


def convert_folder(
    inputs: Paths,
    targets: Sequence[Paths],
    out: str | os.PathLike,
    options: BatchOptions | None = None,
    *,
    checkpoint: str | os.PathLike = "default",
    device: str = "auto",
    jobs: int | None = None,
    batch_size: int | None = None,
    overwrite: bool = False,
    fail_fast: bool = False,
    dry_run: bool = False,
    swapper: "VoiceSwapper | None" = None,
    ray: str | None = None,
    ray_gpus: float = 0.0,
    progress: Callable[[BatchProgress], None] = lambda progress: None,
) -> Report:
    """Convert files, folders, globs and manifests to every voice of `targets`, and go on where an earlier run stopped.

    Each target is one voice: a recording, a saved voice, or a sequence of them to average. With several, each has a
    folder in `out` called after its first file. `jobs` processes do the work (None: as many as this machine bears), or
    with a `swapper` that is loaded this process alone, or with `ray` a cluster ("local", or an address) whose workers
    take `ray_gpus` of a GPU each. A worker converts `batch_size` files at once (None: 1 on a CPU, 16 elsewhere, or as
    the `swapper` has it), padded to one length. `progress` is called now and then; what it raises ends the run as Ctrl-C does, with
    what is done kept. A file that can't be converted is a row of the report; VoiceswapError is raised when nothing can
    be converted at all.

    ProcessPool are spawned: a script that calls this needs `if __name__ == "__main__":` around the call.
    """
    out = Path(out)
    voices = _name_voices([_paths(target) for target in targets])
    planned = name_outputs(collect(_paths(inputs), voices, str(out), options or BatchOptions()))
    if not planned:
        raise VoiceswapError("There is no audio file in what was given.")
    model = _loaded_model(swapper) if swapper else _model(checkpoint)
    if dry_run:
        state = RunState(planned, out, model, overwrite)
        state.compare(to_convert=Status.TO_CONVERT, to_redo=Status.TO_REDO)
        return state.report
    with only_run(out) as parts:
        state = RunState(
            planned, out, model, overwrite
        )  # anew: another run may have ended in between
        start = time.monotonic()
        try:
            todo = state.compare()
            state.keep_refused()
            if todo:
                together = (
                    swapper.engine.batch_size
                    if swapper
                    else batch_size or _default_batch_size(device, ray, ray_gpus)
                )
                settings = ModelSettings(str(checkpoint), device, batch_size)
                workers = _workers(
                    settings, jobs, -(-len(todo) // together), swapper, ray, ray_gpus
                )
                _convert(state, todo, workers, together, parts, fail_fast, progress)
        except (
            VoiceswapError
        ) as error:  # not of a file, but of the disk, a worker's memory or a cluster
            if not state.report.counts()[Status.CONVERTED]:
                raise
            state.report.stopped = (
                f"{error} What is done is kept; run the same command again to go on."
            )
        finally:
            shutil.rmtree(parts, ignore_errors=True)  # makes room for the report
            state.report.seconds = time.monotonic() - start
            state.report.write(out)
    return state.report


def _convert(
    state: RunState,
    todo: list[int],
    workers: WorkerPool,
    batch_size: int,
    parts: Path,
    fail_fast: bool,
    progress: Callable[[BatchProgress], None],
) -> None:
    """Do the jobs numbered `todo`: first the voices that several of them share, so that each is heard once."""
    uses = Counter(state.jobs[number].references for number in todo)
    voices: dict[ReferencePaths, Voice] = {}
    numbers: dict[str, int] = {}
    meter = Meter(state, todo, progress)

    def conversion(number: int) -> Conversion:
        job = state.jobs[number]
        part = str(parts / f"{number}.{ending(job.output)}")
        numbers[part] = number
        return Conversion(
            job.source, voices.get(job.references, job.references), job.options, job.output, part
        )

    def on_share(work: Work, share: float) -> None:
        meter.move([numbers[cast(Conversion, piece).part] for piece in work], share)

    with workers:
        shared = ((VoiceExtraction(references),) for references, times in uses.items() if times > 1)
        for heard in workers.run(shared, lambda work, share: None):
            for piece, outcome in heard:
                assert isinstance(piece, VoiceExtraction)
                if isinstance(outcome, Voice):
                    voices[piece.references] = outcome
                elif isinstance(outcome, Failure):
                    users = [
                        number
                        for number in todo
                        if state.jobs[number].references == piece.references
                    ]
                    state.fail(users, outcome.sentence, outcome.trace)
                    meter.finish(users)
        if fail_fast and meter.failed:
            return
        left = [number for number in todo if state.report.rows[number].status is not Status.FAILED]
        batches = _batches(left, [state.jobs[number].signature.size for number in left], batch_size)
        for finished in workers.run((tuple(map(conversion, batch)) for batch in batches), on_share):
            done = [
                (numbers.pop(cast(Conversion, piece).part), outcome) for piece, outcome in finished
            ]
            state.publish(
                [(number, outcome) for number, outcome in done if isinstance(outcome, Written)]
            )
            for number, outcome in done:
                if isinstance(outcome, Failure):
                    if outcome.disk_full:
                        raise DiskFullError
                    state.fail([number], outcome.sentence, outcome.trace)
            meter.finish(number for number, _ in done)
            if fail_fast and meter.failed:
                return


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


def _paths(given: Paths) -> list[str]:
    return (
        [os.fspath(given)]
        if isinstance(given, (str, os.PathLike))
        else [os.fspath(path) for path in given]
    )


def _name_voices(targets: Sequence[Sequence[str]]) -> dict[str, ReferencePaths]:
    """Each target's references by its first one's stem. Raises VoiceswapError when one is not there."""
    voices: dict[str, ReferencePaths] = {}
    for references in targets:
        for reference in references:
            storage.signature(reference)
        stem = PurePosixPath(references[0].replace(os.sep, "/")).stem
        name, number = stem, 1
        while name in voices:
            number += 1
            name = f"{stem}-{number}"
        voices[name] = tuple(map(storage.absolute, references))
    return voices


def _model(checkpoint: str | os.PathLike) -> str:
    """A short hash of a model file."""
    path = (
        weights.FOLDER / "default.safetensors" if str(checkpoint) == "default" else Path(checkpoint)
    )
    if not path.is_file():
        raise CheckpointError(f"There is no checkpoint {path}.")
    return sha256(path)[:16]


def _loaded_model(swapper: "VoiceSwapper") -> str:
    """A short hash of a model that is loaded."""
    digest = hashlib.sha256(swapper.fingerprint.encode())
    for tensor in swapper.engine.vocoder.state_dict().values() if swapper.engine.vocoder else ():
        digest.update(tensor.cpu().numpy().tobytes())
    return digest.hexdigest()[:16]


def _workers(
    settings: ModelSettings,
    jobs: int | None,
    batches: int,
    swapper: "VoiceSwapper | None",
    ray: str | None,
    ray_gpus: float,
) -> WorkerPool:
    if swapper is not None:
        return InProcessPool(swapper)
    if ray is not None:
        from voiceswap.batch.ray_pool import RayPool

        return RayPool(settings, ray, jobs, ray_gpus)
    return ProcessPool(settings, min(jobs or _default_jobs(settings.device), batches))


def _default_jobs(device: str) -> int:
    """As many processes as there are cores and memory for; a GPU is kept busy by four."""
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    memory = (
        os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        if hasattr(os, "sysconf")
        else cores * MEMORY_OF_A_WORKER
    )
    return max(1, min(cores, memory // MEMORY_OF_A_WORKER, cores if _on_cpu(device) else 4))


def _default_batch_size(device: str, ray: str | None, ray_gpus: float) -> int:
    from voiceswap.conversion.engine import usual_batch_size

    on_cpu = device == "cpu" or (not ray_gpus if ray is not None else _on_cpu(device))
    return usual_batch_size("cpu" if on_cpu else "gpu")


def _on_cpu(device: str) -> bool:
    import torch

    return device == "cpu" or (
        device == "auto" and not torch.cuda.is_available() and not torch.backends.mps.is_available()
    )
