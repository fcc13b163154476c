"""Items, losses and steps of training."""

import os
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from commands import refusal
from lhotse import CutSet
from torch.utils.data import default_collate
from training_runs import TINY, config, without_trainer

from voiceswap.conversion.mel_statistics import speech_frames
from voiceswap.errors import DataError, TrainingError
from voiceswap.features import AudioConfig, LogMel
from voiceswap.models.layers import instance_norm, length_mask
from voiceswap.models.perceptual_losses import ContentLoss, SpeakerLoss
from voiceswap.models.pretrained import front_end, speaker_verifier
from voiceswap.training import base_task, cache
from voiceswap.training.autoencoder_task import AutoencoderTask
from voiceswap.training.base_task import BaseTask
from voiceswap.training.conversions import convert_segments, encode, segment_voices
from voiceswap.training.data import SpeechData
from voiceswap.training.validation_logger import ValidationLogger
from voiceswap.training.vocoder_task import VocoderTask


def test_an_item_depends_on_its_index_alone_and_the_reference_is_another_segment(data):
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


@pytest.mark.usefixtures("data")  # whose features are in the cache
def test_shares_give_how_often_each_corpus_is_drawn(corpus, tmp_path):
    cuts = CutSet.from_jsonl(corpus / "manifests/speakers-train.jsonl.gz")
    alone = cuts[0].supervisions[0].speaker
    manifests = [tmp_path / "one.jsonl.gz", tmp_path / "others.jsonl.gz"]
    for path, wanted in zip(manifests, (True, False), strict=True):
        cuts.filter(
            lambda cut, wanted=wanted: (cut.supervisions[0].speaker == alone) == wanted
        ).to_file(path)
    share = {}
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
        share[shares] = np.mean([name.startswith(alone) for name in drawn])
    assert share[1, 0] == 1 and share[0, 1] == 0
    assert 0.68 < share[3, 1] < 0.82


def test_the_speaker_loss_embeds_the_decoders_mels_as_the_verifier_does_the_sound(hello, goodbye):
    log_mel, loss, verifier = (
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
        assert loss.embed(alone)[0] @ verifier(alone[0]) > 0.99
        return loss.embed(log_mel(wave)[..., window])[0], verifier.embed_mel(
            verifier.mel(wave)[..., window]
        )[0]

    (hello_on_ours, hello_on_its_own), (goodbye_on_ours, goodbye_on_its_own) = (
        both(hello),
        both(goodbye),
    )
    assert hello_on_ours @ hello_on_its_own > 0.8 > hello_on_ours @ goodbye_on_its_own
    assert goodbye_on_ours @ goodbye_on_its_own > 0.8 > goodbye_on_ours @ hello_on_its_own


def test_the_content_loss_embeds_the_decoders_mels_as_whisper_does_the_sound(hello, goodbye):
    log_mel, loss, recogniser = (
        LogMel(AudioConfig()),
        ContentLoss(AudioConfig()),
        front_end("whisper-base", AudioConfig()),
    )

    def both(samples):
        wave, length = torch.from_numpy(samples)[None], torch.tensor([len(samples)])
        mask = length_mask(-(-length // 160), -(-len(samples) // 160))
        in_sound = instance_norm(recogniser(wave, length), mask[..., ::2])
        torch.testing.assert_close(loss.embed(wave, mask), in_sound)
        return loss.embed(log_mel(wave), mask), in_sound

    (hello_on_mels, hello_in_sound), (goodbye_on_mels, _) = both(hello), both(goodbye)
    frames = min(hello_on_mels.shape[-1], goodbye_on_mels.shape[-1])
    assert F.cosine_similarity(hello_on_mels, hello_in_sound).mean() > 0.85
    assert (
        F.cosine_similarity(goodbye_on_mels[..., :frames], hello_in_sound[..., :frames]).mean()
        < 0.4
    )


def test_the_content_loss_ignores_padding(hello):
    loss, mel = (
        ContentLoss(AudioConfig()),
        LogMel(AudioConfig())(torch.from_numpy(hello)[None])[..., :100],
    )
    padded = F.pad(mel, (0, 50))
    alone, among = (
        loss.embed(mel, length_mask(torch.tensor([100]), 100)),
        loss.embed(padded, length_mask(torch.tensor([100]), 150)),
    )
    torch.testing.assert_close(among[..., :50], alone, atol=2e-3, rtol=0)
    assert not among[..., 50:].any()


def test_a_conversion_in_training_ends_as_conversions_do(data):
    """Converted to itself, a recording has its mel statistics, even with an untrained decoder."""
    torch.manual_seed(0)
    batch = {name: x[[0, 0, 1, 1]] for name, x in next(iter(data.train_dataloader())).items()}
    task = AutoencoderTask(data.cache.config.audio)
    with torch.no_grad():
        content, speaker, _ = encode(task.autoencoder, batch)
        voices = segment_voices(
            task.autoencoder, batch, content.mode(), speaker.mode(), slice(1, 2)
        )
        converted, f0 = convert_segments(
            task.autoencoder, batch, content.mode(), voices, slice(0, 1)
        )
        rebuilt = task.autoencoder.decode(
            content.mode()[:1], f0, batch["f0_statistics"][:1], speaker.mode()[:1]
        )
    mels = rebuilt, converted, batch["mel"][:1]
    rebuilt, converted, natural = (mel[0, :, : batch["length"][0]] for mel in mels)
    speech = speech_frames(natural[None])[0]
    assert (rebuilt - natural)[:, speech].mean(1).abs().mean() > 1
    assert (converted - natural)[:, speech].mean(1).abs().mean() < 0.2


@pytest.mark.parametrize(
    ("task", "options"),
    [
        (AutoencoderTask, {}),
        (AutoencoderTask, {"verification": 1.0, "recognition": 1.0}),
        (AutoencoderTask, {"verification": 1.0, "recognition": 1.0, "vocoder": "default"}),
        (VocoderTask, {}),
        (VocoderTask, {"adversarial": 0.1}),
    ],
)
def test_steps_on_one_batch_lower_its_loss(data, monkeypatch, task, options):
    torch.manual_seed(0)
    batch = next(iter(data.train_dataloader()))
    monkeypatch.setattr(base_task, "WARMUP", 1)
    module = task(data.cache.config.audio, steps=1000, learning_rate=1e-3, **options)
    main = without_trainer(module, "reconstruction" if task is AutoencoderTask else "spectral")
    for _ in range(6):
        module.training_step(batch, 0)  # raises where a part of the loss is no number
    assert main[-1] < main[0] - 0.02


def test_accumulated_batches_step_on_the_mean_of_their_gradients(data):
    torch.manual_seed(0)
    batches = iter(data.train_dataloader())
    pair = [next(batches), next(batches)]
    network, apart = torch.nn.Linear(80, 1), torch.nn.Linear(80, 1)
    apart.load_state_dict(network.state_dict())

    class Task(BaseTask):
        def __init__(self, network, accumulate):
            super().__init__(AudioConfig(), 0.1, None)
            self.accumulate = accumulate
            self._trainer = SimpleNamespace(datamodule=data, precision_plugin=None)
            self.optimiser = torch.optim.SGD(network.parameters(), 0.1)

        def optimizers(self):
            return self.optimiser

        def lr_schedulers(self):
            return torch.optim.lr_scheduler.ConstantLR(self.optimiser, 1.0)

        def manual_backward(self, loss):
            loss.backward()

    def loss(network, batch):
        return network(batch["mel"].mean(-1)).square().mean()

    task, start = Task(network, 2), network.weight.clone()
    for position, batch in enumerate(pair):
        data.position = position + 1
        assert torch.equal(network.weight, start)
        task.optimise(network, loss(network, batch), 0)
    data.position, once = 0, Task(apart, 1)
    once.optimise(apart, (loss(apart, pair[0]) + loss(apart, pair[1])) / 2, 0)
    assert not torch.equal(network.weight, start) and torch.allclose(
        network.weight, apart.weight, atol=1e-7
    )


def test_a_loss_that_is_not_a_number_stops_before_any_weight_is_touched(data):
    module = AutoencoderTask(data.cache.config.audio)
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    batch = next(iter(data.train_dataloader()))
    batch["mel"][0, 0, 0] = torch.nan

    module._trainer = SimpleNamespace(
        checkpoint_callback=None, global_step=5, precision_plugin=None, datamodule=None
    )
    optimiser = torch.optim.SGD(module.parameters(), 1.0)
    module.optimizers, module.lr_schedulers = lambda: optimiser, lambda: None
    module.manual_backward = lambda loss: loss.backward()
    with pytest.raises(
        TrainingError, match="The loss became nan at step 5; the last good checkpoint is none yet"
    ):
        module.training_step(batch, 0)
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())


def die(cut):
    os._exit(9)  # as a process ends that the system kills for its memory


def test_a_process_that_dies_over_features_is_a_sentence(corpus, data, tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "_compute", die)
    cuts = CutSet.from_file(corpus / "manifests/speakers-train.jsonl.gz")
    fresh = cache.FeatureCache(tmp_path, data.cache.config)
    with pytest.raises(DataError, match=r"where memory runs out; lower data\.jobs"):
        fresh.build(cuts, jobs=2)


@pytest.mark.parametrize("device", ["CUDA", "MPS backend"])
def test_a_full_device_is_a_sentence(device, corpus, tmp_path, monkeypatch, capsys):
    def full(*_):
        raise RuntimeError(f"{device} out of memory. Tried to allocate 2.00 GiB.")

    monkeypatch.setattr(AutoencoderTask, "training_step", full)
    train = "train", "autoencoder", "--config", config(corpus, tmp_path, 2)
    message = refusal(monkeypatch, capsys, *train)
    assert message == "The device's memory is full; lower data.batch_size or data.seconds."


def test_what_can_t_be_logged_or_converted_is_a_sentence(data):
    with pytest.raises(TrainingError, match=r"leave it out of trainer\.callbacks"):
        ValidationLogger().on_fit_start(None, SimpleNamespace(network_name="denoiser"))
    batch = default_collate([data.train_dataloader().dataset[0]])
    task = AutoencoderTask(AudioConfig(), verification=1.0, steps=4, sizes=TINY)
    with pytest.raises(TrainingError, match=r"set data\.batch_size to 2 or more"):
        task.training_step(batch, 0)
