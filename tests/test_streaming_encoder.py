"""The encoder of streams finds with little lookahead what that of recordings finds with all."""

import pytest
import torch

from voiceswap.conversion.reading import read_recording
from voiceswap.errors import TrainingError
from voiceswap.features import AudioConfig
from voiceswap.models import pretrained
from voiceswap.models.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from voiceswap.models.layers import instance_norm
from voiceswap.training.streaming_task import StreamingTask

SECOND = 50  # frames of the content code


def code_error(swapper, samples, encoder, lookahead: int) -> float:
    """Squared error of code frames that windows of 1.4 s end `lookahead` frames after."""
    engine, (front_end, content_encoder) = swapper.engine, encoder
    recording = read_recording((samples, 16000), engine.audio, 16000)
    (encoded,) = engine.encoder.encode([recording])
    code = engine.encoder.content([(encoded, 0, recording.frames)])[0].mode()[0]
    wave, size = torch.from_numpy(recording.samples()), round(1.4 * SECOND)
    ends = range(size, code.shape[-1], 5)
    with torch.inference_mode():
        spectrum = front_end.spectrum(torch.stack([wave[320 * (i - size) : 320 * i] for i in ends]))
        peak = front_end.spectrum(wave[None]).max().repeat(len(ends))
        features = front_end.window(spectrum, None, peak).float()
        known = [
            tuple(x[None] for x in pair)
            for pair in (encoded.feature_statistics, encoded.content_statistics)
        ]
        mean, _ = content_encoder.encode_unnormalized(features, None, known[0])
        found = instance_norm(mean, None, known[1])[..., -1 - lookahead]
    return float((found - code[:, [i - 1 - lookahead for i in ends]].T).square().mean())


@pytest.mark.parametrize("lookahead", [4, 8])
def test_it_needs_less_lookahead(swapper, hello, goodbye, lookahead):
    engine = swapper.engine
    plain = pretrained.front_end("whisper-base", engine.audio)
    own = plain, engine.autoencoder.content_encoder
    for samples in (hello, goodbye):
        taught = code_error(swapper, samples, engine.streaming_encoder, lookahead)
        assert taught < 0.75 * code_error(swapper, samples, own, lookahead)


def test_it_starts_as_its_teacher_and_is_kept_in_the_models_file(swapper, hello, tmp_path):
    task = StreamingTask(AudioConfig())
    default = load_checkpoint("default")
    parts = default.autoencoder, default.vocoder, default.card, task.streaming
    kept = load_checkpoint(save_checkpoint(tmp_path / "m.safetensors", Checkpoint(*parts)))
    assert kept.streaming is not None
    new = kept.streaming.eval().adapted_front_end(), kept.streaming.content_encoder
    plain = pretrained.front_end("whisper-base", swapper.engine.audio)
    own = plain, default.autoencoder.content_encoder
    errors = [code_error(swapper, hello, encoder, 8) for encoder in (new, own)]
    assert errors[0] == pytest.approx(errors[1], rel=0.02)  # half precision in the file


def test_a_model_without_whisper_needs_none(model):
    with pytest.raises(TrainingError, match="has no Whisper, so it serves streams as it is"):
        StreamingTask(AudioConfig(), teacher=str(model))
