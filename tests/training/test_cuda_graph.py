"""Losses whose networks run as CUDA graphs."""

import pytest
import torch

from voiceswap.features import AudioConfig
from voiceswap.models.cuda_graph import CudaGraph
from voiceswap.models.perceptual_losses import ContentLoss, SpeakerLoss

LOSSES = {  # by the names of what they run as a graph
    "embed_mel": lambda: SpeakerLoss(AudioConfig()),
    "encode": lambda: ContentLoss(AudioConfig(), graph=True),
}


def log_mels(seed: int, frames: int, device: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Two batches (4, 80, frames)."""
    draw = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(4, 80, frames, generator=draw).sub(5).to(device) for _ in range(2))


def loss_and_gradient(loss, seed: int, frames: int, device: str):
    converted, other = log_mels(seed, frames, device)
    mask = torch.ones(4, 1, frames, device=device)
    mask[0, :, frames // 2 + seed :] = 0
    more = (mask,) if isinstance(loss, ContentLoss) else ()
    value = loss(converted.requires_grad_(), other, *more)
    return value.detach(), torch.autograd.grad(value, converted)[0]


def test_without_a_gpu_a_function_is_called_as_it_is():
    graph = CudaGraph(lambda x, y: x * y)
    x = torch.tensor([2.0], requires_grad=True)
    (gradient,) = torch.autograd.grad(graph(x, torch.tensor([3.0])), x)
    assert gradient.item() == 3.0 and not graph.graphs


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("autocast", [False, True])
@pytest.mark.parametrize("network", LOSSES)
def test_a_loss_and_its_gradient_are_the_same_by_a_graph(network, autocast):
    """Over three inputs of the captured shape, each of which differs, and one of another."""
    graphed, plain = (LOSSES[network]().cuda() for _ in range(2))
    graph = getattr(graphed, network)
    setattr(plain, network, getattr(plain, network).function)
    losses = []
    with torch.autocast("cuda", torch.bfloat16, enabled=autocast):
        for seed, frames in ((0, 200), (1, 200), (2, 200), (3, 120)):
            results = [loss_and_gradient(x, seed, frames, "cuda") for x in (graphed, plain)]
            losses.append(results[0][0].item())
            torch.testing.assert_close(results[0][0], results[1][0], rtol=1e-3, atol=1e-5)
            difference = (results[0][1] - results[1][1]).norm() / results[1][1].norm()
            assert difference < (1e-2 if autocast else 1e-3)
    assert len(set(losses)) == 4 and sorted(graph.graphs) == [False, True]
