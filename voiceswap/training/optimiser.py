"""How every network here is optimised."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from voiceswap.errors import TrainingError

WARMUP = 200
SHOWN_CUTS = 16


def optimiser_and_schedule(network: nn.Module, learning_rate: float, steps: int):
    """AdamW, with the rate rising over 200 steps and falling along a cosine to a twentieth at `steps`."""

    def rate(step: int) -> float:
        decay = 0.05 + 0.95 * (1 + math.cos(math.pi * min(1.0, step / steps))) / 2
        return min(1.0, (step + 1) / WARMUP) * decay

    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(parameters, learning_rate, betas=(0.8, 0.98), weight_decay=0.01)
    return {"optimizer": optimiser, "lr_scheduler": {"scheduler": torch.optim.lr_scheduler.LambdaLR(optimiser, rate)}}


def alternate(task: Any, network: nn.Module, loss: Tensor, index: int) -> None:
    """One step of optimiser and schedule `index` of a LightningModule on `network`, gradients clipped to norm 1.

    A task with `accumulate` above one steps once in so many batches, on the mean of their gradients. Raises
    TrainingError when the loss or a gradient is not finite, before any weight is touched.
    """
    if not torch.isfinite(loss):
        raise _stop(task, f"The loss became {loss.item()}")
    optimiser, schedule = (pair[index] if isinstance(pair, list) else pair for pair in (task.optimizers(), task.lr_schedulers()))
    batches = getattr(task, "accumulate", 1)
    position = task.trainer.datamodule.position if batches > 1 else 1  # of the batch after this one
    if batches == 1 or position % batches == 1:
        optimiser.zero_grad()
    task.manual_backward(loss / batches if batches > 1 else loss)
    if position % batches:
        return
    scaler = _scaler(task)
    if scaler:
        scaler.unscale_(optimiser.optimizer)
    norm = torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    if not scaler and not torch.isfinite(norm):  # a scaler passes over such a step and scales less from then on
        raise _stop(task, f"The gradient's norm became {norm.item()}")
    optimiser.step()
    schedule.step()


def _scaler(task: Any) -> Any:
    """What keeps half-precision gradients from vanishing, with precision 16-mixed on a GPU."""
    trainer = getattr(task, "_trainer", None)
    return getattr(getattr(trainer, "precision_plugin", None), "scaler", None)


def _stop(task: Any, what: str) -> TrainingError:
    saved = getattr(task.trainer.checkpoint_callback, "last_model_path", "") or "none yet"
    data = getattr(task.trainer, "datamodule", None)
    cuts = data.cuts_served() if data else []
    held = f"; the batch held {', '.join(cuts[:SHOWN_CUTS])}{' and others' * (len(cuts) > SHOWN_CUTS)}" if cuts else ""
    return TrainingError(f"{what} at step {task.global_step}; the last good checkpoint is {saved}{held}.")
