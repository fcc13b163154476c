"""`voiceswap export`: means of weights, and what is no checkpoint."""

import json
import shutil
from pathlib import Path
from unittest.mock import Mock

import pytest
import torch
from commands import command, refusal
from lhotse.serialization import load_jsonl
from tiny_model import save_tiny_model
from training_runs import TINY, config

from voiceswap import VoiceSwapper
from voiceswap.features import AudioConfig
from voiceswap.models import checkpoint, checkpoint_header
from voiceswap.models.autoencoder import Autoencoder
from voiceswap.models.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from voiceswap.training.corpora import read_cuts


def test_of_several_autoencoders_the_mean_of_their_weights_is_exported(
    tmp_path, monkeypatch, capsys
):
    sizes = {"one": TINY, "other": TINY, "larger": TINY | {"decoder_width": 32}}
    saved, files = {}, {name: tmp_path / f"{name}.safetensors" for name in sizes}
    for name, size in sizes.items():
        saved[name] = (
            Autoencoder(AudioConfig(), "whisper-base", **size).eval().requires_grad_(False)
        )
        save_checkpoint(files[name], Checkpoint(saved[name], None))
    command(
        monkeypatch, "export", files["one"], files["other"], "--out", tmp_path / "mean.safetensors"
    )
    mean = load_checkpoint(tmp_path / "mean.safetensors").autoencoder
    for made, one, other in zip(
        mean.parameters(), saved["one"].parameters(), saved["other"].parameters(), strict=True
    ):
        torch.testing.assert_close(
            made, (one + other) / 2, atol=0.02 * float(one.abs().max()), rtol=0
        )
    message = refusal(
        monkeypatch,
        capsys,
        "export",
        files["one"],
        files["larger"],
        "--out",
        tmp_path / "none.safetensors",
    )
    assert (
        "larger.safetensors are not of one size" in message
        and not (tmp_path / "none.safetensors").exists()
    )


def test_of_what_checkpoints_record_the_last_named_counts_and_the_card_before_all(
    tmp_path, monkeypatch
):
    network, out, card = (
        Autoencoder(AudioConfig(), "mel", **TINY),
        tmp_path / "model.safetensors",
        tmp_path / "card.json",
    )
    weights = {f"autoencoder.{name}": tensor for name, tensor in network.state_dict().items()}
    described = {"audio": network.audio.to_dict(), "architecture": network.architecture}
    for steps, stage in ((1, "first"), (2, "second")):
        corpora = {"ours": f"of the {stage}", stage: "its own"}
        saved = {"voiceswap": {"autoencoder": described}, "state_dict": weights}
        saved |= {"global_step": steps, "hyper_parameters": {}, "SpeechData": {"data": corpora}}
        torch.save(saved, tmp_path / f"{stage}.ckpt")
    stages = tmp_path / "first.ckpt", tmp_path / "second.ckpt"
    command(monkeypatch, "export", *stages, "--out", out)
    made = load_checkpoint(out).card
    assert made["data"] == {"ours": "of the second", "first": "its own", "second": "its own"}
    assert made["autoencoder training"]["steps made"] == 2
    card.write_text('{"data": "mine"}')
    command(monkeypatch, "export", *stages[::-1], "--card", card, "--out", out, "--overwrite")
    made = load_checkpoint(out).card
    assert made["data"] == "mine" and made["autoencoder training"]["steps made"] == 1


def test_random_voices_are_distributed_as_the_codes_of_the_speakers(corpus, tmp_path, monkeypatch):
    plain, manifest = save_tiny_model(tmp_path), corpus / "manifests/speakers-train.jsonl.gz"
    fitted, again, mean = (tmp_path / f"{name}.safetensors" for name in ("fitted", "again", "mean"))
    command(monkeypatch, "export", plain, "--speakers", manifest, "--out", fitted)
    swapper = VoiceSwapper.load(fitted)
    slower = [cut for cut in read_cuts(manifest) if "/0.flac" in cut.recording.sources[0].source]
    assert len(slower) > 3
    codes = torch.stack(
        [swapper.voice((cut.load_audio(), cut.sampling_rate)).code for cut in slower]
    )
    drawn = torch.stack([swapper.sample(seed).code for seed in range(2000)])
    spread = codes.std(0)
    assert ((drawn.mean(0) - codes.mean(0)).abs() < 0.2 * spread + 1e-3).all()
    assert ((drawn.std(0) - spread).abs() < 0.2 * spread + 1e-3).all()
    assert torch.linalg.matrix_rank(drawn - drawn.mean(0), rtol=1e-2) < len(codes)
    assert swapper.fingerprint == VoiceSwapper.load(plain).fingerprint
    command(monkeypatch, "export", fitted, "--out", again)
    torch.testing.assert_close(VoiceSwapper.load(again).sample(7).code, swapper.sample(7).code)
    command(monkeypatch, "export", fitted, fitted, "--out", mean)
    assert load_checkpoint(mean).speaker_distribution is None


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda cut: cut["recording"], "is no cut of a recording); make it with python -m"),
        (lambda cut: cut | {"supervisions": []}, "has no speaker); make it with python -m"),
        (lambda cut: {"a": cut}, "is damaged or no manifest of cuts"),
        (lambda cut: cut | {"duration": 0.1}, "is no speech (The recording is 0.10 s long"),
        (lambda cut: None, "have 0 of the two speakers that --speakers needs at least; give more"),
    ],
)
def test_speakers_that_can_t_be_used_are_a_sentence_and_no_file(
    corpus, tmp_path, monkeypatch, capsys, change, sentence
):
    cuts = load_jsonl(corpus / "manifests/speakers-train.jsonl.gz")
    manifest, out = tmp_path / "cuts.jsonl", tmp_path / "out.safetensors"
    changed = [json.dumps(line) for line in map(change, cuts) if line]
    manifest.write_text("\n".join(changed), encoding="utf-8")
    arguments = "export", save_tiny_model(tmp_path), "--speakers", manifest, "--out", out
    assert sentence in refusal(monkeypatch, capsys, *arguments)
    assert not out.exists()


@pytest.mark.parametrize("content", [b"", b"\x97RIFF of something else", bytes(range(256)) * 9])
def test_a_file_that_is_no_checkpoint_is_neither_exported_nor_resumed(
    corpus, tmp_path, monkeypatch, capsys, content
):
    other = tmp_path / "other.ckpt"
    other.write_bytes(content)
    exported = refusal(
        monkeypatch, capsys, "export", other, "--out", tmp_path / "model.safetensors"
    )
    resumed = refusal(
        monkeypatch,
        capsys,
        "train",
        "autoencoder",
        "--config",
        config(corpus, tmp_path, 2),
        "--ckpt_path",
        other,
    )
    assert (
        exported == resumed == f"{other} is not a training checkpoint of a voiceswap autoencoder."
    )


def test_a_checkpoint_of_another_version_is_a_sentence(tmp_path, monkeypatch, capsys):
    old, description = tmp_path / "old.ckpt", {"audio": {}, "architecture": TINY}
    for saved in (
        {"voiceswap": {"autoencoder": description}, "state_dict": {}, "global_step": 1},
        {"voiceswap": {"autoencoder": {"audio": {"bands": 3}}}},
        {"voiceswap": {"autoencoder": None}},
    ):
        torch.save(saved, old)
        sentence = refusal(monkeypatch, capsys, "export", old, "--out", tmp_path / "m.safetensors")
        assert sentence == (
            f"This version can't build the autoencoder of {old}; export it with the version that "
            "trained it."
        )


def test_a_model_that_is_read_is_written_over_only_when_asked(tmp_path, monkeypatch, capsys):
    model, card = save_tiny_model(tmp_path), tmp_path / "card.json"
    (model.with_name("tiny.safetensors.sha256")).write_text("of the model")
    card.write_text('{"name": "mine"}')
    in_place = ("export", model, "--vocoder", model, "--card", card, "--out", model)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert "or --overwrite to write over it." in refusal(monkeypatch, capsys, *in_place)
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "save_file", Mock(side_effect=OSError(28, "No space left")))
        assert "no space left" in refusal(monkeypatch, capsys, *in_place, "--overwrite")
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    command(monkeypatch, *in_place, "--overwrite")
    made = load_checkpoint(model)
    assert made.card["name"] == "mine" and made.vocoder is not None


def test_the_model_in_the_package_is_read_by_its_name(tmp_path, monkeypatch, capsys):
    own = shutil.copy(checkpoint_header.DEFAULT, tmp_path)
    monkeypatch.setattr(checkpoint_header, "DEFAULT", Path(own))
    sentence = refusal(monkeypatch, capsys, "export", "default", "--out", own)
    assert "or --overwrite to write over it." in sentence
