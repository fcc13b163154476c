"""What training serves, hears and does with it, step by step."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from lhotse import CutSet

from voiceswap.conversion.engine import transfer_pitch
from voiceswap.conversion.mel_statistics import speech_frames
from voiceswap.errors import TrainingError
from voiceswap.features import AudioConfig, LogMel, log_f0_statistics
from voiceswap.models.layers import instance_norm, length_mask
from voiceswap.models.pretrained import front_end, speaker_verifier
from voiceswap.training import autoencoder_task
from voiceswap.training.autoencoder_task import AutoencoderTask
from voiceswap.training.data import SpeechData
from voiceswap.training.optimiser import alternate
from voiceswap.training.perceptual_losses import ContentLoss, SpeakerLoss
from voiceswap.training.vocoder_task import VocoderTask


def test_an_item_depends_on_its_index_alone_and_the_reference_is_another_stretch(data):
    dataset = data.train_dataloader().dataset
    first, again = dataset[7], dataset[7]
    assert all(torch.equal(first[name], again[name]) for name in first)
    for i in range(20):
        item = dataset[i]
        length, reference = int(item["length"]), int(item["reference_length"])
        assert not torch.equal(
            item["mel"][:, : min(length, reference)],
            item["reference_mel"][:, : min(length, reference)],
        )
        assert item["content"].shape[1] * 2 == item["mel"].shape[1] == data.frames


def test_shares_say_how_often_each_corpus_is_heard(data, corpus, tmp_path):
    cuts = CutSet.from_jsonl(corpus / "manifests/speakers-train.jsonl.gz")
    alone = cuts[0].supervisions[0].speaker
    manifests = [tmp_path / "one.jsonl.gz", tmp_path / "others.jsonl.gz"]
    for path, wanted in zip(manifests, (True, False), strict=True):
        cuts.filter(
            lambda cut, wanted=wanted: (cut.supervisions[0].speaker == alone) == wanted
        ).to_file(path)
    heard = {}
    for shares in ((3, 1), (1, 0), (0, 1)):
        shared = SpeechData(
            manifests,
            [],
            corpus / "cache",
            AudioConfig(),
            views=2,
            seconds=1.0,
            reference_seconds=1.2,
            shares=shares,
        )
        drawn = [shared.train_dataloader().dataset.drawn(i)[1] for i in range(300)]
        heard[shares] = np.mean([name.startswith(alone) for name in drawn])
    assert heard[1, 0] == 1 and heard[0, 1] == 0
    assert 0.68 < heard[3, 1] < 0.82


def test_the_verifier_hears_on_the_decoders_mels_what_it_hears_in_the_sound(hello, goodbye):
    log_mel, listener, verifier = (
        LogMel(AudioConfig()),
        SpeakerLoss(AudioConfig()),
        speaker_verifier(),
    )
    window = slice(40, 40 + verifier.window)  # frames, within speech; both mels have 100 a second

    def both(wave):
        wave = torch.from_numpy(wave / np.sqrt(np.mean(wave**2)) * 10 ** (verifier.level_db / 20))[
            None
        ]
        alone = wave[..., window.start * 160 : window.stop * 160]
        assert listener(alone)[0] @ verifier(alone[0]) > 0.99
        return listener(log_mel(wave)[..., window])[0], verifier.embed_mel(
            verifier.mel(wave)[..., window]
        )[0]

    (hello_on_ours, hello_on_its_own), (goodbye_on_ours, goodbye_on_its_own) = (
        both(hello),
        both(goodbye),
    )
    assert hello_on_ours @ hello_on_its_own > 0.8 > hello_on_ours @ goodbye_on_its_own
    assert goodbye_on_ours @ goodbye_on_its_own > 0.8 > goodbye_on_ours @ hello_on_its_own


def test_the_recogniser_hears_on_the_decoders_mels_what_it_hears_in_the_sound(hello, goodbye):
    log_mel, listener, recogniser = (
        LogMel(AudioConfig()),
        ContentLoss(AudioConfig()),
        front_end("whisper-base", AudioConfig()),
    )

    def both(samples):
        wave, length = torch.from_numpy(samples)[None], torch.tensor([len(samples)])
        mask = length_mask(-(-length // 160), -(-len(samples) // 160))
        in_sound = instance_norm(recogniser(wave, length), mask[..., ::2])
        torch.testing.assert_close(listener(wave, mask), in_sound)
        return listener(log_mel(wave), mask), in_sound

    (hello_on_mels, hello_in_sound), (goodbye_on_mels, _) = both(hello), both(goodbye)
    frames = min(hello_on_mels.shape[-1], goodbye_on_mels.shape[-1])
    assert F.cosine_similarity(hello_on_mels, hello_in_sound).mean() > 0.85
    assert (
        F.cosine_similarity(goodbye_on_mels[..., :frames], hello_in_sound[..., :frames]).mean()
        < 0.4
    )


def test_in_a_padded_batch_the_recogniser_hears_the_recording_alone(hello):
    listener, mel = (
        ContentLoss(AudioConfig()),
        LogMel(AudioConfig())(torch.from_numpy(hello)[None])[..., :100],
    )
    padded = F.pad(mel, (0, 50))
    alone, among = (
        listener(mel, length_mask(torch.tensor([100]), 100)),
        listener(padded, length_mask(torch.tensor([100]), 150)),
    )
    torch.testing.assert_close(among[..., :50], alone, atol=2e-3, rtol=0)
    assert not among[..., 50:].any()


def test_listeners_hear_a_conversion_as_it_will_end(data):
    """Converted to itself, a recording has its own statistics, however little the decoder has learned."""
    torch.manual_seed(0)
    batch = {name: x[[0, 0, 1, 1]] for name, x in next(iter(data.train_dataloader())).items()}
    task, heard = AutoencoderTask(data.cache.config.audio, verification=1.0), []
    task.listeners["verifier"].register_forward_pre_hook(
        lambda _, inputs: heard.append(inputs[0].detach())
    )
    with torch.no_grad():
        content, speaker, _ = task._encode(batch)
        words, voice = content.mode(), speaker.mode()
        rebuilt = task.autoencoder.decode(words, batch["f0"], batch["f0_statistics"], voice)
        task._misheard(batch, content, words, voice, rebuilt)
    natural, converted = (mel[0, :, : batch["length"][0]] for mel in heard)
    speech = speech_frames(natural)
    assert (rebuilt[0, :, : len(speech)] - natural)[:, speech].mean(1).abs().mean() > 1
    assert (converted - natural)[:, speech].mean(1).abs().mean() < 0.2


def test_pitch_moves_in_training_as_in_conversions(data, monkeypatch):
    monkeypatch.setattr(autoencoder_task, "PITCH_RANGE", 1.0)
    batch = next(iter(data.train_dataloader()))
    source, target = batch["f0"][0].numpy(), batch["f0_statistics"][len(batch["f0"]) // 4]
    batch["f0_statistics"][0] = torch.tensor(log_f0_statistics(source))
    task, heard = AutoencoderTask(data.cache.config.audio, verification=1.0), []
    with torch.no_grad():
        content, speaker, _ = task._encode(batch)
        monkeypatch.setattr(
            task.autoencoder,
            "decode",
            lambda words, f0, *_: heard.append(f0) or torch.zeros_like(batch["mel"][: len(f0)]),
        )
        task._misheard(batch, content, content.mode(), speaker.mode(), batch["mel"])
    np.testing.assert_allclose(heard[0][0], transfer_pitch(source, target.numpy()), rtol=1e-4)


@pytest.mark.parametrize(
    ("task", "options"),
    [
        (AutoencoderTask, {}),
        (AutoencoderTask, {"verification": 1.0, "recognition": 1.0, "adversarial": 0.1}),
        (AutoencoderTask, {"verification": 1.0, "recognition": 1.0, "vocoder": "default"}),
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
    monkeypatch.setattr(
        module,
        "log_dict",
        lambda parts, **_: logged.append({name: float(value) for name, value in parts.items()}),
    )
    for _ in range(6):
        module.training_step(batch, 0)
    main = "train/reconstruction" if task is AutoencoderTask else "train/spectral"
    assert all(np.isfinite(list(parts.values())).all() for parts in logged)
    assert logged[-1][main] < logged[0][main] - 0.02


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
    assert not torch.equal(network.weight, start) and torch.allclose(
        network.weight, apart.weight, atol=1e-7
    )


def test_a_loss_that_is_not_a_number_stops_before_any_weight_is_touched(data):
    module = AutoencoderTask(data.cache.config.audio)
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    batch = next(iter(data.train_dataloader()))
    batch["mel"][0, 0, 0] = torch.nan

    class Trainer:
        checkpoint_callback, global_step = None, 5

    module._trainer = Trainer()
    with pytest.raises(
        TrainingError, match="The loss became nan at step 5; the last good checkpoint is none yet"
    ):
        module.training_step(batch, 0)
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())
