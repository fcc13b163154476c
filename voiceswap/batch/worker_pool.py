"""Pools of workers: processes that each hold the model, or the calling process itself."""

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
from typing import TYPE_CHECKING, Protocol, Self, cast

from voiceswap.batch.tasks import Failure, ModelSettings, Outcome, Task, Work
from voiceswap.errors import MEMORY_IS_FULL, VoiceswapError, memory_is_full

if TYPE_CHECKING:
    from voiceswap import VoiceSwapper

Done = list[tuple[Task, Outcome]]
WorkShareCallback = Callable[[Work, float], None]  # gets work and the share of it that is done
MOST_ON_WINDOWS = 60  # processes: it waits for no more than 63 pipes at once
SHARE_SECONDS = 0.5  # least time between two messages of a worker about its share
DIED = "The process that converted it died twice: memory ran out, or a library crashed on it."


class WorkerPool(Protocol):
    """Workers that do tasks.

    A worker that dies is replaced, and each of its tasks is tried once more, alone.
    """

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...

    def run(self, work: Iterable[Work], on_share: WorkShareCallback) -> Iterator[Done]:
        """Do all of `work`; yield outcomes as soon as they are there, in any order."""


class InProcessPool:
    """A loaded model in the calling process: for a page or a notebook that already holds one."""

    def __init__(self, swapper: "VoiceSwapper"):
        self.swapper = swapper

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def run(self, work: Iterable[Work], on_share: WorkShareCallback) -> Iterator[Done]:
        from voiceswap.batch.worker import run_work

        for item in work:
            outcomes = run_work(self.swapper, item, partial(on_share, item))
            yield list(zip(item, outcomes, strict=True))


class ProcessPool:
    """`jobs` processes on this machine.

    Each has its own model and its own pipe, so that the death of one does not affect the others.
    """

    def __init__(self, settings: ModelSettings, jobs: int):
        self.settings = settings
        self.jobs = min(jobs, MOST_ON_WINDOWS) if os.name == "nt" else jobs
        self.alive: list[_WorkerProcess] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for process in self.alive:
            process.kill()
        self.alive.clear()

    def run(self, work: Iterable[Work], on_share: WorkShareCallback) -> Iterator[Done]:
        fresh, retries, more = iter(work), deque[Work](), True
        while True:
            while len(self.alive) < self.jobs:
                self.alive.append(_WorkerProcess(self.settings))
            for process in self.alive:
                if process.ready and process.work is None and (retries or more):
                    is_retry = bool(retries)
                    item = retries.popleft() if retries else next(fresh, None)
                    if item is None:
                        more = False
                    else:
                        process.send_work(item, is_retry)
            if not more and not retries and all(process.work is None for process in self.alive):
                return
            if done := self._receive(on_share, retries):
                yield done

    def _receive(self, on_share: WorkShareCallback, retries: deque[Work]) -> Done:
        """Wait for messages of the processes; the outcomes in them. Adds lost work to `retries`."""
        done: Done = []
        busy = {
            process.connection: process
            for process in self.alive
            if process.work is not None or not process.ready
        }
        for connection in wait(list(busy)):
            process = busy[cast(Connection, connection)]
            try:
                message = pickle.loads(process.connection.recv_bytes())
            except (EOFError, OSError):
                self.alive.remove(process)
                lost = process.lost_work()
                if process.is_retry:
                    done += [(task, Failure(DIED)) for task in lost]
                else:
                    retries.extend((task,) for task in lost)  # alone, each shows if it is the cause
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
        return done


class _WorkerProcess:
    """The parent's side of one worker process."""

    def __init__(self, settings: ModelSettings):
        # Spawned: a fork would inherit the lock, and CUDA does not work after one.
        context = multiprocessing.get_context("spawn")
        self.connection, child_connection = context.Pipe()
        self.process = context.Process(
            target=_serve, args=(child_connection, settings), daemon=True
        )
        with _ctrl_c_deferred():
            self.process.start()
        child_connection.close()  # the child holds the only other end: its death closes the pipe
        self.ready = False
        self.work: Work | None = None
        self.is_retry = False

    def send_work(self, work: Work, is_retry: bool) -> None:
        self.work, self.is_retry = work, is_retry
        with suppress(OSError):  # the process is dead, which the next read reports
            _send(self.connection, work)

    def lost_work(self) -> Work:
        """The work of a process that died. Raises VoiceswapError when it never loaded its model."""
        self.process.join()
        self.connection.close()
        if self.work is None:
            raise VoiceswapError(
                "A worker process died while it loaded the model (status "
                f"{self.process.exitcode}); is there memory for so many --jobs, and in a script "
                'if __name__ == "__main__": around the call?'
            )
        return self.work

    def kill(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()


@contextmanager
def _ctrl_c_deferred() -> Iterator[None]:
    """Handle Ctrl-C only after the block, and block it in processes that are started in it.

    In a process that still loads Python, or waits for work, it would print a traceback.
    """
    # Started here, since its start with the first process would unblock the signal.
    if os.name == "posix":
        resource_tracker.ensure_running()
    pressed: list[int] = []
    # Other threads may not set handlers, and are not interrupted either.
    in_main_thread = threading.current_thread() is threading.main_thread()
    usual = (
        signal.signal(signal.SIGINT, lambda number, frame: pressed.append(number))
        if in_main_thread
        else None
    )
    can_block = hasattr(signal, "pthread_sigmask")  # a started process inherits the mask
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if can_block else set()
    try:
        yield
    finally:
        if can_block:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if in_main_thread:
            signal.signal(signal.SIGINT, usual)
    if pressed:
        signal.raise_signal(signal.SIGINT)


def _serve(connection: Connection, settings: ModelSettings) -> None:
    """Main function of a worker process: load the model, then do the work that the pipe brings."""
    # Ctrl-C is handled by the parent. This covers systems where it could not be blocked.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    try:
        from voiceswap.batch.worker import load_model, run_work

        swapper = load_model(settings)
    except VoiceswapError as error:
        _send(connection, error)
        return
    except (MemoryError, RuntimeError) as error:
        if not memory_is_full(error):
            raise
        _send(connection, VoiceswapError(MEMORY_IS_FULL))
        return
    _send(connection, None)
    last = 0.0

    def send_share(share: float) -> None:
        nonlocal last
        if time.monotonic() - last > SHARE_SECONDS:
            last = time.monotonic()
            _send(connection, float(share))

    while True:
        try:
            work = pickle.loads(connection.recv_bytes())
        except EOFError:
            return
        _send(connection, run_work(swapper, work, send_share))


def _send(connection: Connection, message: object) -> None:
    # Pickled here: torch would send a tensor as a file descriptor, which dies with its process.
    connection.send_bytes(pickle.dumps(message))


def _exit_with_parent() -> None:
    """End this process when its parent ends; otherwise workers of a killed parent would go on."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)
