"""What is above 8 kHz: predicted from the mel, and from the reference where it reaches there."""

import numpy as np
import pytest
import torch
from rates import RATE

from voiceswap.audio_io.resampling import resample
from voiceswap.dsp.bandwidth import missing_highs
from voiceswap.models.checkpoint import load_checkpoint, save_checkpoint
from voiceswap.models.vocoder import SourceFilterVocoder

BANDS = ((4200, 6000), (6000, 8000), (8000, 9500), (9500, 11500))


def levels(samples):
    """Long-term levels of BANDS in dB, relative to that of 0.5 to 3.5 kHz."""
    window = torch.hann_window(960)
    spectrum = torch.stft(torch.from_numpy(samples), 960, window=window, return_complex=True)
    power = spectrum.abs().square().mean(1)

    def level(low, high):
        return 10 * np.log10(float(power[low // 25 : high // 25].mean()))

    return np.array([level(*band) - level(500, 3500) for band in BANDS])


@pytest.fixture(scope="module")
def by_rate(swapper, hello_24k, goodbye_24k):
    """A conversion to a voice that is recorded at several rates."""
    voices = {
        rate: (resample(goodbye_24k, RATE, rate), rate) for rate in (48000, RATE, 16000, 8000)
    }
    return {rate: swapper.convert(hello_24k, voice) for rate, voice in voices.items()}


def test_the_voice_keeps_its_highs(by_rate, swapper, hello_24k, goodbye_24k):
    """What is said differs, and with it the share of fricatives."""
    outs = [by_rate[48000], by_rate[RATE], swapper.convert(goodbye_24k, hello_24k)]
    targets = [goodbye_24k, goodbye_24k, hello_24k]
    errors = [levels(out) - levels(real) for out, real in zip(outs, targets, strict=True)]
    assert (
        np.abs(errors)[:, 2:].mean() < 4
        and np.abs(levels(by_rate[16000]) - levels(goodbye_24k))[3] > 4
    )


def test_highs_are_predicted_where_the_reference_has_none(by_rate, goodbye_24k, hello_24k, swapper):
    """A telephone's, too; today's telephone may also send more than 8 kHz of nothing."""
    upsampled = resample(resample(goodbye_24k, RATE, 8000), 8000, RATE)
    assert missing_highs(upsampled, RATE) and not missing_highs(goodbye_24k, RATE)
    outs = [by_rate[16000], by_rate[8000], swapper.convert(hello_24k, upsampled)]
    for out in outs:
        assert np.abs(levels(out) - levels(goodbye_24k)).max() < 10
    silence = np.zeros(RATE, np.float32)
    pause = swapper.convert(np.append(hello_24k, silence), (goodbye_24k[::3], RATE // 3))
    assert np.abs(pause[-RATE // 2 :]).max() < 1e-3  # no bursts


def test_a_telephone_as_source_does_not_narrow_the_output(swapper, hello_24k, goodbye_24k):
    telephone = (resample(hello_24k, RATE, 8000), 8000)
    assert levels(swapper.convert(telephone, goodbye_24k)).min() > -20


def test_a_voice_put_back_together_has_its_highs(swapper, hello_24k, goodbye_24k):
    for samples in (hello_24k, goodbye_24k):
        difference = levels(swapper.reconstruct(samples)) - levels(samples)
        assert np.abs(difference)[2:].max() < 4


def test_the_low_band_is_that_of_the_vocoder_without_highs(swapper, hello):
    """The same filters, so only the noise that is drawn for them differs."""
    vocoder = swapper.engine.vocoder
    low = vocoder.without_high_band()
    mel = swapper.engine.log_mel(torch.from_numpy(hello)[None])
    f0 = torch.full(mel.shape[::2], 120.0)
    with torch.inference_mode():
        wide, narrow = vocoder(mel, f0)[0].numpy(), low(mel, f0)[0].numpy()
    assert len(wide) == len(narrow) * 3 // 2 and low.output_audio == vocoder.config
    known = resample(narrow, 16000, RATE)
    assert np.abs(levels(wide) - levels(known))[0] < 1
    log_mels = [
        swapper.engine.log_mel(torch.from_numpy(resample(wave, RATE, 16000))[None])
        for wave in (wide, known)
    ]
    speech = log_mels[1].mean(1) > log_mels[1].mean(1).max() - 4
    error = (log_mels[0] - log_mels[1]).abs()[:, :60].mean(1)[speech]
    assert error.mean() < 0.25  # nats; two draws of the noise


def test_a_high_band_is_added_and_kept(tmp_path):
    low = load_checkpoint()
    low.vocoder = low.vocoder.without_high_band()
    path = save_checkpoint(tmp_path / "low.safetensors", low)
    again = load_checkpoint(path)
    assert again.vocoder.output_audio.sample_rate == 16000  # files without one are read as before
    assert (
        load_checkpoint(save_checkpoint(tmp_path / "2", again)).fingerprint() == again.fingerprint()
    )
    high = again.vocoder.with_high_band(48000)
    assert isinstance(high, SourceFilterVocoder) and high.output_audio.sample_rate == 48000
    assert high.with_high_band(48000) is high
    torch.testing.assert_close(high.output.weight, low.vocoder.output.weight, atol=2e-3, rtol=0)


def test_a_saved_voice_keeps_its_highs(swapper, goodbye_24k, tmp_path):
    voice = swapper.embed(goodbye_24k)
    assert voice.high_gain.abs().max() > 0.1
    kept = swapper.load_voice(swapper.save_voice(voice, tmp_path / "b.safetensors"))
    torch.testing.assert_close(kept.high_gain, voice.high_gain)
    half = swapper.blend([(voice, 1.0), (swapper.sample(1), 1.0)])
    torch.testing.assert_close(half.high_gain, voice.high_gain / 2)
