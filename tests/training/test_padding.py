"""Segments shorter than others in a batch: their padding is silence in every loss."""

import math
from unittest.mock import Mock

import pytest
import torch
from torch.utils.data import default_collate

from voiceswap.features import AudioConfig
from voiceswap.training import losses
from voiceswap.training.autoencoder_task import AutoencoderTask
from voiceswap.training.conversions import encode
from voiceswap.training.high_band_task import HighBandTask
from voiceswap.training.vocoder_task import VocoderTask

FRAMES = 40  # of what is kept of a segment


@pytest.fixture
def padded(data):
    """Four segments, of which the last three end early."""
    batch = default_collate([data.train_dataloader().dataset[i] for i in range(4)])
    for name, end in (("mel", FRAMES), ("f0", FRAMES), ("samples", 160 * FRAMES), ("content", 20)):
        batch[name][1:, ..., end:] = 0.0
    batch["length"][1:] = FRAMES
    return batch


@pytest.mark.parametrize("task", [VocoderTask, HighBandTask])
def test_vocoders_synthesize_silence_for_padding(padded, monkeypatch, task):
    if task is HighBandTask:
        task, loss = task(AudioConfig(), rate=24000, adversarial=0.0), "envelope_loss"
        padded["samples"] = torch.zeros(4, padded["mel"].shape[-1] * 240)
    else:
        task, loss = task(AudioConfig(), initial="default", decoded="default"), "spectral_loss"
    seen = Mock(side_effect=lambda made, *_: made.new_ones(()))
    monkeypatch.setattr(losses, loss, seen)
    task.crop, task.minimise, task.log = padded["mel"].shape[-1], Mock(), Mock()
    task.training_step(padded, 0)
    task.validation_step(padded, 0)
    for call in seen.call_args_list:
        made = call.args[0]
        end = made.shape[-1] * (FRAMES + 4) // padded["mel"].shape[-1]
        assert made[:, :end].abs().amax(1).min() > 0.01 and made[1:, end:].abs().max() < 1e-4


def test_the_speaker_loss_gets_silence_for_padding(padded):
    task = AutoencoderTask(AudioConfig(), verification=1.0, initial="default")
    seen = task.fixed["verification"].forward = Mock(side_effect=lambda made, _: made.mean())
    content, speaker, _ = encode(task.autoencoder, padded)
    halves = {name: x[[1, 2, 3, 0]] for name, x in padded.items()}
    task._conversion_losses(halves, content, content.mode(), speaker.mode())
    silence = torch.tensor(math.log(AudioConfig().log_floor))
    for mel in seen.call_args.args:
        assert (mel[..., FRAMES:] == silence).all() and (mel[..., :FRAMES] > silence).any()
