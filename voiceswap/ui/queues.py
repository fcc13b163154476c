"""The queues of the page's events, by Gradio's concurrency ids."""

from typing import Any

MODEL = "model"  # conversions
LIVE = "live"  # who is live can't wait
ADAPT = "adapt"  # takes minutes, and the model serves others meanwhile
COUNTED = (MODEL, LIVE, ADAPT)  # of what a visitor may have running or waiting only so much
# Options of events that run the model: two at once, so that a long job leaves room.
MODEL_SLOTS: dict[str, Any] = {"concurrency_id": MODEL, "concurrency_limit": 2}
