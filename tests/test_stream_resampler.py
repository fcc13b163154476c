"""A stream's resampler: in time, nearly at once, and without images and aliases."""

import numpy as np
import pytest

from voiceswap.conversion.stream_resampler import StreamResampler

RATES = [(48000, 16000), (44100, 16000), (24000, 16000), (8000, 16000), (24000, 48000)]


def resampled(samples, rates, size):
    resampler, made = StreamResampler(*rates), []
    for first in range(0, len(samples), size):
        made.append(resampler.push(samples[first : first + size]))
        given, taken = sum(map(len, made)) / rates[1], min(first + size, len(samples)) / rates[0]
        assert taken - given <= resampler.delay + 1 / rates[0]
    return np.concatenate([*made, resampler.flush()])


@pytest.mark.parametrize("rates", [*RATES, (24000, 44100), (16000, 16000)])
def test_tones_come_out_in_time_and_highs_do_not(rates):
    rate_in, rate_out = rates
    low = min(rates) / 2 - 1600
    for hertz in (100.0, 0.5 * low, low):
        wave = np.sin(2 * np.pi * hertz * np.arange(rate_in) / rate_in).astype(np.float32)
        made = resampled(wave, rates, 333)
        assert len(made) == rate_out
        expected = np.sin(2 * np.pi * hertz * np.arange(rate_out) / rate_out)
        assert np.abs(made - expected)[200:-200].max() < 3e-3
        np.testing.assert_allclose(resampled(wave, rates, len(wave)), made, atol=1e-6)
    if rate_in > rate_out:
        high = rate_out / 2 + 600
        wave = np.sin(2 * np.pi * high * np.arange(rate_in) / rate_in).astype(np.float32)
        assert np.abs(resampled(wave, rates, 333))[200:-200].max() < 3e-3


def test_a_short_stream_is_as_long_as_it_came():
    for size in (0, 1, 5, 100):
        assert len(resampled(np.ones(size, np.float32), (24000, 48000), 7)) == 2 * size


def test_streams_of_the_same_rates_share_their_filters():
    first, second = (StreamResampler(44100, 16000) for _ in range(2))
    assert first._taps is second._taps
