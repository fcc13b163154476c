"""Workers on a Ray cluster: Ray Data with a pool of actors that hold the model.

Needs the `ray` extra. Only the command's own process writes into the output folder: workers send
back what they wrote. So they need no disk in common for it, and the journal and the report are the
same as without Ray.
"""

import logging
import os
import pickle
import socket
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Self

from voiceswap.batch.tasks import (
    ConversionTask,
    Failure,
    ModelSettings,
    Outcome,
    Task,
    Work,
    WrittenFile,
)
from voiceswap.batch.worker_pool import DIED, Done, WorkShareCallback
from voiceswap.errors import VoiceswapError, needs_extra
from voiceswap.files import flush_to_disk, sha256

CHUNK_BYTES = 64 * 2**20  # of a converted file in one row; Arrow can't hold hours of audio in one
SLICE = 100_000  # items of work that Ray gets at once
BLOCKS = 10_000  # of a slice
COLUMNS = ("item", "task", "offset", "data", "outcome")  # of the rows that workers send back


class RayPool:
    """A WorkerPool on a Ray cluster. Each worker takes one CPU and `gpus` of a GPU.

    Args:
        settings: how workers load the model.
        address: of the cluster; "local" starts one on this machine.
        jobs: most workers at a time; None lets the cluster decide.
        gpus: GPUs that a worker takes; 0.25 puts four on one.
    """

    def __init__(self, settings: ModelSettings, address: str, jobs: int | None, gpus: float):
        self.settings, self.address, self.jobs, self.gpus = settings, address, jobs, gpus

    def __enter__(self) -> Self:
        with needs_extra("--ray", "ray"):
            import ray
            import ray.data
        logging.getLogger("ray.data").setLevel(logging.CRITICAL)
        os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
        self.was_connected = ray.is_initialized()
        if not self.was_connected:
            self._connect()
        # On the command's own node, so that it outlives every worker and ends with the command.
        here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
            ray.get_runtime_context().get_node_id(), soft=False
        )
        attempts = ray.remote(_Attempts).options(num_cpus=0, scheduling_strategy=here)
        self.attempts: Any = attempts.remote()
        return self

    def _connect(self) -> None:
        import ray

        quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
        if self.address == "local":
            quiet |= {"num_cpus": self.jobs, "include_dashboard": False}
        try:
            host, _, port = self.address.removeprefix("ray://").rpartition(":")
            if host:  # Ray itself would wait for ever
                socket.create_connection((host, int(port)), timeout=10).close()
            ray.init(address=self.address, **quiet)
        except (OSError, RuntimeError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise VoiceswapError(f"No Ray cluster answers at {self.address} ({reason}).") from error

    def __exit__(self, *error: object) -> None:
        import ray

        ray.kill(self.attempts)
        if not self.was_connected:
            ray.shutdown()

    def run(self, work: Iterable[Work], on_share: WorkShareCallback) -> Iterator[Done]:
        waiting = iter(work)
        while items := tuple(islice(waiting, SLICE)):
            yield from self._run_slice(items)

    def _run_slice(self, items: tuple[Work, ...]) -> Iterator[Done]:
        import ray

        rows = [{"item": number, "work": pickle.dumps(item)} for number, item in enumerate(items)]
        data = ray.data.from_items(rows, override_num_blocks=min(len(rows), BLOCKS))
        data.context.enable_progress_bars = False
        data.context.target_max_block_size = 1  # every file comes back as soon as it is done
        resources = ray.cluster_resources()
        fitting = resources.get("GPU", 0) / self.gpus if self.gpus else resources.get("CPU", 1)
        most = min(len(items), self.jobs or len(items))
        actors = ray.data.ActorPoolStrategy(
            min_size=1,
            initial_size=max(1, min(most, int(fitting))),
            max_size=most,
            max_tasks_in_flight_per_actor=2,
        )
        results = data.map_batches(
            _RayWorker,
            fn_constructor_args=(self.settings, self.attempts),
            batch_size=1,
            num_cpus=1,
            num_gpus=self.gpus or None,
            compute=actors,
        )
        try:
            for batch in results.iter_batches(
                batch_size=None, prefetch_batches=0, batch_format="numpy"
            ):
                columns = (batch[name] for name in COLUMNS)
                for item, index, offset, chunk, pickled in zip(*columns, strict=True):
                    task = items[item][index]
                    if isinstance(task, ConversionTask) and chunk:
                        _write(Path(task.part), offset, chunk)
                    if pickled:
                        outcome = pickle.loads(pickled)
                        if isinstance(outcome, VoiceswapError):
                            raise outcome
                        yield [(task, _local_outcome(task, outcome))]
        except (ray.exceptions.RayError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:300]
            raise VoiceswapError(f"The Ray cluster failed ({reason}).") from error


class _Attempts:
    """An actor that keeps the names of the work that was begun and not finished."""

    def __init__(self) -> None:
        self.begun: set[object] = set()

    def begin(self, name: object) -> bool:
        """Note that work begins. Returns whether it began before: then a worker died of it."""
        before = name in self.begun
        self.begun.add(name)
        return before

    def end(self, name: object) -> None:
        self.begun.discard(name)


class _RayWorker:
    """An actor of the pool. When it dies, Ray Data starts another and gives it the same work."""

    def __init__(self, settings: ModelSettings, attempts: Any):
        from voiceswap.batch.worker import load_model

        self.attempts = attempts
        self.problem: VoiceswapError | None = None
        try:
            self.swapper = load_model(settings)
        except VoiceswapError as error:  # raised here, Ray would print its traceback
            self.problem = error

    def __call__(self, batch: dict) -> Iterator[dict]:
        item, work = batch["item"][0], pickle.loads(batch["work"][0])
        if self.problem is not None:
            yield _row(item, 0, 0, b"", pickle.dumps(self.problem))
            return
        names = tuple(map(_task_name, work))
        with tempfile.TemporaryDirectory(prefix="voiceswap-") as folder:
            local = tuple(_with_part_in(Path(folder), task) for task in work)
            for index, outcome in enumerate(self._run(local, names)):
                offset, chunk = 0, b""
                if isinstance(outcome, WrittenFile):
                    with open(outcome.part, "rb") as file:
                        while len(chunk := file.read(CHUNK_BYTES)) == CHUNK_BYTES:
                            yield _row(item, index, offset, chunk, b"")
                            offset += CHUNK_BYTES
                yield _row(item, index, offset, chunk, pickle.dumps(outcome))
        self.attempts.end.remote(names)

    def _run(self, work: Work, names: tuple[str, ...]) -> list[Outcome]:
        """Do all the work at once, or, when a worker died of that, each task alone."""
        import ray

        from voiceswap.batch.worker import run_work

        if not ray.get(self.attempts.begin.remote(names)):
            return run_work(self.swapper, work)
        outcomes: list[Outcome] = []
        for name, task in zip(names, work, strict=True):
            if ray.get(self.attempts.begin.remote(name)):
                outcomes.append(Failure(DIED))
                continue
            outcomes += run_work(self.swapper, (task,))
            self.attempts.end.remote(name)
        return outcomes


def _task_name(task: Task) -> str:
    return task.part if isinstance(task, ConversionTask) else repr(task.references)


def _with_part_in(folder: Path, task: Task) -> Task:
    if not isinstance(task, ConversionTask):
        return task
    return replace(task, part=str(folder / Path(task.part).name))


def _row(*values: object) -> dict:
    return {name: [value] for name, value in zip(COLUMNS, values, strict=True)}


def _write(part: Path, offset: int, chunk: bytes) -> None:
    with open(part, "r+b" if part.exists() else "wb") as file:
        file.seek(offset)
        file.write(chunk)


def _local_outcome(task: Task, outcome: Outcome) -> Outcome:
    """The outcome with this machine's part file, whose content is checked."""
    if isinstance(outcome, Failure):
        return replace(outcome, disk_full=False)  # it was the worker's disk
    if not isinstance(outcome, WrittenFile) or not isinstance(task, ConversionTask):
        return outcome
    flush_to_disk(Path(task.part))
    modified = os.stat(task.part).st_mtime_ns
    if sha256(Path(task.part)) != outcome.sha256:
        return Failure(f"{task.output} did not arrive whole from the cluster.")
    return replace(outcome, part=task.part, modified_ns=modified)
