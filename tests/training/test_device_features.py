"""Features made on the device are the cached ones, and their views the cached views' kind."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from lightning.pytorch.plugins.precision import MixedPrecision, Precision
from torch.utils.data import default_collate

from voiceswap.dsp.level import set_level
from voiceswap.errors import DataError
from voiceswap.features import AudioConfig
from voiceswap.models.pretrained import front_end
from voiceswap.training import perturb
from voiceswap.training.autoencoder_task import AutoencoderTask
from voiceswap.training.data import SpeechData
from voiceswap.training.device_features import DeviceFeatures
from voiceswap.training.perturb import perturb_powers


def speech_data(corpus, views: int, **options) -> SpeechData:
    manifest = [corpus / "manifests/speakers-train.jsonl.gz"]
    sizes = {"batch_size": 4, "seconds": 2.0, "reference_seconds": 1.2, "jobs": 2} | options
    data = SpeechData(manifest, [], corpus / "cache", AudioConfig(), views=views, **sizes)
    data.prepare_data()
    return data


@pytest.fixture(scope="module")
def on_device(corpus):
    return speech_data(corpus, 0)


def test_clean_features_are_the_cached_ones(corpus, on_device):
    cached = speech_data(corpus, 1, clean_share=1.0).train_dataloader().dataset
    fresh = on_device.train_dataloader().dataset
    indices = range(8)
    expected = default_collate([cached[i] for i in indices])
    made = DeviceFeatures("whisper-base", AudioConfig())(
        default_collate([fresh[i] for i in indices]), clean_share=1.0
    )
    assert made.keys() == expected.keys()
    for name in expected.keys() - {"content"} - {x for x in expected if x.startswith("reference")}:
        torch.testing.assert_close(made[name], expected[name])
    wanted, found = expected["content"], made["content"]
    error = (found - wanted).square().mean((1, 2)) / wanted.var()
    whole = default_collate([fresh[i]["surrounded_position"] for i in indices]) == 0
    assert whole.any() and not whole.all()
    assert (error[whole] < 10**-3).all()  # bfloat16, and samples of 16 bits
    assert (error[~whole] < 10**-1.2).all()  # what was more than 1.5 s before is not seen


def test_a_step_draws_views_by_its_position_alone(on_device):
    batch = default_collate([on_device.train_dataloader().dataset[i] for i in range(4)])
    features, drawn = DeviceFeatures("whisper-base", AudioConfig()), []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        drawn.append(features(batch, clean_share=0.0)["content"])
    assert torch.equal(drawn[0], drawn[1]) and not torch.allclose(drawn[0], drawn[2], atol=0.1)


@pytest.mark.parametrize(("precision", "products"), [("bf16-mixed", torch.bfloat16), (None, None)])
def test_the_front_end_has_the_precision_of_the_training(
    on_device, monkeypatch, precision, products
):
    """Its products alone: spectra stay in 32 bits."""
    plugin = MixedPrecision(precision, "cpu") if precision else Precision()
    trainer = SimpleNamespace(training=True, precision_plugin=plugin)
    for name, value in (("trainer", trainer), ("position", 0), ("_device_features", None)):
        monkeypatch.setattr(on_device, name, value)
    batch = default_collate([on_device.train_dataloader().dataset[i] for i in range(2)])
    seen, convolution = [], F.conv1d

    def seen_convolution(x, *arguments):
        out = convolution(x, *arguments)
        seen.append((x.dtype, out.dtype))
        return out

    monkeypatch.setattr(F, "conv1d", seen_convolution)
    made = on_device.on_after_batch_transfer(batch, 0)
    assert seen[0] == (torch.float32, products or torch.float32)
    assert made["content"].dtype == torch.float32


def test_a_view_keeps_the_words_and_moves_the_voice(swapper, hello):
    """Its log-mel is farther from the recording's than its content code is, relative to both."""
    network, engine = front_end("whisper-base", AudioConfig()), swapper.engine
    samples = torch.from_numpy(set_level(hello, 16000))[None]
    powers = network.powers(samples)
    torch.manual_seed(0)
    views = perturb_powers(powers.repeat(12, 1, 1), 16000)
    assert views.isfinite().all() and (views >= 0).all()
    both = network.of_powers(torch.cat([powers, views]))
    with torch.no_grad():
        features = network.window(both, None, both.amax((1, 2)))
        code = engine.autoencoder.encode_content(features).mode()
    alike = [
        torch.cosine_similarity(
            x[:1] - x[:1].mean(-1, True), x[1:] - x[1:].mean(-1, True), 1
        ).mean()
        for x in (both, code)
    ]
    assert alike[0] < 0.9 and alike[1] > 0.7


def test_views_lose_their_highs_as_cached_ones_do(monkeypatch):
    for name in ("MOVED_SHARE", "FORMANT_OCTAVES", "EQUALISER_GAIN", "NOISY_SHARE"):
        monkeypatch.setattr(perturb, name, 0.0)
    monkeypatch.setattr(perturb, "DULL_SHARE", 1.0)
    monkeypatch.setattr(perturb, "CUTOFFS", (4000.0, 4000.001))
    noise = np.random.default_rng(0).standard_normal(48000).astype(np.float32) / 10
    network = front_end("whisper-base", AudioConfig())
    samples = perturb.perturb(noise, 16000, np.random.default_rng(1))
    natural, cached = network.powers(torch.from_numpy(np.stack([noise, samples])))
    view = perturb_powers(natural[None], 16000)[0]
    bins = [round(hz / 40) for hz in (3000, 4100, 4250)]
    losses = [10 * (natural[bins] / changed[bins]).mean(-1).log10() for changed in (cached, view)]
    cached_loss, view_loss = (loss - loss[0] for loss in losses)  # a view keeps its level
    assert cached_loss[2] > 25 and (cached_loss - view_loss).abs().max() < 4


def test_the_equaliser_is_the_same_at_every_resolution():
    fine, coarse = perturb.knots_to_bins(513), perturb.knots_to_bins(201)
    at = np.arange(8, 200)
    np.testing.assert_allclose(
        coarse[:, at], fine[:, np.round(at * 513 / 201).astype(int)], atol=0.08
    )


def test_training_runs_without_cached_views(on_device):
    task = AutoencoderTask(AudioConfig(), steps=4, sizes={"decoder_blocks": 2})
    pairs, losses = task.configure_optimizers(), []
    task.optimizers = lambda: [pair["optimizer"] for pair in pairs]
    task.lr_schedulers = lambda: [pair["lr_scheduler"]["scheduler"] for pair in pairs]
    task.manual_backward = lambda loss: loss.backward()
    task.log_dict = lambda logged, **__: losses.append(logged["train/reconstruction"].item())
    for i, batch in zip(range(4), on_device.train_dataloader(), strict=False):
        task.training_step(on_device.on_after_batch_transfer(batch, 0), i)
    assert all(map(math.isfinite, losses))
    sizes = [path.stat().st_size for path in on_device.cache.folder.iterdir()]
    seconds = sum(cut.duration for cut in on_device._cuts("train"))
    assert sum(sizes) / seconds < 1.2 * on_device.cache.bytes_per_second() < 70000


def test_the_front_end_runs_on_samples_at_its_own_rate(corpus):
    with pytest.raises(DataError, match=r"With data\.views 0, data\.samples_rate must be"):
        speech_data(corpus, 0, samples_rate=24000)
