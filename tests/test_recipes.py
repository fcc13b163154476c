"""Every recipe's config parses and builds its networks."""

import runpy
import struct
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning.fabric.accelerators.mps import MPSAccelerator
from lightning.pytorch.accelerators import CPUAccelerator

from voiceswap import precision
from voiceswap.training.data import SpeechData
from voiceswap.training.run import TASKS, TrainCLI

RECIPES = Path(__file__).parents[1] / "recipes"
CONFIGS = sorted(path.relative_to(RECIPES).as_posix() for path in RECIPES.rglob("*.yaml"))
ABLATIONS = "default/ablations/"


def trained_by(config: str) -> str:
    """The network that a config is for."""
    if config.startswith(ABLATIONS):
        return "autoencoder"
    name = config.split("/")[1].removesuffix(".yaml")
    return next(network for network in TASKS if name.startswith(network))


def built(*configs: str) -> TrainCLI:
    """What `voiceswap train` makes of configs laid over each other, short of training."""
    network = trained_by(configs[0])
    arguments = [part for config in configs for part in ("--config", str(RECIPES / config))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # A stage that starts from another's checkpoint is built without it: training makes it.
        text = (RECIPES / configs[-1]).read_text(encoding="utf-8")
        for key in ("initial", "decoded", "vocoder"):
            without = "default" if network == "high-band" else "null"
            arguments += [f"--model.{key}", without] if f"{key}: runs/" in text else []
        return TrainCLI(
            TASKS[network],
            SpeechData,
            run=False,
            args=arguments,
            trainer_defaults={"logger": False, "accelerator": "cpu"},
        )


@pytest.mark.parametrize("config", CONFIGS)
def test_a_recipe_builds_its_networks(config):
    network = trained_by(config)
    first = f"default/{network}.yaml"
    short = [f"{ABLATIONS}short.yaml"] if config.startswith(ABLATIONS) else []
    cli = built(*dict.fromkeys([first, *short, config]))
    model = getattr(cli.model, cli.model.network_name)
    assert cli.datamodule.cache.config.audio == (
        model.config if network in ("vocoder", "high-band") else model.audio
    )
    assert cli.datamodule.manifests["train"] and cli.trainer.max_steps > 0
    steps = cli.trainer.max_steps // len(cli.model.networks())
    # The first stage ends before its learning rate's schedule does; base changes sizes alone.
    longer = config in ("default/autoencoder.yaml", "base/autoencoder.yaml")
    assert cli.model.steps in ((4500,) if longer else (None, steps))


@pytest.mark.parametrize(("quick", "used"), [(True, "bf16-mixed"), (False, "32-true")])
def test_a_cpu_without_bfloat16_trains_in_32_bits(monkeypatch, quick, used):
    monkeypatch.setattr(precision, "has_fast_bfloat16", lambda: quick)
    assert built("default/autoencoder.yaml").trainer.precision == used


def test_a_mac_trains_on_its_cpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(MPSAccelerator, "is_available", staticmethod(lambda: True))
    assert isinstance(built("default/autoencoder.yaml").trainer.accelerator, CPUAccelerator)


def test_the_base_size_is_what_its_readme_says():
    parameters = {}
    for network in ("autoencoder", "vocoder"):
        cli = built(f"default/{network}.yaml", f"libritts/{network}.yaml", f"base/{network}.yaml")
        parameters[network] = sum(
            parameter.numel() for parameter in getattr(cli.model, network).parameters()
        )
        audio = cli.datamodule.cache.config.audio
        assert (audio.sample_rate, audio.n_fft, audio.hop_length, audio.n_mels) == (
            24000,
            1024,
            256,
            100,
        )
        assert cli.trainer.max_steps == 200000 and "libritts" in str(
            cli.datamodule.manifests["train"][0]
        )
    assert 28e6 < sum(parameters.values()) < 32e6


def test_the_tensors_of_a_ctranslate2_file_are_read(tmp_path):
    read = runpy.run_path(str(RECIPES / "default/pack_pretrained.py"))["read_ctranslate2"]
    tensors = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.int8([-1, 2])}

    def text(value: str) -> bytes:
        return struct.pack("<H", len(value) + 1) + value.encode() + b"\0"

    content = struct.pack("<I", 6) + text("WhisperSpec") + struct.pack("<II", 3, len(tensors))
    for kind, (name, tensor) in enumerate(tensors.items()):
        content += text(name) + struct.pack(f"<B{tensor.ndim}I", tensor.ndim, *tensor.shape)
        content += struct.pack("<BI", kind, tensor.nbytes) + tensor.tobytes()
    (tmp_path / "model.bin").write_bytes(content)
    found = read(tmp_path / "model.bin")
    assert all(np.array_equal(found[name], tensor) for name, tensor in tensors.items())
