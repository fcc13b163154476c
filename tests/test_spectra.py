"""The inverse STFT, beside PyTorch's."""

import pytest
import torch

from voiceswap.dsp.spectra import istft


@pytest.mark.parametrize(("size", "hop"), [(512, 128), (384, 60)])
@pytest.mark.parametrize("normalized", [False, True])
def test_it_is_pytorchs_sample_by_sample_and_its_gradient_too(size, hop, normalized):
    draw, window = torch.Generator().manual_seed(0), torch.hann_window(size)
    spectrum = torch.randn(2, size // 2 + 1, 50, dtype=torch.complex64, generator=draw)
    results = []
    for ours in (True, False):
        x = spectrum.clone().requires_grad_()
        if ours:
            wave = istft(x, window, hop, 48 * hop + 7, normalized)
        else:
            settings = {"window": window, "normalized": normalized, "length": 48 * hop + 7}
            wave = torch.istft(x, size, hop, **settings)
        results.append((wave, *torch.autograd.grad(wave.square().sum(), x)))
    assert all(map(torch.equal, *results))
    alone = istft(spectrum[1], window, hop, 48 * hop + 7, normalized)
    torch.testing.assert_close(alone, results[0][0][1], atol=1e-6, rtol=1e-5)
