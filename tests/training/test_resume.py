"""A resumed run, or one of several processes, equals an uninterrupted run of one process."""

import signal
import subprocess
import sys
import time

import numpy as np
import torch
from commands import command
from training_runs import TINY, config, same_weights


def test_a_resumed_run_equals_an_uninterrupted_one(corpus, tmp_path, monkeypatch, capsys):
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    whole.mkdir(), halves.mkdir()
    train = "train", "autoencoder", "--config"
    command(monkeypatch, *train, config(corpus, whole, 4, sizes=TINY))
    command(monkeypatch, *train, config(corpus, halves, 2, sizes=TINY))
    shown = config(corpus, halves, 4, {"enable_progress_bar": True}, sizes=TINY)
    command(monkeypatch, *train, shown, "--ckpt_path", halves / "last.ckpt")
    same_weights(whole / "last.ckpt", halves / "last.ckpt")
    bar = capsys.readouterr().out
    assert " 3/4 [" in bar and " 4/4 [" in bar


def test_runs_stopped_by_sigterm_and_sigkill_equal_an_uninterrupted_one(
    corpus, tmp_path, monkeypatch
):
    """A step accumulates two batches, so that a stop or a validation may fall between them."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    train = "train", "autoencoder", "--config"
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    whole.mkdir(), stopped.mkdir()
    trainer, steps = {"accumulate_grad_batches": 2, "val_check_interval": 5}, 60
    resume = []
    for signal_ in (signal.SIGTERM, signal.SIGKILL):
        path = config(corpus, stopped, 10000, trainer, sizes=TINY)
        before = set(stopped.glob("*step=*"))
        process = subprocess.Popen(
            [sys.executable, "-m", "voiceswap", *train, path, *resume],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        while len(set(stopped.glob("*step=*")) - before) < 2:
            assert process.poll() is None, process.stdout.read()
            time.sleep(0.02)
        process.send_signal(signal_)
        output = process.communicate()[0]
        if signal_ == signal.SIGTERM:
            assert (
                process.returncode == 143
                and f"to go on: --ckpt_path {stopped / 'last.ckpt'}" in output
            )
            assert (
                torch.load(stopped / "last.ckpt", weights_only=True)["SpeechData"]["position"] % 2
                == 0
            )
        resume = ["--ckpt_path", stopped / "last.ckpt"]
    assert 4 <= torch.load(stopped / "last.ckpt", weights_only=True)["global_step"] < steps
    for folder, more in ((stopped, resume), (whole, [])):
        path = config(corpus, folder, steps, trainer, sizes=TINY)
        command(monkeypatch, *train, path, *more)
    same_weights(whole / "last.ckpt", stopped / "last.ckpt")


def test_two_processes_learn_what_one_learns_with_twice_the_batch(corpus, tmp_path, monkeypatch):
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir(), two.mkdir()
    plain = {
        "logger": {
            "class_path": "CSVLogger",
            "init_args": {"save_dir": "", "name": "", "version": ""},
        },
        "log_every_n_steps": 1,
    }
    lines = []
    for folder, trainer, batch_size in ((one, {}, 4), (two, {"devices": 2, "strategy": "ddp"}, 2)):
        plain["logger"]["init_args"]["save_dir"] = str(folder)
        path = config(corpus, folder, 4, plain | trainer, {"batch_size": batch_size}, sizes=TINY)
        lines.append(("train", "autoencoder", "--config", path))
    both = subprocess.Popen([sys.executable, "-m", "voiceswap", *lines[1]])
    command(monkeypatch, *lines[0])  # while the two start
    assert both.wait(timeout=240) == 0
    losses = [
        np.genfromtxt(folder / "metrics.csv", delimiter=",", names=True) for folder in (one, two)
    ]
    for name in losses[0].dtype.names:
        if name.startswith("train"):
            first, second = (rows[name][~np.isnan(rows[name])] for rows in losses)
            assert len(first) == 4 and np.allclose(first, second, rtol=1e-4, atol=1e-5), (
                name,
                first,
                second,
            )
    first, second = (
        torch.load(folder / "last.ckpt", weights_only=True)["current_model_state"]
        for folder in (one, two)
    )
    for name, tensor in first.items():
        if tensor.is_floating_point():
            assert (tensor - second[name]).abs().max() < 1e-4, (
                name
            )  # four steps at a rate below 2e-5 each move a weight by up to 8e-5
