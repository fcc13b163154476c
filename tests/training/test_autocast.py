"""Every stage of the default recipe under bfloat16's rules, which a CPU has too."""

import pytest
import torch

from voiceswap.features import AudioConfig
from voiceswap.training.run import TASKS

STAGES = [
    ("autoencoder", {}),
    ("autoencoder", {"verification": 1.0, "recognition": 1.0}),
    ("autoencoder", {"verification": 1.0, "recognition": 1.0, "vocoder": "default"}),
    ("vocoder", {}),
    ("vocoder", {"adversarial": 0.1, "decoded": "default"}),
    ("high-band", {}),
]


def random_batch(items: int = 4, frames: int = 100) -> dict[str, torch.Tensor]:
    """A batch of the shapes that the data module serves."""
    draw = torch.Generator().manual_seed(0)

    def normal(*shape):
        return torch.randn(*shape, generator=draw)

    f0 = 150 + 20 * normal(items, frames)
    return {
        "content": normal(items, 512, frames // 2),
        "mel": normal(items, 80, frames) - 5,
        "f0": f0 * (normal(items, frames) > -1),
        "f0_statistics": torch.tensor([[5.0, 0.2]] * items),
        "samples": 0.1 * normal(items, frames * 160),
        "verifier": torch.nn.functional.normalize(normal(items, 256)),
        "length": torch.full((items,), frames),
        "reference_mel": normal(items, 80, frames) - 5,
        "reference_verifier": torch.nn.functional.normalize(normal(items, 256)),
        "reference_length": torch.full((items,), frames),
    }


def one_step(network: str, options: dict, device: str) -> None:
    """A step of a task under autocast to bfloat16, with finite gradients for all weights."""
    torch.manual_seed(0)
    task = TASKS[network](AudioConfig(), steps=10, **options).to(device)
    optimisers = [pair["optimizer"] for pair in task.configure_optimizers()]
    schedules = [pair["lr_scheduler"]["scheduler"] for pair in task.configure_optimizers()]
    task.optimizers = lambda: optimisers
    task.lr_schedulers = lambda: schedules
    task.manual_backward = lambda loss: loss.backward()
    task.log_dict = lambda *_, **__: None
    batch = {name: tensor.to(device) for name, tensor in random_batch().items()}
    if network == "high-band":
        batch["samples"] = batch["samples"].repeat(1, 2)[:, : 100 * 240]
    with torch.autocast(device, dtype=torch.bfloat16):
        task.training_step(batch, 0)
    trained = task.networks()[0].parameters()
    gradients = [weight.grad for weight in trained]
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients)


NO_CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=[pytest.mark.gpu, NO_CUDA])])
@pytest.mark.parametrize(("network", "options"), STAGES)
def test_every_stage_trains_in_bfloat16(network, options, device):
    one_step(network, options, device)
