"""Features of one voice's recordings, computed once, and batches of segments of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from voiceswap.conversion.engine import Engine
from voiceswap.conversion.output_windows import Conversion
from voiceswap.conversion.recording import EncodedRecording, Recording
from voiceswap.conversion.voice import Voice
from voiceswap.features import log_f0_statistics
from voiceswap.models.layers import length_mask

SEGMENT_SECONDS = 2.0


@dataclass(frozen=True)
class RecordingFeatures:
    """Of one recording. Frames are mel frames; content frames are `stride` of them.

    encoded: the recording. mel: log-mel (mels, frames). samples: (samples,) at the normal level.
    f0: (frames,), Hz. log_f0: mean and standard deviation of ln F0 (2,). code: speaker code
    (code,). content: content codes (2, code, content frames), of the recording and of its
    conversion to a random voice. deviation: of the recording's content posterior.
    """

    encoded: EncodedRecording
    mel: Tensor
    samples: Tensor
    f0: Tensor
    log_f0: Tensor
    code: Tensor
    content: Tensor
    deviation: Tensor


def compute_features(
    engine: Engine, samples: Sequence[np.ndarray], others: Sequence[Voice]
) -> list[RecordingFeatures]:
    """Features of recordings (samples,), each also converted to one of `others`.

    The conversion has the same words in a voice that is nobody's, so that adaptation also sees
    content that comes from another speaker.
    """
    computed = []
    for wave, other in zip(samples, others, strict=True):
        recording = Recording(iter([wave]), engine.audio, "a recording")
        (encoded,) = engine.encoder.encode([recording])
        (output,) = engine.convert([Conversion(encoded, other)])
        converted = output.recording()
        (strange,) = engine.encoder.encode([converted])
        with torch.inference_mode():
            (clean,), mel, *_ = engine.references([encoded])
            own, _ = engine.encoder.content([(encoded, 0, recording.frames)])
            foreign, _ = engine.encoder.content([(strange, 0, recording.frames)])
            tensors = [
                mel[0],
                torch.from_numpy(clean).to(engine.device),
                torch.from_numpy(recording.f0).to(engine.device),
                torch.tensor(log_f0_statistics(recording.f0), device=engine.device),
                engine.speaker([encoded]).mode()[0],
                torch.cat([own.mean, foreign.mean]),
                (0.5 * own.log_variance[0]).exp(),
            ]
        tensors = [tensor.clone() for tensor in tensors]  # gradients may use them
        computed.append(RecordingFeatures(encoded, *tensors))
    return computed


@dataclass(frozen=True)
class Batch:
    """Segments of one voice's recordings, padded to one length; fields as in `RecordingFeatures`.

    drawn: draws from the content posterior. own, foreign: means, of the recording and of its
    conversion.
    """

    drawn: Tensor
    own: Tensor
    foreign: Tensor
    mel: Tensor
    samples: Tensor
    f0: Tensor
    log_f0: Tensor
    mask: Tensor


def draw_batch(
    features: Sequence[RecordingFeatures], engine: Engine, size: int, rng: np.random.Generator
) -> Batch:
    """Random segments, each moment of speech about as often as any other."""
    audio, stride = engine.audio, engine.autoencoder.stride
    frames = round(SEGMENT_SECONDS * audio.frame_rate / stride) * stride
    share = np.array([item.mel.shape[-1] for item in features], float)
    items, lengths = [], []
    for number in rng.choice(len(features), size, p=share / share.sum()):
        item = features[number]
        start = int(rng.integers(max(1, (item.mel.shape[-1] - frames) // stride + 1))) * stride
        coarse = slice(start // stride, (start + frames) // stride)
        fine = slice(start, start + frames)
        hop = audio.hop_length
        own, foreign = item.content[:, :, coarse]
        noise = torch.from_numpy(rng.standard_normal(own.shape, np.float32)).to(own.device)
        samples = item.samples[start * hop : (start + frames) * hop]
        fields = (
            (own + item.deviation[:, coarse] * noise, frames // stride),
            (own, frames // stride),
            (foreign, frames // stride),
            (item.mel[:, fine], frames),
            (samples, frames * hop),
            (item.f0[fine], frames),
        )
        padded = [F.pad(tensor, (0, length - tensor.shape[-1])) for tensor, length in fields]
        items.append((*padded, item.log_f0))
        lengths.append(min(frames, item.mel.shape[-1]))
    mask = length_mask(torch.tensor(lengths), frames).to(engine.device)
    drawn, own, foreign, mel, samples, f0, log_f0 = (
        torch.stack(field) for field in zip(*items, strict=True)
    )
    return Batch(drawn, own, foreign, mel, samples, f0, log_f0, mask)
