"""The same sound from a CUDA device. Run with pytest -m gpu."""

import numpy as np
import pytest
import torch

from voiceswap import VoiceSwapper
from voiceswap.audio import active_level_db

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]


def test_conversion_equals_the_cpus(swapper, hello, goodbye):
    on_gpu = VoiceSwapper.load(device="cuda")
    for source, target in ((hello, goodbye), (goodbye, hello)):
        expected, out = swapper.convert(source, target), on_gpu.convert(source, target)
        assert active_level_db(out - expected, 16000) < active_level_db(expected, 16000) - 30


def test_seeded_draws_are_the_cpus(swapper, hello):
    on_gpu = VoiceSwapper.load(device="cuda")
    np.testing.assert_allclose(on_gpu.sample(3).code, swapper.sample(3).code)
    expected, out = (each.convert(hello, each.sample(3), seed=5) for each in (swapper, on_gpu))
    assert active_level_db(out - expected, 16000) < active_level_db(expected, 16000) - 30
