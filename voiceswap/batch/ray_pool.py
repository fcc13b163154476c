"""Work done by a Ray cluster: Ray Data with a pool of actors that hold the model. Needs the `ray` extra.

Only the command's own process writes into the output folder: workers send back what they wrote, so that they need no
disk in common for it, and the journal and the report are the same as without Ray.
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

from voiceswap.batch.tasks import Conversion, Failure, Outcome, Piece, Work, Written
from voiceswap.batch.worker_pool import DIED, Done, ModelSettings, ShareCallback
from voiceswap.errors import VoiceswapError
from voiceswap.files import sha256

CHUNK = (
    64 * 2**20
)  # bytes of a converted file in one row: a row of hours of audio would be more than Arrow takes
SLICE = 100_000  # batches of files that Ray is told of at once
BLOCKS = 10_000  # of a slice
COLUMNS = ("number", "piece", "offset", "data", "outcome")  # of what workers send back


class RayPool:
    """WorkerPool of the cluster at `address`, or of one that is started here for "local".

    Each takes a CPU, and `gpus` of a GPU. `jobs` is the most of them; None leaves that to the cluster.
    """

    def __init__(self, settings: ModelSettings, address: str, jobs: int | None, gpus: float):
        self.settings, self.address, self.jobs, self.gpus = settings, address, jobs, gpus

    def __enter__(self) -> Self:
        try:
            import ray
            import ray.data
        except ModuleNotFoundError as error:
            raise VoiceswapError(
                f"--ray needs {error.name}; install it with: pip install 'voiceswap[ray]'."
            ) from error
        logging.getLogger("ray.data").setLevel(logging.CRITICAL)
        os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
        self.guest = ray.is_initialized()
        if not self.guest:
            quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
            if self.address == "local":
                quiet |= {"num_cpus": self.jobs, "include_dashboard": False}
            try:
                host, _, port = self.address.removeprefix("ray://").rpartition(":")
                if host:
                    socket.create_connection(
                        (host, int(port)), timeout=10
                    ).close()  # Ray itself would wait for ever
                ray.init(address=self.address, **quiet)
            except (OSError, RuntimeError, ValueError) as error:
                raise VoiceswapError(
                    f"No Ray cluster answers at {self.address} ({' '.join(str(error).split())})."
                ) from error
        # Where the command is: it has to outlive every worker, and ends with the command.
        here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
            ray.get_runtime_context().get_node_id(), soft=False
        )
        self.attempts: Any = (
            ray.remote(_Attempts).options(num_cpus=0, scheduling_strategy=here).remote()
        )
        return self

    def __exit__(self, *error: object) -> None:
        import ray

        ray.kill(self.attempts)
        if not self.guest:
            ray.shutdown()

    def run(self, work: Iterable[Work], on_share: ShareCallback) -> Iterator[Done]:
        waiting = iter(work)
        while items := tuple(islice(waiting, SLICE)):
            yield from self._run(items)

    def _run(self, items: tuple[Work, ...]) -> Iterator[Done]:
        import ray

        rows = [{"number": number, "work": pickle.dumps(item)} for number, item in enumerate(items)]
        data = ray.data.from_items(rows, override_num_blocks=min(len(rows), BLOCKS))
        data.context.enable_progress_bars = False
        data.context.target_max_block_size = 1  # every file is told of as soon as it is done
        fitting = (
            ray.cluster_resources().get("GPU", 0) / self.gpus
            if self.gpus
            else ray.cluster_resources().get("CPU", 1)
        )
        most = min(len(items), self.jobs or len(items))
        done = data.map_batches(
            _RayWorker,
            fn_constructor_args=(self.settings, self.attempts),
            batch_size=1,
            num_cpus=1,
            num_gpus=self.gpus or None,
            compute=ray.data.ActorPoolStrategy(
                min_size=1,
                initial_size=max(1, min(most, int(fitting))),
                max_size=most,
                max_tasks_in_flight_per_actor=2,
            ),
        )
        try:
            for batch in done.iter_batches(
                batch_size=None, prefetch_batches=0, batch_format="numpy"
            ):
                for number, piece, offset, chunk, outcome in zip(
                    *(batch[name] for name in COLUMNS), strict=True
                ):
                    item = items[number][piece]
                    if isinstance(item, Conversion) and chunk:
                        _write(Path(item.part), offset, chunk)
                    if outcome:
                        outcome = pickle.loads(outcome)
                        if isinstance(outcome, VoiceswapError):
                            raise outcome
                        yield [(item, _arrived(item, outcome))]
        except (ray.exceptions.RayError, RuntimeError) as error:
            raise VoiceswapError(
                f"The Ray cluster failed ({' '.join(str(error).split())[:300]})."
            ) from error


class _Attempts:
    """Remembers what workers began with and did not come to the end of."""

    def __init__(self) -> None:
        self.begun: set[object] = set()

    def begin(self, name: object) -> bool:
        """Whether a worker died of it, or is at it."""
        before = name in self.begun
        self.begun.add(name)
        return before

    def end(self, name: object) -> None:
        self.begun.discard(name)


class _RayWorker:
    """An actor of the pool. Ray Data starts another when it dies, and gives it the same work again."""

    def __init__(self, settings: ModelSettings, attempts: Any):
        from voiceswap.batch.worker import Worker

        self.attempts = attempts
        self.problem: VoiceswapError | None = None
        try:
            self.converter = Worker(*settings)
        except VoiceswapError as error:  # raised here, Ray would show its trace
            self.problem = error

    def __call__(self, batch: dict) -> Iterator[dict]:
        number, work = batch["number"][0], pickle.loads(batch["work"][0])
        if self.problem is not None:
            yield _row(number, 0, 0, b"", pickle.dumps(self.problem))
            return
        names = tuple(
            piece.part if isinstance(piece, Conversion) else repr(piece.references)
            for piece in work
        )
        with tempfile.TemporaryDirectory(prefix="voiceswap-") as folder:
            here = tuple(
                replace(piece, part=str(Path(folder) / Path(piece.part).name))
                if isinstance(piece, Conversion)
                else piece
                for piece in work
            )
            for piece, outcome in enumerate(self._do(here, names)):
                offset, chunk = 0, b""
                if isinstance(outcome, Written):
                    with open(outcome.part, "rb") as file:
                        while len(chunk := file.read(CHUNK)) == CHUNK:
                            yield _row(number, piece, offset, chunk, b"")
                            offset += CHUNK
                yield _row(number, piece, offset, chunk, pickle.dumps(outcome))
        self.attempts.end.remote(names)

    def _do(self, work: Work, names: tuple[str, ...]) -> list[Outcome]:
        """All of the work at once, or, where a worker died of that, each piece by itself."""
        import ray

        if not ray.get(self.attempts.begin.remote(names)):
            return self.converter.do(work)
        outcomes: list[Outcome] = []
        for name, piece in zip(names, work, strict=True):
            if ray.get(self.attempts.begin.remote(name)):
                outcomes.append(Failure(DIED))
                continue
            outcomes += self.converter.do((piece,))
            self.attempts.end.remote(name)
        return outcomes


def _row(*values: object) -> dict:
    return {name: [value] for name, value in zip(COLUMNS, values, strict=True)}


def _write(part: Path, offset: int, chunk: bytes) -> None:
    with open(part, "r+b" if part.exists() else "wb") as file:
        file.seek(offset)
        file.write(chunk)


def _arrived(item: Piece, outcome: Outcome) -> Outcome:
    """The outcome as it is on this machine."""
    if not isinstance(outcome, Written) or not isinstance(item, Conversion):
        return (
            replace(outcome, disk_full=False) if isinstance(outcome, Failure) else outcome
        )  # it was the worker's disk
    with open(item.part, "rb") as file:
        os.fsync(file.fileno())
    facts = os.stat(item.part)
    if sha256(Path(item.part)) != outcome.sha256:
        return Failure(f"{item.output} did not come whole from the cluster.")
    return replace(outcome, part=item.part, written=facts.st_mtime_ns)
