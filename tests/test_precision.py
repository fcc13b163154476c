"""Products in bfloat16 beside 32 bits."""

import numpy as np
import pytest
import torch
from sounds import log_mel_error_db

from voiceswap import VoiceswapError, VoiceSwapper
from voiceswap.precision import exact_arithmetic, has_fast_bfloat16

quick = pytest.mark.skipif(not has_fast_bfloat16(), reason="this CPU is slow at bfloat16")


@quick
def test_bfloat16_is_within_40_db_of_32_bits(swapper, exact, hello, goodbye):
    engine, rate = exact.engine, exact.engine.audio.sample_rate
    for source, reference in ((hello, goodbye), (goodbye, hello)):
        audio = (source, rate), (reference, rate)
        made = [model.convert(*audio, rate=rate) for model in (swapper, exact)]
        assert log_mel_error_db(*made, engine.audio) < -40
        vectors = [model.embed((reference, rate)).code for model in (swapper, exact)]
        assert torch.cosine_similarity(*vectors, dim=0) > 0.999


@quick
def test_gradients_and_weights_are_in_32_bits(swapper, exact):
    assert swapper.fingerprint == exact.fingerprint
    x = torch.randn(1, 256, 50, generator=torch.Generator().manual_seed(0))
    blocks = [model.engine.vocoder.blocks[0] for model in (swapper, exact)]
    fast, slow = (block(x) for block in blocks)
    np.testing.assert_array_equal(fast, slow)
    with torch.inference_mode():
        assert not torch.equal(blocks[0](x), slow)


def test_exact_arithmetic_ends_with_the_last_thread_that_wants_it():
    def allowed():
        return torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32

    before, device = allowed(), torch.device("cuda")
    with exact_arithmetic(device):
        with exact_arithmetic(device):
            assert allowed() == (False, False)
        assert allowed() == (False, False)
    assert allowed() == before


def test_another_precision_is_refused(model):
    with pytest.raises(VoiceswapError, match="no precision 'fp16'; use auto or fp32"):
        VoiceSwapper.load(model, "cpu", precision="fp16")
