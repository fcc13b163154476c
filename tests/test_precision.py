"""Products in bfloat16 beside 32 bits."""

import inspect
import os
import subprocess
import sys
from contextlib import contextmanager
from functools import partial

import numpy as np
import pytest
import torch
from sounds import log_mel_error_db

from voiceswap import VoiceswapError, VoiceSwapper, precision
from voiceswap.conversion import engine
from voiceswap.models.layers import ConvNeXtBlock
from voiceswap.precision import (
    FastConv1d,
    FastLinear,
    exact_arithmetic,
    has_fast_bfloat16,
    torch_defaults,
    use_fast_products,
)

quick = pytest.mark.skipif(not has_fast_bfloat16(), reason="this CPU is slow at bfloat16")


@quick
def test_bfloat16_is_within_40_db_of_32_bits(swapper, exact, hello, goodbye):
    rate = exact.engine.audio.sample_rate
    for source, reference in ((hello, goodbye), (goodbye, hello)):
        audio = (source, rate), (reference, rate)
        made = [model.convert(*audio, rate=rate) for model in (swapper, exact)]
        assert log_mel_error_db(*made, exact.engine.audio) < -40
        vectors = [model.embed((reference, rate)).code for model in (swapper, exact)]
        assert torch.cosine_similarity(*vectors, dim=0) > 0.999


def test_what_a_gpu_computes_in_float16_is_within_40_db_of_32_bits(exact, hello, monkeypatch):
    """Its path without a GPU: no layout by oneDNN, and float16."""
    monkeypatch.setattr(precision, "_for_products", lambda matrix: matrix)
    monkeypatch.setattr(engine, "products_type", lambda *_: torch.float16)
    half, rate = VoiceSwapper.load(device="cpu"), exact.engine.audio.sample_rate
    voice = exact.voice((hello, rate))
    made = [model.convert((hello, rate), voice, rate=rate) for model in (half, exact)]
    assert not np.array_equal(*made)
    assert log_mel_error_db(*made, exact.engine.audio) < -40


@quick
def test_gradients_and_weights_are_in_32_bits(swapper, exact):
    assert swapper.fingerprint == exact.fingerprint
    x = torch.randn(1, 256, 50, generator=torch.Generator().manual_seed(0))
    blocks = [model.engine.vocoder.blocks[0] for model in (swapper, exact)]
    fast, slow = (block(x) for block in blocks)
    np.testing.assert_array_equal(fast, slow)
    with torch.inference_mode():
        assert not torch.equal(blocks[0](x), slow)


def fp32_precisions() -> list[str]:
    backends = torch.backends
    kinds = (backends.cuda.matmul, backends.cudnn.conv, backends.cudnn.rnn)
    return [kind.fp32_precision for kind in kinds]


def test_exact_arithmetic_ends_with_the_last_thread_that_wants_it():
    before, device = fp32_precisions(), torch.device("cuda")
    with exact_arithmetic(device):
        with exact_arithmetic(device):
            assert fp32_precisions() == ["ieee"] * 3
        assert fp32_precisions() == ["ieee"] * 3
    assert fp32_precisions() == before


def test_arithmetic_is_exact_whatever_a_program_chooses():
    """In a process of its own, since a program that chooses by both names can't undo it."""
    choices = [
        "torch.backends.cudnn.allow_tf32 = False",
        "torch.set_float32_matmul_precision('high')",
        "torch.backends.cudnn.conv.fp32_precision = 'tf32'",
        "torch.backends.cuda.matmul.fp32_precision = 'ieee'",
        "torch.backends.fp32_precision = 'tf32'",
    ]
    script = ["import torch", "from voiceswap.precision import exact_arithmetic"]
    script += [inspect.getsource(fp32_precisions)]
    for choice in choices:
        script += [choice, "before = fp32_precisions()"]
        script += ["with exact_arithmetic(torch.device('cuda')):"]
        script += ["    assert fp32_precisions() == ['ieee'] * 3"]
        script += ["    assert not torch.backends.cuda.matmul.allow_tf32"]
        script += ["    assert not torch.backends.cudnn.allow_tf32"]
        script += ["assert fp32_precisions() == before"]
    subprocess.run([sys.executable, "-c", "\n".join(script)], check=True)


@contextmanager
def defaults(dtype: torch.dtype, device: str):
    torch.set_default_dtype(dtype)
    torch.set_default_device(device)
    try:
        yield
    finally:
        assert torch.get_default_dtype() == dtype  # as the program chose it
        torch.set_default_dtype(torch.float32)
        torch.set_default_device(None)


@pytest.mark.parametrize(
    "choice",
    [
        partial(torch.autocast, "cpu", torch.bfloat16),
        partial(torch.autocast, "cpu", torch.float16),
        partial(defaults, torch.float64, "meta"),
    ],
)
def test_what_a_program_chooses_changes_nothing(choice, tiny, model, hello, goodbye, tmp_path):
    hello = hello[:32000]

    def made(swapper):
        nobody = swapper.sample(1)
        voice = swapper.blend([(nobody, 1), (goodbye, 1)])
        saved = swapper.save_voice(voice, tmp_path / "voice.safetensors")
        stream = swapper.stream(voice)
        yield from (nobody.log_f0, voice.code, voice.log_f0, voice.mel_affine)
        yield from (swapper.convert(hello, saved, seed=1), swapper.copy_synthesis(hello))
        yield from (stream.push(hello), stream.flush(), swapper.codes(hello)[1].mean)

    with choice():
        inside = list(made(VoiceSwapper.load(model, "cpu")))
    for with_it, without in zip(inside, made(tiny), strict=True):
        np.testing.assert_array_equal(with_it, without, strict=True)


def test_a_programs_defaults_return_with_the_last_thread_that_leaves():
    with defaults(torch.float64, "cpu"):
        with torch_defaults():
            with torch_defaults():
                assert torch.zeros(1).dtype == torch.float32
            assert torch.zeros(1).dtype == torch.float32
        assert torch.zeros(1).dtype == torch.float64
    with torch_defaults():
        torch.set_default_dtype(torch.float64)  # by another thread
    assert torch.get_default_dtype() == torch.float64
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("stride", [1, 2])
def test_packed_products_are_those_of_the_layers(stride):
    torch.manual_seed(0)
    layers = FastLinear(48, 96), FastConv1d(48, 96, 3, stride=stride, padding=1)
    for layer, shape in zip(layers, ((2, 31, 48), (2, 48, 31)), strict=True):
        x, other = torch.randn(shape), torch.nn.Parameter(torch.randn(layer.weight.shape))
        exact = layer(x)
        use_fast_products(layer, ("cpu", torch.bfloat16))
        np.testing.assert_array_equal(layer(x).detach(), exact.detach())  # a gradient is wanted
        with torch.inference_mode():
            made = layer(x)
            assert made.shape == exact.shape and not torch.equal(made, exact)
            assert (made - exact).square().mean() < 1e-4 * exact.square().mean()
            changed = torch.func.functional_call(layer, {"weight": other}, (x,))
        expected = torch.func.functional_call(layer, {"weight": other}, (x,))
        assert (changed - expected).square().mean() < 1e-4 * expected.square().mean()
        use_fast_products(layer, None)
        with torch.inference_mode():
            np.testing.assert_array_equal(layer(x), exact.detach())
        use_fast_products(layer, ("cpu", torch.bfloat16), keep=False)
        with torch.inference_mode():
            np.testing.assert_array_equal(layer(x).float(), made.float())


def test_a_block_is_the_same_with_channels_beside_one_another():
    torch.manual_seed(0)
    block, x = ConvNeXtBlock(32, condition=8), torch.randn(2, 32, 50)
    mask, condition = (
        (torch.arange(50) < torch.tensor([[50], [37]]))[:, None].float(),
        torch.ones(2, 8),
    )
    expected = block(x, mask, condition).detach()
    with torch.inference_mode():
        for layout in (x, x.mT.contiguous().mT):
            made = block(layout, mask, condition)
            assert made.mT.is_contiguous()
            np.testing.assert_allclose(made, expected, atol=1e-5)


@quick
def test_a_processor_limited_to_avx2_has_32_bits():
    """Limited by the variable of oneDNN, whose products in bfloat16 are then an error."""
    made = subprocess.run(
        [sys.executable, "-c", "from voiceswap.precision import *; print(has_fast_bfloat16())"],
        env=os.environ | {"ONEDNN_MAX_CPU_ISA": "AVX2"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert made.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("capabilities", "quick"),
    [
        ({"cpu_name": "AMD EPYC", "avx512_bf16": True}, True),
        ({"cpu_name": "Intel Xeon", "avx512_bf16": True, "amx_bf16": True}, True),
        ({"cpu_name": "Intel Xeon", "avx512_bf16": True, "amx_bf16": False}, False),
        ({"bf16": True}, True),
        ({"cpu_name": "AMD Ryzen", "avx2": True}, False),
    ],
)
def test_bfloat16_is_for_processors_that_are_quicker_with_it(monkeypatch, capabilities, quick):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: True)
    assert has_fast_bfloat16() == quick


def test_a_mac_which_has_no_onednn_has_32_bits(monkeypatch):
    """Its newer processors have the instructions, and only oneDNN uses them."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"bf16": True}, raising=False)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert not has_fast_bfloat16()


def test_another_precision_is_refused(model):
    with pytest.raises(VoiceswapError, match="no precision 'fp16'; use auto or fp32"):
        VoiceSwapper.load(model, "cpu", precision="fp16")
