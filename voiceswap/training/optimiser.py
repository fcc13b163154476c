"""The optimiser and the learning-rate schedule of every network."""

import math

import torch
from torch import nn

WARMUP = 200


def optimiser_and_schedule(network: nn.Module, learning_rate: float, steps: int):
    """AdamW; the rate rises over 200 steps and falls along a cosine to a twentieth at `steps`."""

    def rate(step: int) -> float:
        decay = 0.05 + 0.95 * (1 + math.cos(math.pi * min(1.0, step / steps))) / 2
        return min(1.0, (step + 1) / WARMUP) * decay

    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    fused = parameters[0].is_cuda or None  # a few kernels instead of some for every tensor
    optimiser = torch.optim.AdamW(
        parameters, learning_rate, betas=(0.8, 0.98), weight_decay=0.01, fused=fused
    )
    return {
        "optimizer": optimiser,
        "lr_scheduler": {"scheduler": torch.optim.lr_scheduler.LambdaLR(optimiser, rate)},
    }
