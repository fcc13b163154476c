"""A batch equals its items: every network, alone and in a padded batch."""

import pytest
import torch

from voiceswap.errors import CheckpointError
from voiceswap.features import AudioConfig
from voiceswap.models import pretrained
from voiceswap.models.autoencoder import Autoencoder
from voiceswap.models.content_encoder import ContentEncoder
from voiceswap.models.excitation import excitation_states
from voiceswap.models.layers import instance_norm, length_mask
from voiceswap.models.mel_decoder import MelDecoder, pitch_channels
from voiceswap.models.speaker_encoder import SpeakerEncoder
from voiceswap.models.vocoder import SourceFilterVocoder

AUDIO = AudioConfig()
LENGTHS = torch.tensor([61, 40])  # frames; odd lengths meet the stride of two


@pytest.fixture(autouse=True)
def no_gradients():
    torch.manual_seed(0)
    with torch.no_grad():
        yield


def assert_items_equal_batch(batch, alone, lengths):
    for item, single, length in zip(batch, alone, lengths, strict=True):
        torch.testing.assert_close(
            item[..., :length], single[0, ..., :length], atol=2e-4, rtol=1e-3
        )


@pytest.mark.parametrize("name", ["mel", "whisper-base", "whisper-base:4"])
def test_front_ends(name, hello, goodbye):
    network = pretrained.front_end(name, AUDIO)
    waves = [torch.from_numpy(hello), torch.from_numpy(goodbye)[:20001]]
    lengths = torch.tensor([len(wave) for wave in waves])
    batch = torch.stack(
        [torch.nn.functional.pad(wave, (0, 300_000 - len(wave))) for wave in waves]
    )  # reaches a second window
    frames = -(-lengths // (160 * network.stride))
    together = network(batch, lengths)
    assert_items_equal_batch(
        together,
        [network(wave[None], length[None]) for wave, length in zip(waves, lengths, strict=True)],
        frames,
    )
    assert together[1, :, frames[1] :].abs().max() == 0


def test_whisper_has_as_many_layers_as_its_name_gives(hello):
    wave, seen = torch.from_numpy(hello)[None, :16000], []
    whole = pretrained.front_end("whisper-base", AUDIO)
    whole.layers[3].register_forward_hook(lambda module, inputs, output: seen.append(output))
    features, length = whole(wave, torch.tensor([16000])), torch.tensor([16000])
    torch.testing.assert_close(
        pretrained.front_end("whisper-base:4", AUDIO)(wave, length),
        whole.norm(seen[0]).transpose(1, 2),
    )
    torch.testing.assert_close(
        pretrained.front_end("whisper-base:6", AUDIO)(wave, length), features
    )


def test_content_encoder():
    network, x = ContentEncoder(32).eval(), torch.randn(2, 32, 61)
    q = network(x, length_mask(LENGTHS, 61))
    alone = [network(x[i : i + 1, :, :length]) for i, length in enumerate(LENGTHS)]
    assert_items_equal_batch(q.mean, [single.mean for single in alone], LENGTHS)
    assert_items_equal_batch(q.log_variance, [single.log_variance for single in alone], LENGTHS)


def test_instance_norm_removes_gain_and_offset_of_every_channel():
    x = torch.randn(2, 8, 50)
    torch.testing.assert_close(instance_norm(x * 3 + 7), instance_norm(x), atol=1e-3, rtol=0)


def test_speaker_encoder():
    network, x, known = SpeakerEncoder(80).eval(), torch.randn(2, 80, 61), torch.randn(2, 256)
    q = network(x, known, length_mask(LENGTHS, 61))
    for i, length in enumerate(LENGTHS):
        torch.testing.assert_close(
            q.mean[i],
            network(x[i : i + 1, :, :length], known[i : i + 1]).mean[0],
            atol=1e-4,
            rtol=1e-3,
        )


@pytest.mark.parametrize("stride", [1, 2])
def test_decoder(stride):
    network = MelDecoder(16, 12, 80, stride).eval()
    content, speaker = torch.randn(2, 16, -(-61 // stride)), torch.randn(2, 12)
    f0 = 100 + 50 * torch.rand(2, 61)
    pitch = pitch_channels(f0, torch.tensor([[4.8, 0.2], [5.0, 0.1]]))
    mel = network(content, pitch, speaker, length_mask(LENGTHS, 61))
    alone = [
        network(
            content[i : i + 1, :, : -(-length // stride)],
            pitch[i : i + 1, :, :length],
            speaker[i : i + 1],
        )
        for i, length in enumerate(LENGTHS)
    ]
    assert_items_equal_batch(mel, alone, LENGTHS)


@pytest.mark.parametrize("steps", [2, 4])
def test_vocoder(steps):
    network = SourceFilterVocoder(AUDIO, steps=steps).eval()
    mel, f0 = torch.randn(2, 80, 61) - 5, 100 + 50 * torch.rand(2, 61)
    f0[:, 20:30] = 0
    f0[1, 40:] = 0
    wave = network(mel, f0, length_mask(LENGTHS, 61))
    alone = [
        network(mel[i : i + 1, :, :length], f0[i : i + 1, :length])
        for i, length in enumerate(LENGTHS)
    ]
    assert_items_equal_batch(wave, alone, LENGTHS * AUDIO.hop_length)


def test_pulses_have_the_asked_period_and_go_on_where_unvoiced():
    f0 = torch.full((1, 100), 125.0)
    f0[:, 60:] = 0
    pulses = SourceFilterVocoder(AUDIO).pulses(f0)[0]
    peaks = (
        (pulses[1:-1] > pulses[:-2])
        & (pulses[1:-1] > pulses[2:])
        & (pulses[1:-1] > 0.6 * pulses.max())
    )
    gaps = peaks.nonzero()[:, 0].diff()
    assert (gaps == 128).float().mean() > 0.95  # 16000 Hz / 125 Hz


def test_filters_that_do_not_fit_the_frames_are_refused():
    with pytest.raises(CheckpointError, match="multiple of 4"):
        SourceFilterVocoder(AudioConfig(hop_length=150), steps=4)


@pytest.mark.parametrize("steps", [2, 4])
def test_a_vocoders_windows_go_on_where_the_one_before_ended(steps):
    network = SourceFilterVocoder(AUDIO, steps=steps).eval()
    torch.nn.init.normal_(network.output.weight, std=0.1)
    mel, f0 = torch.randn(1, 80, 600) - 5, 150 + 3 * torch.randn(1, 600).cumsum(1)
    f0[:, :20] = f0[:, 140:180] = f0[:, 300:330] = 0  # the second window begins unvoiced
    whole = network(mel, f0)
    windows = [
        (0, 0, 170),
        (150, 190, 300),
        (310, 350, 470),
    ]  # from where; the frames that no window's edge reaches
    for (left, first, last), state in zip(
        windows, excitation_states(f0[0], [left for left, *_ in windows], AUDIO), strict=True
    ):
        part = network(mel[..., left : left + 200], f0[:, left : left + 200], state=state)[
            ..., (first - left) * 160 : (last - left) * 160
        ]
        expected = whole[..., first * 160 : last * 160]
        assert (part - expected).norm() < 1e-3 * expected.norm()


@pytest.mark.parametrize("name", ["mel", "whisper-base"])
def test_every_weight_has_a_gradient(name):
    model = Autoencoder(AUDIO, name)
    channels = model.content_encoder.input.in_channels
    with torch.enable_grad():
        content = model.encode_content(torch.randn(2, channels, 60 // model.stride))
        speaker = model.encode_speaker(torch.randn(2, 80, 50), torch.randn(2, 256))
        f0 = torch.full((2, 60), 120.0)
        mel = model.decode(content.sample(), f0, torch.tensor([[4.8, 0.2]] * 2), speaker.sample())
        (
            mel.square().mean() + model.speaker_encoder.predict_f0_statistics(speaker.mean).sum()
        ).backward()
    assert [name for name, weight in model.named_parameters() if weight.grad is None] == []
