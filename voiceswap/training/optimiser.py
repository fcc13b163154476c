"""How every network here is optimised."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from voiceswap.errors import TrainingError

WARMUP = 200


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

    Raises TrainingError when the loss is not finite, before any weight is touched.
    """
    if not torch.isfinite(loss):
        saved = getattr(task.trainer.checkpoint_callback, "last_model_path", "") or "none yet"
        raise TrainingError(f"The loss became {loss.item()} at step {task.global_step}; the last good checkpoint is {saved}.")
    optimiser, schedule = (pair[index] if isinstance(pair, list) else pair for pair in (task.optimizers(), task.lr_schedulers()))
    optimiser.zero_grad()
    task.manual_backward(loss)
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimiser.step()
    schedule.step()
