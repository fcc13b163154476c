"""The real commands on a tiny corpus."""

import sys

import numpy as np
import pytest
import soundfile
import torch
import yaml
from typer.testing import CliRunner

from data_prep.__main__ import app as data_prep_app
from voiceswap import VoiceSwapper, cli
from voiceswap.errors import TrainingError
from voiceswap.examples import GOODBYE, HELLO
from voiceswap.features import AudioConfig, LogMel
from voiceswap.frozen import speaker_verifier
from voiceswap.training.autoencoder_task import AutoencoderTask
from voiceswap.training.data import SpeechData
from voiceswap.training.mel_verifier import MelVerifier
from voiceswap.training.vocoder_task import VocoderTask


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Six speakers of two recordings each, and what training needs of them."""
    folder = tmp_path_factory.mktemp("corpus")
    for i in range(6):
        wave, rate = soundfile.read((HELLO, GOODBYE)[i % 2])
        for take, speed in enumerate((1.0, 1.06)):
            (folder / f"voices/speaker{i}").mkdir(parents=True, exist_ok=True)
            soundfile.write(folder / f"voices/speaker{i}/{take}.flac", wave, round(rate * speed * (0.9 + 0.04 * i)))
    (folder / "voices/speaker0/broken.wav").write_bytes(b"nothing")
    result = CliRunner().invoke(data_prep_app, ["speakers", str(folder / "voices"), str(folder / "manifests")])
    assert result.exit_code == 0, result.output
    assert "6 speakers, 12 recordings" in result.output and "1 left out" in result.output
    assert "broken.wav" in (folder / "manifests/speakers-left-out.txt").read_text()
    return folder


@pytest.fixture(scope="module")
def data(corpus):
    manifest = [corpus / "manifests/speakers-train.jsonl.gz"]
    data = SpeechData(
        manifest, manifest, corpus / "cache", AudioConfig(), views=2, batch_size=4, seconds=1.0, reference_seconds=1.2, jobs=2
    )
    data.prepare_data()
    return data


def config(corpus, tmp_path, steps, **model):
    manifest = [str(corpus / "manifests/speakers-train.jsonl.gz")]
    settings = {
        "seed_everything": 0,
        "trainer": {
            "accelerator": "cpu",
            "max_steps": steps,
            "limit_val_batches": 1,
            "val_check_interval": 2,
            "default_root_dir": str(tmp_path),
            "enable_progress_bar": False,
            "callbacks": [
                {
                    "class_path": "ModelCheckpoint",
                    "init_args": {"dirpath": str(tmp_path), "every_n_train_steps": 2, "save_last": True, "save_top_k": -1},
                },
                {"class_path": "EMAWeightAveraging", "init_args": {"decay": 0.5}},
            ],
        },
        "model": {"steps": 100, **model},
        "data": {
            "audio": {},
            "train": manifest,
            "validation": manifest,
            "cache_dir": str(corpus / "cache"),
            "views": 2,
            "batch_size": 4,
            "seconds": 1.0,
            "reference_seconds": 1.2,
        },
    }
    path = tmp_path / f"config-{steps}.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


def command(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["voiceswap", *map(str, arguments)])
    with pytest.raises(SystemExit) as exit:
        cli.main()
    assert not exit.value.code


def test_an_item_depends_on_its_index_alone_and_the_reference_is_another_stretch(data):
    dataset = data.train_dataloader().dataset
    first, again = dataset[7], dataset[7]
    assert all(torch.equal(first[name], again[name]) for name in first)
    for i in range(20):
        item = dataset[i]
        length, reference = int(item["length"]), int(item["reference_length"])
        assert not torch.equal(item["mel"][:, : min(length, reference)], item["reference_mel"][:, : min(length, reference)])
        assert item["content"].shape[1] * 2 == item["mel"].shape[1] == data.frames


def test_the_verifier_hears_on_the_decoders_mels_what_it_hears_on_its_own(hello, goodbye):
    log_mel, on_mels, verifier = LogMel(AudioConfig()), MelVerifier(AudioConfig()), speaker_verifier()
    window = slice(40, 40 + verifier.window)  # frames, within speech; both mels have 100 a second

    def both(wave):
        wave = torch.from_numpy(wave / np.sqrt(np.mean(wave**2)) * 10 ** (verifier.level_db / 20))[None]
        return on_mels(log_mel(wave)[..., window])[0], verifier.embed_mel(verifier.mel(wave)[..., window])[0]

    (hello_on_ours, hello_on_its_own), (goodbye_on_ours, goodbye_on_its_own) = both(hello), both(goodbye)
    assert hello_on_ours @ hello_on_its_own > 0.8 > hello_on_ours @ goodbye_on_its_own
    assert goodbye_on_ours @ goodbye_on_its_own > 0.8 > goodbye_on_ours @ hello_on_its_own


@pytest.mark.parametrize(
    ("task", "options"),
    [
        (AutoencoderTask, {}),
        (AutoencoderTask, {"verification": 1.0, "adversarial": 0.1}),
        (VocoderTask, {}),
        (VocoderTask, {"adversarial": 0.1}),
    ],
)
def test_steps_on_one_batch_lower_its_loss(data, monkeypatch, task, options):
    torch.manual_seed(0)
    batch = next(iter(data.train_dataloader()))
    module = task(data.cache.config.audio, steps=1000, **options)
    optimisers = [pair["optimizer"] for pair in module.configure_optimizers()]
    for group in (group for optimiser in optimisers for group in optimiser.param_groups):
        group["lr"] = 1e-3
    schedules = [pair["lr_scheduler"]["scheduler"] for pair in module.configure_optimizers()]
    monkeypatch.setattr(module, "optimizers", lambda: optimisers)
    monkeypatch.setattr(module, "lr_schedulers", lambda: schedules)
    monkeypatch.setattr(module, "manual_backward", lambda loss: loss.backward())
    logged = []
    monkeypatch.setattr(module, "log_dict", lambda parts, **_: logged.append({name: float(value) for name, value in parts.items()}))
    for _ in range(6):
        module.training_step(batch, 0)
    main = "train/reconstruction" if task is AutoencoderTask else "train/spectral"
    assert all(np.isfinite(list(parts.values())).all() for parts in logged)
    assert logged[-1][main] < logged[0][main] - 0.02


def test_a_stopped_and_resumed_run_is_the_run_that_was_never_stopped(corpus, tmp_path, monkeypatch):
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    whole.mkdir(), halves.mkdir()
    command(monkeypatch, "train", "autoencoder", "--config", config(corpus, whole, 4))
    command(monkeypatch, "train", "autoencoder", "--config", config(corpus, halves, 2))
    command(monkeypatch, "train", "autoencoder", "--config", config(corpus, halves, 4), "--ckpt_path", halves / "last.ckpt")
    first, second = (torch.load(folder / "epoch=0-step=4.ckpt", weights_only=True) for folder in (whole, halves))
    for part in ("state_dict", "current_model_state"):
        for name, tensor in first[part].items():
            assert torch.equal(tensor, second[part][name]), name


def test_train_export_convert(corpus, tmp_path, monkeypatch):
    command(monkeypatch, "train", "autoencoder", "--config", config(corpus, tmp_path, 2))
    (tmp_path / "last.ckpt").rename(tmp_path / "autoencoder.ckpt")
    command(monkeypatch, "export", tmp_path / "autoencoder.ckpt", "--out", tmp_path / "half.safetensors")
    command(monkeypatch, "train", "vocoder", "--config", config(corpus, tmp_path, 2, decoded=str(tmp_path / "half.safetensors")))
    model = tmp_path / "model.safetensors"
    command(monkeypatch, "export", tmp_path / "autoencoder.ckpt", "--vocoder", tmp_path / "last.ckpt", "--out", model)
    out = VoiceSwapper.load(model, "cpu").convert(HELLO, GOODBYE)
    assert len(out) == soundfile.info(HELLO).frames and np.isfinite(out).all()


def test_a_loss_that_is_not_a_number_stops_before_any_weight_is_touched(data):
    module = AutoencoderTask(data.cache.config.audio)
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    batch = next(iter(data.train_dataloader()))
    batch["mel"][0, 0, 0] = torch.nan

    class Trainer:
        checkpoint_callback, global_step = None, 5

    module._trainer = Trainer()
    with pytest.raises(TrainingError, match="The loss became nan at step 5; the last good checkpoint is none yet"):
        module.training_step(batch, 0)
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())


def test_a_missing_manifest_is_a_sentence(corpus, tmp_path, monkeypatch, capsys):
    path = config(corpus, tmp_path, 2)
    path.write_text(path.read_text().replace("speakers-train", "nobody-train"))
    monkeypatch.setattr(sys, "argv", ["voiceswap", "train", "vocoder", "--config", str(path)])
    with pytest.raises(SystemExit) as exit:
        cli.main()
    assert exit.value.code == 1
    assert "nobody-train.jsonl.gz does not exist; make it with python -m data_prep." in capsys.readouterr().err.replace("\n", " ")
