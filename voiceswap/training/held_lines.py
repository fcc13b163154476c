"""Lightning's lines wait until a run starts: what keeps it from starting is one sentence."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import MemoryHandler
from typing import Any

from lightning.pytorch import Callback

LOGGERS = [
    logging.getLogger(name) for name in ("lightning", "lightning.pytorch", "lightning.fabric")
]
MOST_LINES = 1000


@contextmanager
def held_lines() -> Iterator[None]:
    """Hold the lines back until `ShowLines` shows them, or for good."""
    before = [logger.handlers for logger in LOGGERS]
    for logger in LOGGERS:
        logger.handlers = [
            MemoryHandler(MOST_LINES, logging.CRITICAL, handler) for handler in logger.handlers
        ]
    try:
        yield
    finally:
        for handler in _holding():
            handler.setTarget(None)  # or it would show at the end what it holds
        for logger, handlers in zip(LOGGERS, before, strict=True):
            logger.handlers = handlers


class ShowLines(Callback):
    """Shows the lines that were held back, once data and config have proved usable."""

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        """Show them, and from now on each as it comes."""
        for handler in _holding():
            handler.flushLevel = logging.NOTSET
            handler.flush()


def _holding() -> Iterator[MemoryHandler]:
    for logger in LOGGERS:
        yield from (handler for handler in logger.handlers if isinstance(handler, MemoryHandler))
