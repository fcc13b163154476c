"""Every stage of the default recipe under bfloat16's rules, which a CPU has too."""

import math

import pytest
import torch

from voiceswap.features import AudioConfig
from voiceswap.training.autoencoder_task import AutoencoderTask
from voiceswap.training.denoiser_task import DenoiserTask
from voiceswap.training.front_end_task import FrontEndTask
from voiceswap.training.high_band_task import HighBandTask
from voiceswap.training.streaming_task import StreamingTask
from voiceswap.training.vocoder_task import VocoderTask

KINDS = {
    "autoencoder": AutoencoderTask,
    "vocoder": VocoderTask,
    "high band": HighBandTask,
    "front end": FrontEndTask,
    "denoiser": DenoiserTask,
    "streaming": StreamingTask,
}
STAGES = [
    ("autoencoder", {}),
    ("autoencoder", {"verification": 1.0, "recognition": 1.0}),
    ("autoencoder", {"verification": 1.0, "recognition": 1.0, "vocoder": "default"}),
    ("vocoder", {}),
    ("vocoder", {"adversarial": 0.1, "decoded": "default"}),
    ("high band", {}),
    ("front end", {}),
    ("denoiser", {}),
    ("streaming", {}),
]


def random_batch(items: int = 4, frames: int = 100, hop: int = 160) -> dict[str, torch.Tensor]:
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
        "samples": 0.1 * normal(items, frames * hop),
        "verifier": torch.nn.functional.normalize(normal(items, 256)),
        "length": torch.full((items,), frames),
        "reference_mel": normal(items, 80, frames) - 5,
        "reference_verifier": torch.nn.functional.normalize(normal(items, 256)),
        "reference_length": torch.full((items,), frames),
    }


def one_step(network: str, options: dict, device: str) -> dict[str, float]:
    """A step of a task under autocast to bfloat16; the parts of its loss.

    All trained weights get finite gradients.
    """
    torch.manual_seed(0)
    task = KINDS[network](AudioConfig(), steps=10, **options).to(device)
    pairs, parts = task.configure_optimizers(), {}
    task.optimizers = lambda: [pair["optimizer"] for pair in pairs]
    task.lr_schedulers = lambda: [pair["lr_scheduler"]["scheduler"] for pair in pairs]
    task.manual_backward = lambda loss: loss.backward()
    task.log_dict = lambda logged, **__: parts.update(logged)
    batch = random_batch(hop=240 if network == "high band" else 160)
    with torch.autocast(device, dtype=torch.bfloat16):
        task.training_step({name: tensor.to(device) for name, tensor in batch.items()}, 0)
    weights = [x for x in task.networks()[0].parameters() if x.requires_grad]
    gradients = [weight.grad for weight in weights]
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients)
    return {name: value.item() for name, value in parts.items()}


@pytest.mark.parametrize(("network", "options"), STAGES)
def test_every_stage_trains_in_bfloat16(network, options):
    assert all(map(math.isfinite, one_step(network, options, "cpu").values()))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize(("network", "options"), STAGES)
def test_every_stage_trains_on_a_gpu_as_on_the_cpu(network, options):
    """The main loss is the CPU's, up to the codes and noise that each device draws."""
    (name, expected), *_ = one_step(network, options, "cpu").items()
    assert math.isclose(one_step(network, options, "cuda")[name], expected, rel_tol=0.03)
