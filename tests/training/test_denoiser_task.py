"""The denoiser of references: pairs of speech and noisy speech, that it learns, its model file."""

import numpy as np
import torch
from commands import command
from test_autocast import random_batch
from training_runs import config, without_trainer

from voiceswap import VoiceSwapper
from voiceswap.examples import GOODBYE, HELLO
from voiceswap.features import AudioConfig
from voiceswap.training import degrade
from voiceswap.training.degrade import noisy_pairs
from voiceswap.training.denoiser_task import DenoiserTask


def only(monkeypatch, **shares):
    """Let `noisy_pairs` do some things always and others never."""
    for name in ("PAIR_ROOM", "OTHERS", "TELEPHONE", "QUIET", "SWELLING"):
        monkeypatch.setattr(degrade, name, shares.get(name, 0.0))


def test_pairs_differ_by_the_noise_alone(segments, monkeypatch):
    torch.manual_seed(0)
    for shares in ({}, {"SWELLING": 1.0}, {"OTHERS": 1.0}):
        only(monkeypatch, **shares)
        speech, noisy = noisy_pairs(segments, 16000)
        assert torch.equal(speech, segments)
        noise = noisy - speech
        level = 10 * (noise.square().mean(-1) / speech.square().mean(-1)).log10()
        assert level.min() > -31 and level.max() < 4 and level.std() > 4


def test_of_a_room_the_start_alone_is_speech(segments, monkeypatch):
    torch.manual_seed(0)
    only(monkeypatch, PAIR_ROOM=1.0, QUIET=1.0)
    click = torch.zeros_like(segments)
    click[:, 4000] = 1.0
    speech, recorded = noisy_pairs(click, 16000)
    last = 4000 + round(degrade.NEAR * 16000)
    assert torch.allclose(speech[:, :last], recorded[:, :last], atol=1e-4)
    assert speech[:, last + 1 :].abs().max() < 1e-4
    assert (recorded[:, last + 1 :].abs().amax(-1) > 1e-3).all()


def test_a_denoiser_learns(segments, monkeypatch):
    torch.manual_seed(0)
    task = DenoiserTask(AudioConfig(), steps=200, learning_rate=2e-2)
    mel = without_trainer(task, "mel")
    batch = random_batch(8) | {"samples": segments[:8]}
    only(monkeypatch)
    monkeypatch.setattr(degrade, "PAIR_NOISE_DB", (5.0, 5.0))
    for step in range(30):
        torch.manual_seed(step % 2)
        task.training_step(batch, step)
    assert np.mean(mel[-4:]) < 0.7 * np.mean(mel[:4])


def test_silent_segments_have_a_loss():
    torch.manual_seed(0)
    losses = DenoiserTask(AudioConfig(), steps=1)._losses(
        torch.zeros(2, 16000), torch.tensor([100, 100])
    )
    assert all(loss.isfinite() for loss in losses.values())


def test_what_it_learned_is_in_the_models_file(corpus, monkeypatch, tmp_path):
    settings = config(corpus, tmp_path, 2, data={"front_end": "mel", "views": 1}, width=8, blocks=1)
    command(monkeypatch, "train", "denoiser", "--config", settings)
    out = tmp_path / "m.safetensors"
    command(monkeypatch, "export", "default", "--denoiser", tmp_path / "last.ckpt", "--out", out)
    swapper = VoiceSwapper.load(out)
    assert swapper.engine.denoiser.architecture["width"] == 8
    assert swapper.card["denoiser training"]["blocks"] == 1
    assert len(swapper.convert(GOODBYE, HELLO)) > 0
    command(monkeypatch, "export", out, "--denoiser", out, "--out", tmp_path / "again.safetensors")
    assert VoiceSwapper.load(tmp_path / "again.safetensors").engine.denoiser is not None
