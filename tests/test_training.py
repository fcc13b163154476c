"""The real commands on a tiny corpus."""

import hashlib
import io
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile
import torch
import torch.nn.functional as F
import yaml
from lhotse import CutSet
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from typer.testing import CliRunner

from data_prep.__main__ import app as data_prep_app
from voiceswap import VoiceSwapper, cli
from voiceswap.checkpoint import read_facts
from voiceswap.errors import TrainingError
from voiceswap.examples import GOODBYE, HELLO
from voiceswap.features import AudioConfig, LogMel
from voiceswap.frozen import front_end, speaker_verifier
from voiceswap.layers import instance_norm, length_mask
from voiceswap.training.autoencoder_task import AutoencoderTask
from voiceswap.training.data import SpeechData
from voiceswap.training.mel_listeners import MelRecogniser, MelVerifier
from voiceswap.training.optimiser import alternate
from voiceswap.training.vocoder_task import VocoderTask

TINY = {"content_width": 16, "speaker_width": 16, "speaker_blocks": 1, "decoder_width": 16, "decoder_blocks": 1}


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
    result = CliRunner().invoke(data_prep_app, ["speakers", str(folder / "voices"), str(folder / "manifests"), "--keep-pauses"])
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


def config(corpus, tmp_path, steps, trainer=None, data=None, **model):
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
            **(trainer or {}),
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
            **(data or {}),
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


def refusal(monkeypatch, capsys, *arguments) -> str:
    """What is said of a command that can't be done: one line, no trace, status 1."""
    monkeypatch.setattr(sys, "argv", ["voiceswap", *map(str, arguments)])
    with pytest.raises(SystemExit) as exit:
        cli.main()
    assert exit.value.code == 1
    [line] = [line for line in capsys.readouterr().err.splitlines() if line and "Seed set" not in line]
    return line


def same_weights(first, second) -> None:
    first, second = (torch.load(path, weights_only=True) for path in (first, second))
    assert first["global_step"] == second["global_step"] and first["SpeechData"]["position"] == second["SpeechData"]["position"]
    for part in ("state_dict", "current_model_state"):
        for name, tensor in first[part].items():
            assert torch.equal(tensor, second[part][name]), name


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


def test_the_recogniser_hears_on_the_decoders_mels_what_it_hears_in_the_sound(hello, goodbye):
    log_mel, on_mels, recogniser = LogMel(AudioConfig()), MelRecogniser(AudioConfig()), front_end("whisper-base", AudioConfig())

    def both(samples):
        wave, length = torch.from_numpy(samples)[None], torch.tensor([len(samples)])
        mask = length_mask(-(-length // 160), -(-len(samples) // 160))
        return on_mels(log_mel(wave), mask), instance_norm(recogniser(wave, length), mask[..., ::2])

    (hello_on_mels, hello_in_sound), (goodbye_on_mels, _) = both(hello), both(goodbye)
    frames = min(hello_on_mels.shape[-1], goodbye_on_mels.shape[-1])
    assert F.cosine_similarity(hello_on_mels, hello_in_sound).mean() > 0.85
    assert F.cosine_similarity(goodbye_on_mels[..., :frames], hello_in_sound[..., :frames]).mean() < 0.4


def test_in_a_padded_batch_the_recogniser_hears_the_recording_alone(hello):
    on_mels, mel = MelRecogniser(AudioConfig()), LogMel(AudioConfig())(torch.from_numpy(hello)[None])[..., :100]
    padded = F.pad(mel, (0, 50))
    alone, among = on_mels(mel, length_mask(torch.tensor([100]), 100)), on_mels(padded, length_mask(torch.tensor([100]), 150))
    torch.testing.assert_close(among[..., :50], alone, atol=2e-3, rtol=0)
    assert not among[..., 50:].any()


@pytest.mark.parametrize(
    ("task", "options"),
    [
        (AutoencoderTask, {}),
        (AutoencoderTask, {"verification": 1.0, "recognition": 1.0, "adversarial": 0.1}),
        (VocoderTask, {}),
        (VocoderTask, {"recognition": 1.0, "adversarial": 0.1}),
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


def test_a_stopped_and_resumed_run_is_the_run_that_was_never_stopped(corpus, tmp_path, monkeypatch, capsys):
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    whole.mkdir(), halves.mkdir()
    command(monkeypatch, "train", "autoencoder", "--config", config(corpus, whole, 4))
    command(monkeypatch, "train", "autoencoder", "--config", config(corpus, halves, 2))
    shown = config(corpus, halves, 4, {"enable_progress_bar": True})
    command(monkeypatch, "train", "autoencoder", "--config", shown, "--ckpt_path", halves / "last.ckpt")
    same_weights(whole / "last.ckpt", halves / "last.ckpt")
    bar = capsys.readouterr().out
    assert " 3/4 [" in bar and " 4/4 [" in bar


def test_runs_stopped_by_sigterm_and_sigkill_are_the_run_that_was_never_stopped(corpus, tmp_path, monkeypatch):
    """Two batches are accumulated for a step, so that a run can be stopped, and validated, in the middle of one.

    All runs compute with one thread: sums in another order differ in their last bit.
    """
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    train = [sys.executable, "-m", "voiceswap.cli", "train", "autoencoder", "--config"]
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    whole.mkdir(), stopped.mkdir()
    trainer, steps = {"accumulate_grad_batches": 2, "val_check_interval": 5}, 60
    resume = []
    for signal_ in (signal.SIGTERM, signal.SIGKILL):
        path = config(corpus, stopped, 10000, trainer, sizes=TINY)
        before = set(stopped.glob("*step=*"))
        process = subprocess.Popen([*train, str(path), *resume], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        while len(set(stopped.glob("*step=*")) - before) < 2:
            assert process.poll() is None, process.stdout.read()
            time.sleep(0.02)
        process.send_signal(signal_)
        said = process.communicate()[0]
        if signal_ == signal.SIGTERM:
            assert process.returncode == 143 and f"to go on: --ckpt_path {stopped / 'last.ckpt'}" in said
            assert torch.load(stopped / "last.ckpt", weights_only=True)["SpeechData"]["position"] % 2 == 0
        resume = ["--ckpt_path", str(stopped / "last.ckpt")]
    assert 4 <= torch.load(stopped / "last.ckpt", weights_only=True)["global_step"] < steps
    for folder, more in ((stopped, resume), (whole, [])):
        subprocess.run([*train, str(config(corpus, folder, steps, trainer, sizes=TINY)), *more], check=True, capture_output=True)
    same_weights(whole / "last.ckpt", stopped / "last.ckpt")


def test_accumulated_batches_step_on_the_mean_of_their_gradients(data):
    torch.manual_seed(0)
    batches = iter(data.train_dataloader())
    pair = [next(batches), next(batches)]
    network, apart = torch.nn.Linear(80, 1), torch.nn.Linear(80, 1)
    apart.load_state_dict(network.state_dict())

    class Task:
        accumulate, trainer = 2, type("Trainer", (), {"datamodule": data})

        def __init__(self, network):
            self.optimiser = torch.optim.SGD(network.parameters(), 0.1)

        def optimizers(self):
            return self.optimiser

        def lr_schedulers(self):
            return torch.optim.lr_scheduler.ConstantLR(self.optimiser, 1.0)

        def manual_backward(self, loss):
            loss.backward()

    def loss(network, batch):
        return network(batch["mel"].mean(-1)).square().mean()

    task, start = Task(network), network.weight.clone()
    for position, batch in enumerate(pair):
        data.position = position + 1
        assert torch.equal(network.weight, start)
        alternate(task, network, loss(network, batch), 0)
    data.position, once = 0, Task(apart)
    once.accumulate = 1
    alternate(once, apart, (loss(apart, pair[0]) + loss(apart, pair[1])) / 2, 0)
    assert not torch.equal(network.weight, start) and torch.allclose(network.weight, apart.weight, atol=1e-7)


def test_two_processes_learn_what_one_learns_with_twice_the_batch(corpus, tmp_path, monkeypatch):
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir(), two.mkdir()
    plain = {"logger": {"class_path": "CSVLogger", "init_args": {"save_dir": "", "name": "", "version": ""}}, "log_every_n_steps": 1}
    for folder, trainer, batch_size in ((one, {}, 4), (two, {"devices": 2, "strategy": "ddp"}, 2)):
        plain["logger"]["init_args"]["save_dir"] = str(folder)
        path = config(corpus, folder, 4, plain | trainer, {"batch_size": batch_size}, sizes=TINY)
        line = [sys.executable, "-m", "voiceswap.cli", "train", "autoencoder", "--config", str(path)]
        subprocess.run(line, check=True, capture_output=True, timeout=240)
    losses = [np.genfromtxt(folder / "metrics.csv", delimiter=",", names=True) for folder in (one, two)]
    for name in losses[0].dtype.names:
        if name.startswith("train"):
            first, second = (rows[name][~np.isnan(rows[name])] for rows in losses)
            assert len(first) == 4 and np.allclose(first, second, rtol=1e-4, atol=1e-5), (name, first, second)
    first, second = (torch.load(folder / "last.ckpt", weights_only=True)["current_model_state"] for folder in (one, two))
    for name, tensor in first.items():
        if tensor.is_floating_point():
            assert (tensor - second[name]).abs().max() < 1e-4, name  # four steps at a rate below 2e-5 each move a weight by up to 8e-5


def test_train_export_convert(corpus, tmp_path, monkeypatch):
    command(monkeypatch, "train", "autoencoder", "--config", config(corpus, tmp_path, 2))
    (tmp_path / "last.ckpt").rename(tmp_path / "autoencoder.ckpt")
    command(monkeypatch, "export", tmp_path / "autoencoder.ckpt", "--out", tmp_path / "half.safetensors")
    command(monkeypatch, "train", "vocoder", "--config", config(corpus, tmp_path, 2, decoded=str(tmp_path / "half.safetensors")))
    model = tmp_path / "model.safetensors"
    command(monkeypatch, "export", tmp_path / "autoencoder.ckpt", "--vocoder", tmp_path / "last.ckpt", "--out", model)
    card = read_facts(model)["card"]
    assert "licence: not stated" in card["data"]["speakers"] and card["vocoder training"]["steps made"] == 2
    assert card["vocoder training"]["decoded"] == "half.safetensors"  # and not the folder it lies in
    assert (tmp_path / "model.safetensors.sha256").read_text().split()[0] == hashlib.sha256(model.read_bytes()).hexdigest()
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


def test_a_run_whose_loss_is_not_a_number_names_its_cuts_and_the_last_good_checkpoint(corpus, tmp_path, monkeypatch, capsys):
    cache = tmp_path / "cache"
    shutil.copytree(corpus / "cache", cache)
    path = config(corpus, tmp_path, 50, data={"cache_dir": str(cache)}, sizes=TINY)
    real = SpeechData.on_after_batch_transfer

    def spoilt(self, batch, index):
        batch = real(self, batch, index)
        return batch | {"mel": batch["mel"] * torch.nan} if self.position == 4 else batch

    monkeypatch.setattr(SpeechData, "on_after_batch_transfer", spoilt)
    said = refusal(monkeypatch, capsys, "train", "autoencoder", "--config", path)
    assert f"The loss became nan at step 3; the last good checkpoint is {tmp_path / 'last.ckpt'}; the batch held speakers-" in said
    assert torch.load(tmp_path / "last.ckpt", weights_only=True)["global_step"] == 2


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("speakers-train", "nobody-train"), "nobody-train.jsonl.gz does not exist; make it with python -m data_prep."),
        (("batch_size", "batch_sise"), "batch_sise"),
        (("batch_size: 4", "batch_size: many"), "Expected a <class 'int'>. Got value: many"),
        (("max_steps", "max_stepz"), "max_stepz"),
        (("audio: {}", "audio: {sample_rate: 44100, f_max: 22050}"), "far below the 44100 Hz of data.audio"),
        (("steps: 100", "steps: 100\n  initial: nobody.ckpt"), "nobody.ckpt is not a training checkpoint"),
        (("audio: {}", "audio: {n_mels: 64}\n  front_end: mel\n#"), "n_mels"),
        (("max_steps:", "gradient_clip_val: 1\n  max_steps:"), "Automatic gradient clipping is not supported"),
    ],
)
def test_what_is_wrong_with_a_config_is_one_sentence(corpus, tmp_path, monkeypatch, capsys, change, sentence):
    path = config(corpus, tmp_path, 2, **({"initial": "default"} if change[1].startswith("audio: {n_mels") else {}))
    assert change[0] in path.read_text()
    path.write_text(path.read_text().replace(*change))
    assert sentence in refusal(monkeypatch, capsys, "train", "autoencoder", "--config", path)


def test_a_run_is_not_started_over_another(corpus, tmp_path, monkeypatch, capsys):
    command(monkeypatch, "train", "autoencoder", "--config", config(corpus, tmp_path, 1, sizes=TINY))
    held = (tmp_path / "last.ckpt").read_bytes()
    capsys.readouterr()
    said = refusal(monkeypatch, capsys, "train", "autoencoder", "--config", config(corpus, tmp_path, 2, sizes=TINY))
    assert f"holds another run: go on with it by --ckpt_path {tmp_path / 'last.ckpt'}" in said
    assert (tmp_path / "last.ckpt").read_bytes() == held and not list(tmp_path.glob("*-v1*"))


def test_a_full_disk_is_one_sentence_before_anything_is_made(corpus, tmp_path, monkeypatch, capsys):
    path = config(corpus, tmp_path, 2)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 10**7}))
    assert "3 checkpoints need about" in refusal(monkeypatch, capsys, "train", "autoencoder", "--config", path)
    path = config(corpus, tmp_path, 2, data={"cache_dir": str(tmp_path / "cache"), "views": 3})
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 10**5}))
    assert "minutes of speech need" in refusal(monkeypatch, capsys, "train", "autoencoder", "--config", path)
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(("network", "options"), [("autoencoder", {"initial": "default"}), ("vocoder", {"initial": "default"})])
def test_a_run_from_the_bundled_weights_can_be_watched(corpus, tmp_path, monkeypatch, network, options):
    pytest.importorskip("sklearn")
    path = config(corpus, tmp_path, 2, data={"batch_size": 8}, **options)
    settings = yaml.safe_load(path.read_text())
    settings["trainer"]["callbacks"].append({"class_path": "voiceswap.training.watch.Watch", "init_args": {"conversions": 2}})
    settings["trainer"] |= {"limit_val_batches": 4, "num_sanity_val_steps": 0}
    path.write_text(yaml.safe_dump(settings))
    command(monkeypatch, "train", network, "--config", path)
    events = EventAccumulator(str(tmp_path / "lightning_logs/version_0"), {"images": 9, "audio": 9}).Reload()
    shown = "conversion" if network == "autoencoder" else "copy synthesis"
    for i in (1, 2):
        assert events.Images(f"{shown} {i}")[0].step == 2
        [sound] = events.Audio(f"{shown} {i}")
        samples, rate = soundfile.read(io.BytesIO(sound.encoded_audio_string))
        assert rate == 16000 and 0.01 < np.abs(samples).max() <= 1 and len(samples) > 8000
    figures = {tag: events.Scalars(tag)[-1].value for tag in events.Tags()["scalars"] if tag.startswith("validation")}
    assert 0.5 < figures["validation/sv"] <= 1
    if network == "autoencoder":
        assert figures["validation/content_kl_nats_a_second"] > figures["validation/speaker_kl_nats_a_voice"] > 1
        assert 0 <= figures["validation/speaker_probe_on_content"] <= 1


def test_shards_give_what_manifests_give(corpus, data, tmp_path):
    cuts = CutSet.from_jsonl_lazy(corpus / "manifests/speakers-train.jsonl.gz")
    (tmp_path / "shar").mkdir()
    cuts.to_shar(tmp_path / "shar", {"recording": "flac"}, shard_size=3)
    sharded = SpeechData(
        [tmp_path / "shar"], [], tmp_path / "cache", AudioConfig(), views=2, batch_size=4, seconds=1.0, reference_seconds=1.2, jobs=1
    )
    for path in corpus.glob("voices/*/*.flac"):  # shards hold the recordings themselves
        path.rename(path.with_suffix(".away"))
    try:
        sharded.prepare_data()
    finally:
        for path in corpus.glob("voices/*/*.away"):
            path.rename(path.with_suffix(".flac"))
    first, second = (module.train_dataloader().dataset[3] for module in (data, sharded))
    assert all(torch.allclose(first[name], second[name], atol=1e-3) for name in first) and sharded.val_dataloader() == []
