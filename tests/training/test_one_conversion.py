"""Conversion, training losses, vocoder training and validation are one function."""

from types import SimpleNamespace

import torch

from voiceswap import VoiceSwapper
from voiceswap.conversion.core import decode
from voiceswap.conversion.output_windows import Conversion
from voiceswap.conversion.recording import Recording
from voiceswap.features import log_f0_statistics
from voiceswap.models.perceptual_losses import SpeakerLoss
from voiceswap.training.autoencoder_task import AutoencoderTask
from voiceswap.training.conversions import convert_segments, encode, segment_voices
from voiceswap.training.validation_logger import ValidationLogger
from voiceswap.training.vocoder_task import VocoderTask


def test_every_caller_of_the_conversion_gets_the_same_mel(model, hello, goodbye, monkeypatch):
    """Conversion, training losses, vocoder training and validation: one input, one mel."""
    engine = VoiceSwapper.load(model, "cpu", precision="fp32").engine
    encoded = engine.encoder.encode(
        [Recording(iter([wave[:32000]]), engine.audio, "it") for wave in (hello, goodbye)]
    )
    mels = []
    real = engine.vocode
    monkeypatch.setattr(engine, "vocode", lambda mel, *rest: mels.append(mel) or real(mel, *rest))
    engine.convert([Conversion(encoded[0], *engine.embed(encoded[1:]))])
    (expected,) = mels

    # The same two recordings as a training batch, the source in its first half, the target after
    # it.
    batch = {
        "content": torch.stack([item.features(0, 200) for item in encoded]),
        "mel": engine.log_mel(
            torch.stack([torch.from_numpy(item.recording.samples()) for item in encoded])
        ),
        "f0": torch.stack([torch.from_numpy(item.recording.f0) for item in encoded]),
        "f0_statistics": torch.tensor([log_f0_statistics(x.recording.f0) for x in encoded]),
        "length": torch.tensor([200, 200]),
        "verifier": torch.stack(
            [engine.speaker_vector(item.recording.samples()) for item in encoded]
        ),
    }
    batch |= {"reference_mel": batch["mel"], "reference_verifier": batch["verifier"]}
    batch |= {"reference_length": batch["length"]}
    with torch.no_grad():
        content, speaker, _ = encode(engine.autoencoder, batch)
        voices = segment_voices(
            engine.autoencoder, batch, content.mode(), speaker.mode(), slice(1, 2)
        )
        converted, _ = convert_segments(
            engine.autoencoder, batch, content.mode(), voices, slice(0, 1)
        )
    torch.testing.assert_close(converted, expected, atol=2e-3, rtol=1e-3)

    # The validation's conversion is of item i to the voice of item i + 1.
    logger, seen = ValidationLogger(), []
    logger.speaker_loss, logger.vocoder = SpeakerLoss(engine.audio), None
    task = SimpleNamespace(autoencoder=engine.autoencoder, audio=engine.audio, log=lambda *_: None)
    monkeypatch.setattr(logger, "_synthesize", lambda mel, *_: seen.append(mel))
    monkeypatch.setattr(logger, "_show", lambda *_: None)
    with torch.no_grad():
        logger._convert(None, task, batch, content.mode(), speaker.mode(), 1)
    torch.testing.assert_close(seen[0], expected, atol=2e-3, rtol=1e-3)

    # Losses take a quarter of the batch to the voices of the next.
    four = {name: x[[0, 1, 1, 1]] for name, x in batch.items()}
    module, measured = AutoencoderTask(engine.audio, "mel", verification=1.0, sizes={}), []
    module.autoencoder = engine.autoencoder
    monkeypatch.setattr(
        module.fixed["verification"], "forward", lambda mel, _: measured.append(mel) or mel.mean()
    )
    monkeypatch.setattr("voiceswap.training.autoencoder_task.MAX_PITCH_RANGE", 1.0)
    with torch.no_grad():
        content, speaker, _ = encode(engine.autoencoder, four)
        module._conversion_losses(four, content, content.mode(), speaker.mode())
    torch.testing.assert_close(measured[0], expected, atol=2e-3, rtol=1e-3)

    # The vocoder's input is a conversion of the target to itself, without its own residuals.
    vocoder = VocoderTask(engine.audio, sizes={"blocks": 1})
    vocoder.fixed["autoencoder"] = engine.autoencoder
    both = {name: x[[1, 1]] for name, x in batch.items()}
    own = decode(
        engine.autoencoder, content.mode()[1:2], batch["f0"][1:2], voices, exclude_self=True
    )
    torch.testing.assert_close(vocoder._input_mels(both)[:1], own, atol=2e-3, rtol=1e-3)
