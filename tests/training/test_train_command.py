"""The real commands on a tiny corpus: what they make, show and refuse."""

import io
import shutil
import subprocess
import sys

import numpy as np
import pytest
import soundfile
import torch
import yaml
from commands import command, refusal
from lhotse import CutSet
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from training_runs import TINY, config

from voiceswap import VoiceSwapper
from voiceswap.examples import GOODBYE, HELLO
from voiceswap.features import AudioConfig
from voiceswap.files import sha256
from voiceswap.models.checkpoint import load_checkpoint, save_checkpoint
from voiceswap.models.checkpoint_header import read_metadata
from voiceswap.training.data import SpeechData


def test_train_export_convert(corpus, tmp_path, monkeypatch):
    first = config(corpus, tmp_path, 2, sizes=TINY)
    command(monkeypatch, "train", "autoencoder", "--config", first)
    (tmp_path / "last.ckpt").rename(tmp_path / "autoencoder.ckpt")
    export = "export", tmp_path / "autoencoder.ckpt"
    half, model = tmp_path / "half.safetensors", tmp_path / "model.safetensors"
    command(monkeypatch, *export, "--out", half)
    second = config(corpus, tmp_path, 2, decoded=str(half))
    command(monkeypatch, "train", "vocoder", "--config", second)
    command(monkeypatch, *export, "--vocoder", tmp_path / "last.ckpt", "--out", model)
    card = read_metadata(model)["card"]
    assert (
        "licence: not stated" in card["data"]["speakers"]
        and card["vocoder training"]["steps made"] == 2
    )
    assert card["vocoder training"]["decoded"] == "half.safetensors"  # without its folder
    digest = (tmp_path / "model.safetensors.sha256").read_text().split()[0]
    assert digest == sha256(model)
    out = VoiceSwapper.load(model, "cpu").convert(HELLO, GOODBYE)
    assert len(out) == soundfile.info(HELLO).duration * 16000 and np.isfinite(out).all()


def test_a_high_band_is_trained_and_the_rest_stays(corpus, tmp_path, monkeypatch):
    low = load_checkpoint()
    low.vocoder = low.vocoder.without_high_band()
    save_checkpoint(tmp_path / "low.safetensors", low)
    settings = config(
        corpus,
        tmp_path,
        4,
        data={"samples_rate": 20000, "front_end": "mel", "views": 1},
        initial=str(tmp_path / "low.safetensors"),
        rate=20000,
        seconds=0.3,
    )
    command(monkeypatch, "train", "high-band", "--config", settings)
    model, trained = tmp_path / "model.safetensors", tmp_path / "last.ckpt"
    export = "export", tmp_path / "low.safetensors", "--vocoder", trained, "--out", model
    command(monkeypatch, *export)
    exported = load_checkpoint(model)
    assert exported.vocoder.output_audio.sample_rate == 20000
    before = load_checkpoint(tmp_path / "low.safetensors").vocoder.state_dict()
    for name, weights in exported.vocoder.without_high_band().state_dict().items():
        torch.testing.assert_close(weights, before[name], atol=1e-3, rtol=1e-3)
    phases = exported.vocoder.high_band.output.bias.view(4, 3, -1)[:, 1]
    assert phases.abs().max() > 0  # where training begins with zero
    out = VoiceSwapper.load(model, "cpu").convert(HELLO, GOODBYE)
    assert len(out) == soundfile.info(HELLO).duration * 20000 and np.isfinite(out).all()


def test_a_loss_of_nan_names_the_cuts_and_the_last_good_checkpoint(
    corpus, tmp_path, monkeypatch, capsys
):
    cache = tmp_path / "cache"
    shutil.copytree(corpus / "cache", cache)
    path = config(corpus, tmp_path, 50, data={"cache_dir": str(cache)}, sizes=TINY)
    real = SpeechData.on_after_batch_transfer

    def spoilt(self, batch, index):
        batch = real(self, batch, index)
        return batch | {"mel": batch["mel"] * torch.nan} if self.position == 4 else batch

    monkeypatch.setattr(SpeechData, "on_after_batch_transfer", spoilt)
    message = refusal(monkeypatch, capsys, "train", "autoencoder", "--config", path)
    good = tmp_path / "last.ckpt"
    expected = f"The loss became nan at step 3; the last good checkpoint is {good}; the batch held "
    assert f"{expected}speakers-" in message
    assert torch.load(tmp_path / "last.ckpt", weights_only=True)["global_step"] == 2


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            ("speakers-train", "nobody-train"),
            "nobody-train.jsonl.gz does not exist; make it with python -m data_prep.",
        ),
        (("batch_size", "batch_sise"), "batch_sise"),
        (
            ("batch_size: 4", "batch_size: 4\n  shares: [1, 1]"),
            "a share for each manifest of data.train, 1 here",
        ),
        (("batch_size: 4", "batch_size: 4\n  seed: -1"), "data.seed is -1, but must be a number"),
        (
            ("steps: 100", "steps: 100\n  learning_rate: -1"),
            "model.learning_rate is -1.0, but must",
        ),
        (
            ("steps: 100", "steps: 100\n  sizes: {content_blocks: -2}"),
            "model.sizes is -2, but must",
        ),
        (("batch_size: 4", "batch_size: many"), "Expected a <class 'int'>. Got value: many"),
        (("max_steps", "max_stepz"), "max_stepz"),
        (
            ("audio: {}", "audio: {sample_rate: 44100, f_max: 22050}"),
            "far below the 44100 Hz that data asks for",
        ),
        (("steps: 100", "steps: 100\n  initial: nobody.ckpt"), "nobody.ckpt does not exist"),
        (("steps: 100", "steps: 100\n  vocoder: default"), "model.vocoder has no effect"),
        (("audio: {}", "audio: {n_mels: 64}\n  front_end: mel\n#"), "n_mels"),
        (
            ("max_steps:", "gradient_clip_val: 1\n  max_steps:"),
            "Automatic gradient clipping is not supported",
        ),
    ],
)
def test_what_is_wrong_with_a_config_is_one_sentence(
    corpus, tmp_path, monkeypatch, capsys, change, sentence
):
    initial = {"initial": "default"} if change[1].startswith("audio: {n_mels") else {}
    path = config(corpus, tmp_path, 2, **initial)
    assert change[0] in path.read_text()
    path.write_text(path.read_text().replace(*change))
    assert sentence in refusal(monkeypatch, capsys, "train", "autoencoder", "--config", path)
    path.write_bytes(b"\xff\xfe\xcd")
    assert "no text" in refusal(monkeypatch, capsys, "train", "autoencoder", "--config", path)


def test_lightnings_lines_are_those_of_a_run_that_starts_and_none_starts_over_another(
    corpus, tmp_path
):
    free, taken = tmp_path / "free", tmp_path / "taken"
    free.mkdir(), taken.mkdir()
    last = taken / "last.ckpt"
    last.write_bytes(b"another run")
    train = [sys.executable, "-m", "voiceswap", "train", "autoencoder", "--config"]
    told = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    runs = [  # both at once, as each takes long to start
        subprocess.Popen([*train, config(corpus, folder, 2, sizes=TINY)], **told)
        for folder in (free, taken)
    ]
    (_, lines), refused = (run.communicate() for run in runs)
    assert [run.returncode for run in runs] == [0, 1]
    for word in ("Seed set to 0", "GPU available", "max_steps=2` reached"):
        assert word in lines
    sentence = f"{taken} holds another run: go on with it by --ckpt_path {last}, or move it away."
    assert refused == ("", f"{sentence}\n")
    assert last.read_bytes() == b"another run" and list(taken.glob("*.ckpt")) == [last]
    assert (free / "last.ckpt").exists()


def test_a_full_disk_is_one_sentence_before_anything_is_made(corpus, tmp_path, monkeypatch, capsys):
    path = config(corpus, tmp_path, 2)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 10**7}))
    assert "3 checkpoints need about" in refusal(
        monkeypatch, capsys, "train", "autoencoder", "--config", path
    )
    path = config(corpus, tmp_path, 2, data={"cache_dir": str(tmp_path / "cache"), "views": 3})
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 10**5}))
    assert "minutes of speech need" in refusal(
        monkeypatch, capsys, "train", "autoencoder", "--config", path
    )
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("network", ["autoencoder", "vocoder"])
def test_a_run_from_the_bundled_weights_can_be_watched(corpus, tmp_path, monkeypatch, network):
    pytest.importorskip("sklearn")
    path = config(corpus, tmp_path, 2, data={"batch_size": 8}, initial="default")
    settings = yaml.safe_load(path.read_text())
    settings["trainer"]["callbacks"].append(
        {
            "class_path": "voiceswap.training.validation_logger.ValidationLogger",
            "init_args": {"conversions": 2},
        }
    )
    settings["trainer"] |= {"limit_val_batches": 4, "num_sanity_val_steps": 0}
    path.write_text(yaml.safe_dump(settings))
    command(monkeypatch, "train", network, "--config", path)
    events = EventAccumulator(
        str(tmp_path / "lightning_logs/version_0"), {"images": 9, "audio": 9}
    ).Reload()
    shown = "conversion" if network == "autoencoder" else "copy synthesis"
    for i in (1, 2):
        assert events.Images(f"{shown} {i}")[0].step == 2
        [sound] = events.Audio(f"{shown} {i}")
        samples, rate = soundfile.read(io.BytesIO(sound.encoded_audio_string))
        assert rate == 16000 and 0.01 < np.abs(samples).max() <= 1 and len(samples) > 8000
    metrics = {
        tag: events.Scalars(tag)[-1].value
        for tag in events.Tags()["scalars"]
        if tag.startswith("validation")
    }
    assert 0.5 < metrics["validation/sv"] <= 1
    if network == "autoencoder":
        kls = ("content_kl_nats_a_second", "speaker_kl_nats_a_voice")
        assert metrics[f"validation/{kls[0]}"] > metrics[f"validation/{kls[1]}"] > 1
        assert 0 <= metrics["validation/speaker_probe_on_content"] <= 1
        made = tmp_path / "m.safetensors"
        command(monkeypatch, "export", tmp_path / "last.ckpt", "--out", made)
        assert load_checkpoint(made).content_log_variance == pytest.approx(-3.7, abs=0.2)


def test_shards_give_what_manifests_give(corpus, data, tmp_path):
    cuts = CutSet.from_jsonl_lazy(corpus / "manifests/speakers-train.jsonl.gz")
    (tmp_path / "shar").mkdir()
    cuts.to_shar(tmp_path / "shar", {"recording": "flac"}, shard_size=3)
    sharded = SpeechData(
        [tmp_path / "shar"],
        [],
        tmp_path / "cache",
        AudioConfig(),
        views=2,
        batch_size=4,
        seconds=1.0,
        reference_seconds=1.2,
        jobs=1,
    )
    for path in corpus.glob("voices/*/*.flac"):  # shards hold the recordings themselves
        path.rename(path.with_suffix(".away"))
    try:
        sharded.prepare_data()
    finally:
        for path in corpus.glob("voices/*/*.away"):
            path.rename(path.with_suffix(".flac"))
    first, second = (module.train_dataloader().dataset[3] for module in (data, sharded))
    assert all(torch.allclose(first[name], second[name], atol=1e-3) for name in first)
    assert sharded.val_dataloader() == []
