"""The queues of the page's events, by Gradio's concurrency ids, and what runs or waits there.

Gradio has no public way to its queue: what reads it is here.
"""

import time
from collections.abc import Sequence
from typing import Any

import gradio as gr

from voiceswap.ui.limits import visitor_at

MODEL = "model"  # conversions
LIVE = "live"  # who is live can't wait
ADAPT = "adapt"  # takes minutes, and the model serves others meanwhile
COUNTED = (MODEL, LIVE, ADAPT)  # of what a visitor may have running or waiting only so much
# Options of events that run the model: two at once, so that a long job leaves room.
MODEL_SLOTS: dict[str, Any] = {"concurrency_id": MODEL, "concurrency_limit": 2}
FETCHED_SECONDS = 3.0  # in which a visitor fetches the last result


def pending_calls(page: gr.Blocks, concurrency_ids: Sequence[str]) -> list[tuple[str, str]]:
    """Session and address of each call of a Gradio page that waits for, or runs, the model."""
    queue = page._queue
    events = [
        event
        for waiting in queue.event_queue_per_concurrency_id.values()
        for event in waiting.queue
    ]
    events += [event for job in queue.active_jobs if job for event in job]
    return [
        (event.session_hash, visitor_at(event.request.client and event.request.client.host))
        for event in events
        if event.concurrency_id in concurrency_ids
    ]


def let_finish(page: gr.Blocks, concurrency_ids: Sequence[str], seconds: float) -> None:
    """Wait until a page's conversions are done, for at most so many seconds."""
    until, worked = time.monotonic() + seconds, False
    while pending_calls(page, concurrency_ids) and time.monotonic() < until:
        worked = True
        time.sleep(0.2)
    if worked:
        time.sleep(FETCHED_SECONDS)


def stream_function(page: gr.Blocks, call: str) -> int | None:
    """The number of the function that a running call streams to; None if it is no such call."""
    event = page._queue.event_ids_to_events.get(call)
    return event.fn._id if event is not None and event.streaming else None
