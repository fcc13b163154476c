"""The front end for speech in bad conditions: what is bad, that it learns, and its model file."""

import numpy as np
import torch
from commands import command
from test_autocast import random_batch
from training_runs import config, without_trainer

from voiceswap import VoiceSwapper
from voiceswap.examples import GOODBYE
from voiceswap.features import AudioConfig
from voiceswap.training import degrade as conditions
from voiceswap.training.degrade import degrade
from voiceswap.training.front_end_task import FrontEndTask


def only(monkeypatch, **shares):
    """Let `degrade` do some things always and others never."""
    for name in ("CLEAN", "ROOM", "NOISE", "OTHERS", "TELEPHONE"):
        monkeypatch.setattr(conditions, name, shares.get(name, 0.0))


def test_conditions_are_as_bad_as_they_are_meant_to_be(segments, monkeypatch):
    torch.manual_seed(0)
    segments[0, 8000:] = 0  # padding
    only(monkeypatch)
    assert torch.equal(degrade(segments, 16000), segments)
    power = segments.square().sum(-1) / (segments != 0).sum(-1)
    for others in (0.0, 1.0):
        only(monkeypatch, NOISE=1.0, OTHERS=others)
        noise = degrade(segments, 16000) - segments
        level = 10 * (noise.square().mean(-1) / power).log10()
        assert level.min() > -26 and level.max() < 1 and level.std() > 3
    only(monkeypatch, ROOM=1.0)
    room = degrade(segments, 16000) - segments
    assert room[:, :40].abs().max() < 1e-4 and room[0, 8000:].abs().max() > 1e-3  # it rings
    only(monkeypatch, TELEPHONE=1.0)
    before, after = (torch.fft.rfft(x).abs().square() for x in (segments, degrade(segments, 16000)))
    kept = (after / before.clamp(min=1e-12)).sqrt()
    assert (kept[:, 1000:2000] > 0.8).all() and (kept[:, 7900:] < 0.65).all()
    only(monkeypatch, NOISE=1.0, CLEAN=0.5)
    same = (degrade(segments.repeat(16, 1), 16000) == segments.repeat(16, 1)).all(-1)
    assert 0.4 < same.float().mean() < 0.6


def test_a_front_end_learns_to_see_through_noise(segments, monkeypatch):
    torch.manual_seed(0)
    task = FrontEndTask(AudioConfig(), steps=40, learning_rate=3e-3)
    code = without_trainer(task, "code")
    batch = random_batch(2) | {"samples": segments[:2]}
    only(monkeypatch, NOISE=1.0)
    monkeypatch.setattr(conditions, "NOISE_DB", (5.0, 5.0))
    for step in range(12):
        torch.manual_seed(step % 2)
        task.training_step(batch, step)
    assert code[0] > 0.1 and np.mean(code[-2:]) < 0.9 * np.mean(code[:2])


def test_what_it_learned_is_in_the_models_file(corpus, monkeypatch, tmp_path):
    settings = config(corpus, tmp_path, 2, data={"front_end": "mel", "views": 1}, rank=2)
    command(monkeypatch, "train", "front-end", "--config", settings)
    taught, out = tmp_path / "last.ckpt", tmp_path / "m.safetensors"
    command(monkeypatch, "export", "default", "--front-end", taught, "--out", out)
    swapper = VoiceSwapper.load(out)
    assert swapper.engine.encoder.noisy and len(swapper.convert(GOODBYE, GOODBYE)) > 0
    assert swapper.card["front_end_adapter training"]["rank"] == 2
    command(monkeypatch, "export", out, "--front-end", out, "--out", tmp_path / "again.safetensors")
    assert VoiceSwapper.load(tmp_path / "again.safetensors").engine.encoder.noisy
