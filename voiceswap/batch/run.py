"""A whole batch run: plan the jobs, lock the output folder, convert, report."""

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from voiceswap.audio_io.recording_files import name_of
from voiceswap.batch import storage
from voiceswap.batch.capacity import default_batch_size, default_jobs
from voiceswap.batch.dispatch import convert_jobs
from voiceswap.batch.inputs import ReferencePaths, collect
from voiceswap.batch.lock import only_run
from voiceswap.batch.names import name_outputs
from voiceswap.batch.options import BatchOptions
from voiceswap.batch.progress import BatchProgress
from voiceswap.batch.report import Report, Status, require_own_report
from voiceswap.batch.run_state import RunState
from voiceswap.batch.tasks import ModelSettings
from voiceswap.batch.worker_pool import InProcessPool, ProcessPool, WorkerPool
from voiceswap.errors import VoiceswapError
from voiceswap.files import sha256
from voiceswap.models.checkpoint_header import checkpoint_path, read_metadata

if TYPE_CHECKING:
    from voiceswap import VoiceSwapper

Paths = str | os.PathLike | Sequence[str | os.PathLike]


def convert_folder(
    inputs: Paths,
    targets: Paths | Sequence[Paths],
    out: str | os.PathLike,
    options: BatchOptions | None = None,
    *,
    checkpoint: str | os.PathLike = "default",
    device: str = "auto",
    precision: str = "auto",
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
    """Convert files, folders, globs and manifests to the voice of every target.

    What an earlier run finished in `out` is kept. Processes are spawned, so a script that calls
    this needs `if __name__ == "__main__":` around the call.

    Args:
        inputs: a path, glob or URL, or several.
        targets: one path, or a sequence with one item for each voice: a recording, a saved voice,
            a folder of recordings, or a sequence of these to average. With several targets, each
            has a folder in `out`, named after its first file or folder.
        out: folder for the outputs, the journal and report.csv.
        options: how files are converted and written; a manifest's line may change them.
        checkpoint: a model file, or "default" for the one in the package.
        device: "auto", "cpu", "cuda", "cuda:1" or "mps".
        precision: "auto" or "fp32", as `VoiceSwapper.load` has it.
        jobs: number of processes; None is as many as there are cores and memory for; see
            `default_jobs`.
        batch_size: files that a worker converts at once, padded to one length; None is 1 on a CPU,
            16 on other devices, and with a `swapper` its own.
        overwrite: convert again what is done, and replace files that no run wrote.
        fail_fast: stop at the first file that can't be converted.
        dry_run: only report what would be done.
        swapper: a loaded model; it does the work in this process, with its own device, precision
            and batch size.
        ray: a Ray cluster that does the work: its address, or "local".
        ray_gpus: GPUs that each Ray worker takes.
        progress: called now and then. An exception of it ends the run as Ctrl-C does, and keeps
            what is done.

    Returns:
        A report with a row for every file, those that could not be converted included.

    Raises:
        VoiceswapError: nothing can be converted at all.
    """
    others = (checkpoint, device, precision, jobs, batch_size, ray)
    if swapper and others != ("default", "auto", "auto", None, None, None):
        raise VoiceswapError(
            "A loaded model converts in this process as it was loaded: leave out checkpoint, "
            "device, precision, jobs, batch_size and ray."
        )
    out = Path(out)
    several = [targets] if isinstance(targets, (str, os.PathLike)) else targets
    voices = _name_voices([_paths(target) for target in several])
    planned = name_outputs(collect(_paths(inputs), voices, str(out), options or BatchOptions()))
    if not planned:
        raise VoiceswapError("There is no audio file in what was given.")
    if not overwrite:
        require_own_report(out)
    model = _loaded_model_hash(swapper) if swapper else _model_file_hash(checkpoint, precision)
    if dry_run:
        state = RunState(planned, out, model, overwrite)
        state.compare(to_convert=Status.TO_CONVERT, to_redo=Status.TO_REDO)
        return state.report
    cancelled: list[Exception] = []  # what `progress` raised

    def shown(done: BatchProgress) -> None:
        try:
            progress(done)
        except Exception as error:
            cancelled.append(error)
            raise

    with only_run(out) as parts:
        # Read now: another run may have ended while this one waited for the lock.
        state = RunState(planned, out, model, overwrite)
        start = time.monotonic()
        try:
            todo = state.compare()
            state.log_refused()
            if todo:
                settings = ModelSettings(str(checkpoint), device, batch_size, precision)
                pool, size = _worker_pool(settings, jobs, len(todo), swapper, ray, ray_gpus)
                convert_jobs(state, todo, pool, size, parts, fail_fast, shown)
        except VoiceswapError as error:  # of the disk, a worker's memory or a cluster
            if error in cancelled or not state.report.counts()[Status.CONVERTED]:
                raise
            state.report.stopped = str(error)
        finally:
            shutil.rmtree(parts, ignore_errors=True)  # makes room for the report
            state.report.seconds = time.monotonic() - start
            _write_report(state.report, out)
    return state.report


def _write_report(report: Report, out: Path) -> None:
    """Write report.csv. What was converted is there without it, as where the disk is full."""
    try:
        report.write(out)
    except VoiceswapError as error:
        if not report.counts()[Status.CONVERTED]:
            raise
        report.stopped = report.stopped or str(error)


def _paths(paths: Paths) -> list[str]:
    if isinstance(paths, (str, os.PathLike)):
        return [os.fspath(paths)]
    return [os.fspath(path) for path in paths]


def _name_voices(targets: Sequence[Sequence[str]]) -> dict[str, ReferencePaths]:
    """Each target's references by the name of the first file or folder.

    Raises VoiceswapError if one is missing.
    """
    voices: dict[str, ReferencePaths] = {}
    for given in targets:
        if not given:
            raise VoiceswapError("A target holds no recording; give at least one for each target.")
        references = [path for reference in given for path in storage.references_in(reference)]
        for reference in references:
            if storage.is_pipe(reference):
                raise VoiceswapError(
                    f"{reference} is a pipe, which several processes can't read; give a file."
                )
            storage.signature(reference)
        stem = name_of(Path(given[0]))
        name, number = stem, 1
        while name in voices:
            number += 1
            name = f"{stem}-{number}"
        voices[name] = tuple(map(storage.absolute, references))
    return voices


def _model_file_hash(checkpoint: str | os.PathLike, precision: str) -> str:
    read_metadata(checkpoint)  # what is no model is told before processes load it
    own = sha256(checkpoint_path(checkpoint))[:16]
    return own if precision == "auto" else f"{own}-{precision}"


def _loaded_model_hash(swapper: "VoiceSwapper") -> str:
    """A short hash of all parts of a model and of its precision."""
    engine = swapper.engine
    settings = [swapper.fingerprint, engine.usual_log_variance, engine.precision]
    digest = hashlib.sha256(repr(settings).encode())
    adapter, denoiser = engine.front_end_adapter, engine.denoiser
    for network in (engine.vocoder, engine.streaming, adapter, denoiser):
        for name, tensor in network.state_dict().items() if network else ():
            digest.update(name.encode() + tensor.cpu().float().numpy().tobytes())
    return digest.hexdigest()[:16]


def _worker_pool(
    settings: ModelSettings,
    jobs: int | None,
    files: int,
    swapper: "VoiceSwapper | None",
    ray: str | None,
    ray_gpus: float,
) -> tuple[WorkerPool, int]:
    """The pool for so many files, and how many of them a worker gets at once."""
    if swapper is not None:
        return InProcessPool(swapper), swapper.engine.batch_size
    size = settings.batch_size or default_batch_size(settings.device, ray, ray_gpus)
    if ray is not None:
        from voiceswap.batch.ray_pool import RayPool

        return RayPool(settings, ray, jobs, ray_gpus), size
    batches = -(-files // size)
    return ProcessPool(settings, min(jobs or default_jobs(settings.device), batches)), size
