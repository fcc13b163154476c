"""Who does the work: processes that hold the model, or this process itself."""

import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self, cast

from voiceswap.batch.tasks import Failure, Outcome, Piece, Work
from voiceswap.errors import VoiceswapError

if TYPE_CHECKING:
    from voiceswap import VoiceSwapper

Done = list[tuple[Piece, Outcome]]
ShareCallback = Callable[
    [Work, float], None
]  # is told of the share done of a piece of work, now and then
DIED = "The process that converted it died twice: memory ran out, or a library crashed on it."


class ModelSettings(NamedTuple):
    """With what a worker loads its model: see `VoiceSwapper.load`."""

    checkpoint: str
    device: str
    batch_size: int | None


class WorkerPool(Protocol):
    """Some way to do much work. A worker that dies is replaced, and each piece of its work done once more, by itself."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...

    def run(self, work: Iterable[Work], on_share: ShareCallback) -> Iterator[Done]:
        """Do all of `work`; give what is done as it comes, in any order."""


class InProcessPool:
    """A model that is loaded, in the calling process: for a page or a notebook that holds one."""

    def __init__(self, swapper: "VoiceSwapper"):
        self.swapper = swapper

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def run(self, work: Iterable[Work], on_share: ShareCallback) -> Iterator[Done]:
        from voiceswap.batch.worker import do

        for item in work:
            yield list(zip(item, do(self.swapper, item, partial(on_share, item)), strict=True))


class ProcessPool:
    """`jobs` processes on this machine, each with the model and a pipe of its own, so that one's death is its own affair."""

    def __init__(self, settings: ModelSettings, jobs: int):
        self.settings, self.jobs = settings, jobs
        self.alive: list[_WorkerProcess] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for process in self.alive:
            process.end()
        self.alive.clear()

    def run(self, work: Iterable[Work], on_share: ShareCallback) -> Iterator[Done]:
        fresh, again, more = iter(work), deque[Work](), True
        while True:
            while len(self.alive) < self.jobs:
                self.alive.append(_WorkerProcess(self.settings))
            for process in self.alive:
                if process.ready and process.work is None and (again or more):
                    retry = bool(again)
                    item = again.popleft() if again else next(fresh, None)
                    if item is None:
                        more = False
                    else:
                        process.give(item, retry)
            if not more and not again and all(process.work is None for process in self.alive):
                return
            done: Done = []
            waited = {
                process.connection: process
                for process in self.alive
                if process.work is not None or not process.ready
            }
            for connection in wait(list(waited)):
                process = waited[cast(Connection, connection)]
                try:
                    message = pickle.loads(process.connection.recv_bytes())
                except (EOFError, OSError):
                    self.alive.remove(process)
                    item = process.died()
                    if process.retry:
                        done += [(piece, Failure(DIED)) for piece in item]
                    else:
                        again.extend(
                            (piece,) for piece in item
                        )  # only each alone tells whose fault it was
                    continue
                if isinstance(message, VoiceswapError):
                    raise message
                if message is None:
                    process.ready = True
                    continue
                assert process.work is not None
                if isinstance(message, float):
                    on_share(process.work, message)
                else:
                    done += zip(process.work, message, strict=True)
                    process.work = None
            if done:
                yield done


class _WorkerProcess:
    """One worker process, seen from the one that gives out the work."""

    def __init__(self, settings: ModelSettings):
        context = multiprocessing.get_context(
            "spawn"
        )  # a fork would share the lock, and CUDA does not survive one
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, settings), daemon=True)
        with _ctrl_c_held():
            self.process.start()
        theirs.close()  # so that its death is the end of the pipe
        self.ready = False
        self.work: Work | None = None
        self.retry = False

    def give(self, work: Work, retry: bool) -> None:
        self.work, self.retry = work, retry
        with suppress(OSError):  # a dead one's, which reading will tell
            _send(self.connection, work)

    def died(self) -> Work:
        """What it was at. Raises VoiceswapError when it never got so far."""
        self.process.join()
        self.connection.close()
        if self.work is None:
            raise VoiceswapError(
                f"A worker process died while it loaded the model (status {self.process.exitcode}); is there memory for so many --jobs?"
            )
        return self.work

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()


@contextmanager
def _ctrl_c_held() -> Iterator[None]:
    """This process hears Ctrl-C afterwards, and processes started meanwhile never.

    In one that still loads Python, or waits to be told what to do, it would be a trace on the terminal.
    """
    resource_tracker.ensure_running()  # its start, which would come with the first process's, lets Ctrl-C through
    pressed: list[int] = []
    hears = (
        threading.current_thread() is threading.main_thread()
    )  # another may not set handlers, nor is it interrupted
    usual = (
        signal.signal(signal.SIGINT, lambda number, frame: pressed.append(number))
        if hears
        else None
    )
    blocks = hasattr(
        signal, "pthread_sigmask"
    )  # what this thread blocks, a process that it starts is born with
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if blocks else set()
    try:
        yield
    finally:
        if blocks:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if hears:
            signal.signal(signal.SIGINT, usual)
    if pressed:
        signal.raise_signal(signal.SIGINT)


def _serve(connection: Connection, settings: ModelSettings) -> None:
    """A worker process's life: load the model, then do what comes through the pipe."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C is the parent's; where it can't be held, from here on
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        from voiceswap.batch.worker import Worker

        worker = Worker(*settings)
    except VoiceswapError as error:
        _send(connection, error)
        return
    _send(connection, None)
    last = 0.0

    def share(done: float) -> None:
        nonlocal last
        if time.monotonic() - last > 0.5:
            last = time.monotonic()
            _send(connection, float(done))

    while True:
        try:
            work = pickle.loads(connection.recv_bytes())
        except EOFError:
            return
        _send(connection, worker.do(work, share))


def _send(connection: Connection, message: object) -> None:
    # Pickled here: torch would send a tensor as a file descriptor, which dies with its process.
    connection.send_bytes(pickle.dumps(message))


def _end_with_parent() -> None:
    """Without it, the workers of a parent that is killed would go on."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)
