"""Adapting the decoder to a voice: what it learns, keeps, refuses, and goes on from."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from typer.testing import CliRunner

from voiceswap import VoiceswapError, VoiceSwapper
from voiceswap.adaptation import adapt as adaptation
from voiceswap.adaptation.adapt import adapt, steps_for
from voiceswap.adaptation.recordings import hold_out, read_recordings
from voiceswap.adaptation.trainer import Trainer
from voiceswap.adaptation.voice_features import compute_features
from voiceswap.audio_io.resampling import resample
from voiceswap.cli import app
from voiceswap.conversion.core import decode
from voiceswap.conversion.voice import stack_voices


@pytest.fixture(scope="module")
def trainer(tiny, hello):
    """One that has made a few steps."""
    made = Trainer(tiny.engine, compute_features(tiny.engine, [hello], [tiny.sample(0)]), 30)
    made.losses = [made.train_step()["reconstruction"] for _ in range(30)]
    return made


def test_it_learns_and_leaves_the_model_as_it_is(tiny, trainer, hello, goodbye):
    before = tiny.convert(hello, goodbye)
    assert np.mean(trainer.losses[-4:]) < 0.9 * np.mean(trainer.losses[:4])
    voice = trainer.voice()
    assert voice.delta is not None
    np.testing.assert_array_equal(tiny.convert(hello, goodbye), before)
    plain = replace(voice, delta=None)
    assert np.abs(tiny.convert(goodbye, voice) - tiny.convert(goodbye, plain)).max() > 1e-3


def test_its_weights_are_stepped_together(trainer):
    """A group of its own for each would be some kernels each on a GPU."""
    assert [len(group["params"]) for group in trainer.optimiser.param_groups] == [
        1,
        len(trainer.parameters) - 1,
    ]


def test_it_is_small_and_the_same_from_its_file(tiny, trainer, hello, tmp_path):
    voice = trainer.voice()
    delta = sum(2 * tensor.numel() for tensor in voice.delta.tensors().values())
    assert delta < 1 << 20
    kept = tiny.save_voice(voice, tmp_path / "adapted.safetensors")
    np.testing.assert_array_equal(tiny.convert(hello, kept), tiny.convert(hello, voice))


def test_a_resumed_run_is_the_same(tiny, hello):
    features = compute_features(tiny.engine, [hello], [tiny.sample(0)])
    whole, first, second = (Trainer(tiny.engine, features, 4) for _ in range(3))
    for _ in range(2):  # of every two, one converts
        whole.train_step()
        first.train_step()
    second.load_state_dict(first.state_dict())
    for _ in range(2):
        whole.train_step()
        second.train_step()
    for one, other in zip(whole.mean.values(), second.mean.values(), strict=True):
        assert torch.equal(one, other)


def test_voices_with_deltas_in_one_batch_are_as_alone(tiny, model, trainer, hello):
    adapted, plain = trainer.voice(), tiny.embed(hello)
    other = replace(adapted, delta=replace(adapted.delta, up={}, down={}))
    voices = [adapted, plain, other, adapted]
    (encoded,) = tiny._encode([hello])
    content, _ = tiny.engine.encoder.content([(encoded, 0, encoded.recording.frames)])
    f0 = torch.from_numpy(encoded.recording.f0)[None]
    decoder = VoiceSwapper.load(model, "cpu", precision="fp32").engine.autoencoder
    with torch.no_grad():
        together = decode(
            decoder, content.mode().expand(4, -1, -1), f0.expand(4, -1), stack_voices(voices, "cpu")
        )
        for mel, voice in zip(together, voices, strict=True):
            alone = decode(decoder, content.mode(), f0, stack_voices([voice], "cpu"))[0]
            torch.testing.assert_close(mel, alone, atol=1e-4, rtol=1e-4)


def test_half_way_to_an_adapted_voice_is_half_of_its_delta(tiny, trainer):
    voice, decoder = trainer.voice(), tiny.engine.autoencoder.decoder
    half = tiny.blend([(replace(voice, delta=None), 0.5), (voice, 0.5)])
    changed, whole = half.delta.weights(decoder), voice.delta.weights(decoder)
    for name, weight in decoder.named_parameters():
        if name in whole:
            torch.testing.assert_close(changed[name], (weight + whole[name]) / 2)


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t | {"delta.up.output.weight": t["delta.up.output.weight"] * torch.nan},
        lambda t: t | {"delta.up.output.weight": t["delta.up.output.weight"][:3]},
        lambda t: {k: v for k, v in t.items() if k != "delta.down.output.weight"},
        lambda t: t | {"delta.added.nothing": torch.zeros(3)},
        lambda t: t | {"delta.added.output.bias": torch.zeros(3)},
    ],
)
def test_a_malformed_delta_is_refused_in_a_sentence(tiny, trainer, tmp_path, change):
    path = tiny.save_voice(trainer.voice(), tmp_path / "voice.safetensors")
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    save_file(change(tensors), path, metadata)
    with pytest.raises(VoiceswapError, match="damaged or kept by another version"):
        tiny.load_voice(path)


def test_another_models_voice_is_refused(swapper, tiny, trainer, tmp_path):
    path = tiny.save_voice(trainer.voice(), tmp_path / "voice.safetensors")
    with pytest.raises(VoiceswapError, match="another model"):
        swapper.load_voice(path)


def test_it_keeps_the_better_and_goes_on_where_it_was_stopped(
    tiny, hello, goodbye, tmp_path, monkeypatch
):
    """Scored by a stand-in, which rises up to the second score and then falls."""
    rising = iter([0.5, 0.6, 0.7, 0.4, 0.3, 0.2, 0.1, 0.1])
    real = adaptation.VoiceScorer.score

    def score(scorer, voice):
        return replace(real(scorer, voice), similarity=next(rising), words=1.0)

    monkeypatch.setattr(adaptation.VoiceScorer, "score", score)
    monkeypatch.setattr(adaptation, "EVERY", 1)
    state, recordings = tmp_path / "state", [(hello, 16000), (goodbye, 16000)]
    steps = iter(range(100))

    def stop(done, what):
        if what == "Adapting" and next(steps) == 2:  # of the third step, which no score has seen
            raise KeyboardInterrupt

    adapted = adapt(tiny, recordings, 40, state=state, progress=stop)
    voice, report = adapted.voice, adapted.report
    assert report.stopped and report.steps == 2 and voice.delta is not None and state.exists()
    rising = iter([0.5, 0.7, 0.4, 0.3, 0.2, 0.1])  # before, the best again, and three that fall
    adapted = adapt(tiny, recordings, 40, state=state)
    again, report = adapted.voice, adapted.report
    assert (report.steps, report.helped, report.stopped) == (2, True, False)
    assert [step for step, _ in report.curve] == [1, 2, 3, 4, 5] and state.exists()
    assert torch.equal(again.code, voice.code)
    rising = iter([0.5, 0.4, 0.3, 0.2])
    adapted = adapt(tiny, recordings, 40)
    assert not adapted.report.helped and adapted.report.after == adapted.report.before
    assert adapted.voice.delta is None and torch.equal(adapted.voice.code, adapted.plain.code)


def test_what_many_recordings_give_can_be_kept(tiny, hello, goodbye, tmp_path, monkeypatch):
    """Scored by a stand-in, as no better adapted: the voice as it was is the one kept."""
    monkeypatch.setattr(adaptation, "selection_score", lambda scores, before: 0.0)
    monkeypatch.setattr("voiceswap.adaptation.recordings.REFERENCE_SECONDS", len(hello) / 16000)
    recordings = [(samples, 16000) for samples in (hello, goodbye) * 4]
    adapted = adapt(tiny, recordings, 1)
    assert not adapted.report.helped
    assert repr(adapted.voice) == repr(tiny.embed(goodbye))  # as much as one recording
    assert tiny.load_voice(tiny.save_voice(adapted.voice, tmp_path / "many.safetensors"))


def test_long_recordings_are_cut_and_bad_ones_left_out(hello, goodbye, tmp_path):
    pause = np.zeros(8000, np.float32)
    long = np.concatenate([np.concatenate([hello, pause, goodbye, pause]) for _ in range(4)])
    soundfile.write(tmp_path / "long.wav", long, 16000)
    soundfile.write(tmp_path / "clipped.wav", np.clip(20 * hello, -0.9, 0.9), 16000)
    noise = np.random.default_rng(0).normal(size=48000) * 0.1
    soundfile.write(tmp_path / "noise.wav", noise, 16000)
    soundfile.write(tmp_path / "short.wav", hello[:8000], 16000)
    names = ("long", "clipped", "noise", "short", "none")
    speech = read_recordings([tmp_path / f"{name}.wav" for name in names], 16000)
    assert len(speech.pieces) > 1 and abs(speech.seconds - len(long) / 16000) < 1
    assert max(len(piece.samples) for piece in speech.pieces) <= 20 * 16000
    assert len(speech.left_out) == 4
    reasons = " ".join(speech.left_out)
    for sentence in ("is clipped", "has noise", "shorter than 1 s", "does not exist"):
        assert sentence in reasons
    learned, kept = hold_out(speech)
    assert kept is not None and len(learned) == len(speech.pieces) - 1
    assert hold_out(read_recordings([(hello, 16000)], 16000))[1] is None
    assert steps_for(5) == 60 < steps_for(60) == 120 < steps_for(600) == 200


def test_a_folder_or_a_pair_is_taken_as_every_reference_is(tiny, hello, goodbye, tmp_path):
    for name, samples in (("a.wav", hello), ("b.wav", goodbye)):
        soundfile.write(tmp_path / name, samples, 16000)
    names = [piece.name for piece in read_recordings(str(tmp_path), 16000).pieces]
    assert names == ["a.wav", "b.wav"]
    adapted = tiny.adapt(tmp_path, steps=1).notes["adapted"]
    assert adapted["seconds"] == pytest.approx((len(hello) + len(goodbye)) / 16000, abs=0.1)
    (piece,) = read_recordings((hello, 16000), 24000).pieces
    assert (len(piece.samples), piece.rate) == (len(hello), 16000)
    (tmp_path / "empty").mkdir()
    with pytest.raises(VoiceswapError, match="There is no recording in the folder"):
        tiny.adapt(tmp_path / "empty")


def test_a_recording_is_learned_as_it_would_be_embedded(tiny, hello, tmp_path):
    """Through another rate, the bins below 8 kHz would have less, and conversions be dull there."""
    soundfile.write(tmp_path / "hello.wav", hello, 16000, "FLOAT")
    (piece,) = read_recordings([tmp_path / "hello.wav"], 24000).pieces
    wave = resample(piece.samples, piece.rate, 16000)
    (learned,) = compute_features(tiny.engine, [wave], [tiny.sample(0)])
    mel = tiny.engine.references(tiny._encode([tmp_path / "hello.wav"])).mel
    torch.testing.assert_close(learned.mel, mel[0], atol=1e-3, rtol=0)


def test_the_command(model, hello, goodbye, tmp_path, monkeypatch):
    paths = [str(tmp_path / f"{number}.wav") for number in range(2)]
    for path, samples in zip(paths, (hello, goodbye), strict=True):
        soundfile.write(path, samples, 16000)
    out = tmp_path / "anna.safetensors"
    options = ["--steps", "2", "--checkpoint", str(model), "--device", "cpu"]
    result = CliRunner().invoke(app, ["adapt", *paths, "--out", str(out), *options])
    assert result.exit_code == 0, result.output
    assert " s of speech" in result.output and "similarity" in result.output
    assert out.exists() and out.with_name(f"{out.stem}-adapted.png").exists()
    assert not out.with_suffix(".adapting").exists()
    before, calls = out.read_bytes(), []

    def stop(self):
        calls.append(self)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:  # before anything was learned
        patched.setattr("voiceswap.adaptation.trainer.Trainer.train_step", stop)
        stopped = CliRunner().invoke(app, ["adapt", *paths, "--out", str(out), *options])
    assert calls and stopped.exit_code == 130 and out.read_bytes() == before
    made = tmp_path / "out.wav"
    arguments = ["convert", paths[0], "--target", str(out), "--out", str(made), *options[2:]]
    assert CliRunner().invoke(app, arguments).exit_code == 0 and made.exists()
    result = CliRunner().invoke(app, ["adapt", str(tmp_path / "none.wav"), *options])
    assert result.exit_code == 1 and "none.wav does not exist" in str(result.exception)
    (tmp_path / "empty").mkdir()
    result = CliRunner().invoke(app, ["adapt", str(tmp_path / "empty"), *options])
    assert result.exit_code == 1 and "no recording in the folder" in str(result.exception)
