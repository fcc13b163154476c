"""Several processes training as one: batches and posteriors of all of them, for losses."""

import torch
import torch.distributed.nn.functional
from torch import Tensor, distributed

from voiceswap.models.gaussian import DiagonalGaussian


def count() -> int:
    """Processes that train together."""
    return (
        distributed.get_world_size()
        if distributed.is_available() and distributed.is_initialized()
        else 1
    )


def all_gather(x: Tensor) -> Tensor:
    """`x` (batch, ...) of every process, in their order, along the batch; with gradients.

    Every process then computes one loss over the whole batch, and DDP's mean of the gradients
    equals those of one process with that batch. This also holds for losses that compare or
    normalise over the batch.
    """
    if count() == 1:
        return x
    return torch.cat(torch.distributed.nn.functional.all_gather(x.contiguous()))


def all_gather_posterior(q: DiagonalGaussian) -> DiagonalGaussian:
    """The posteriors of every process."""
    return DiagonalGaussian(all_gather(q.mean), all_gather(q.log_variance))


def sample_posterior(q: DiagonalGaussian) -> Tensor:
    """A sample of `q`.

    Several processes each draw for the whole batch, from the same seed, and take their part.
    """
    if count() == 1:
        return q.sample()
    noise = torch.randn(
        count() * len(q.mean), *q.mean.shape[1:], device=q.mean.device, dtype=q.mean.dtype
    )
    return q.mean + (0.5 * q.log_variance).exp() * noise.chunk(count())[distributed.get_rank()]
