"""The optimiser and the learning-rate schedule of every network."""

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from voiceswap.learning_rate import rate_share

WARMUP = 200


def optimiser_and_schedule(network: nn.Module, learning_rate: float, steps: int):
    """AdamW; the rate rises over 200 steps and falls along a cosine to a twentieth at `steps`."""
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    fused = parameters[0].is_cuda or None  # a few kernels instead of some for every tensor
    optimiser = torch.optim.AdamW(
        parameters, learning_rate, betas=(0.8, 0.98), weight_decay=0.01, fused=fused
    )
    schedule = LambdaLR(optimiser, lambda step: rate_share(step, steps, WARMUP))
    return {
        "optimizer": optimiser,
        "lr_scheduler": {"scheduler": schedule},
    }
