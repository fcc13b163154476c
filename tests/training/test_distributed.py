"""Training by DDP, of which a process alone is enough to see what it refuses."""

import os
from unittest import mock

import pytest
import torch
from commands import command
from training_runs import config


@pytest.fixture
def alone():
    """Leaves nothing of a process group behind."""
    with mock.patch.dict(os.environ):
        yield
        torch.distributed.destroy_process_group()


@pytest.mark.usefixtures("alone")
def test_two_networks_that_learn_in_turn_train_by_ddp(corpus, tmp_path, monkeypatch):
    settings = config(
        corpus,
        tmp_path,
        4,  # of both optimisers: the second backward pass of each network would fail
        {"strategy": "ddp", "devices": 1, "limit_val_batches": 0},
        {"batch_size": 1},
        adversarial=0.1,
        seconds=0.1,
        sizes={"width": 16, "blocks": 1},
    )
    command(monkeypatch, "train", "vocoder", "--config", settings)
    saved = torch.load(tmp_path / "last.ckpt", weights_only=True)
    assert saved["global_step"] == 4 and len(saved["optimizer_states"]) == 2
