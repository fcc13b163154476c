"""The networks of a model on a device, and recordings through them window by window, in batches."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from voiceswap import frozen
from voiceswap.calibration import apply_calibration
from voiceswap.checkpoint import Checkpoint
from voiceswap.errors import VoiceswapError
from voiceswap.exemplars import recall
from voiceswap.features import F0_MAX, F0_MIN, LogMel, log_f0_statistics
from voiceswap.latent import DiagonalGaussian
from voiceswap.layers import RunningMoments, instance_norm, length_mask
from voiceswap.speech import Speech, Spoken, Window, noise_at, windows
from voiceswap.vocoder import Start, excitation_starts, griffin_lim
from voiceswap.voice import Voice

Progress = Callable[[float], None]
Stretch = tuple[Speech, int, int]  # frames first to last
T = TypeVar("T")

REACH = 1.0  # seconds: content encoder, decoder and vocoder together look less far than this to either side
SEMITONE = math.log(2) / 12


class Engine:
    """What listens and speaks. Nothing is changed by a call, so one object serves many threads.

    `device`: auto, cpu, cuda, cuda:1, mps. Raises VoiceswapError for one that can't be used. `batch_size` is how many
    windows of at most 18 s go through the networks at once; None is one on a CPU and 16 elsewhere.
    """

    def __init__(self, checkpoint: Checkpoint, device: str = "auto", batch_size: int | None = None):
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
        try:
            self.device = torch.device(device)
            torch.zeros(1, device=self.device)
        except (RuntimeError, AssertionError) as error:
            raise VoiceswapError(f"The device '{device}' can't be used here; try cpu.") from error
        self.card = checkpoint.card
        self.fingerprint = checkpoint.fingerprint()
        self.audio = checkpoint.audio
        self.sample_rate = self.audio.sample_rate
        self.autoencoder = checkpoint.autoencoder.to(self.device).eval()
        self.vocoder = checkpoint.vocoder.to(self.device).eval() if checkpoint.vocoder else None
        self.front_end = frozen.front_end(self.autoencoder.front_end, self.audio).to(self.device)
        self.verifier = frozen.speaker_verifier().to(self.device)
        self.log_mel = LogMel(self.audio).to(self.device)
        self.batch_size = batch_size or usual_batch_size(self.device.type)

    @torch.inference_mode()
    def listen(self, speeches: Sequence[Speech], progress: Progress = lambda done: None) -> None:
        """Give the speeches their content, all windows of all of them in batches."""
        progress(0.0)
        todo = [(speech, window) for speech in speeches for window in speech.windows]
        for speech, window in todo:
            wave = torch.from_numpy(speech.samples(window.left, window.right))[None].to(self.device)
            speech.loudness = max(speech.loudness, float(self.front_end.loudness(wave)))
        stride, done = self.autoencoder.stride, 0
        for batch in self._batches(todo):
            waves = [torch.from_numpy(speech.samples(window.left, window.right)) for speech, window in batch]
            lengths = torch.tensor([len(wave) for wave in waves], device=self.device)
            loudness = torch.tensor([speech.loudness for speech, _ in batch], device=self.device)
            features = self.front_end.window(_stack(waves)[0].to(self.device), lengths, loudness)
            for heard, (speech, window) in zip(features, batch, strict=True):
                speech.keep_features(heard[:, (window.first - window.left) // stride : -(-(window.last - window.left) // stride)])
            done += len(batch)
            progress(done / len(todo))
        for batch in self._batches([(s, w) for s in speeches for w in windows(s.frames, self.audio.frame_rate, REACH)]):
            features, mask, known = self._features([(speech, window.left, window.right) for speech, window in batch])
            means, _ = self.autoencoder.content_encoder.unnormed(features, mask, known)
            for mean, (speech, window) in zip(means, batch, strict=True):
                speech.mean_moments.add(mean[:, (window.first - window.left) // stride : -(-(window.last - window.left) // stride)])

    def _batches(self, items: list[T]) -> Iterator[list[T]]:
        return (items[i : i + self.batch_size] for i in range(0, len(items), self.batch_size))

    def _features(self, stretches: Sequence[Stretch]) -> tuple[Tensor, Tensor | None, tuple[Tensor, Tensor]]:
        """What the front end heard in stretches of frames, as a batch; its mask; the moments of the whole recordings."""
        stride = self.autoencoder.stride
        features, mask = _stack([speech.features(first // stride, -(-last // stride)) for speech, first, last in stretches])
        moments = _moments([speech.feature_moments for speech, _, _ in stretches], self.device)
        return features.to(self.device), _on(mask, self.device), moments

    def words(self, stretches: Sequence[Stretch]) -> tuple[DiagonalGaussian, Tensor | None]:
        """q(content | speech) of stretches of frames, as a batch, and its mask."""
        features, mask, known = self._features(stretches)
        mean, log_variance = self.autoencoder.content_encoder.unnormed(features, mask, known)
        moments = _moments([speech.mean_moments for speech, _, _ in stretches], self.device)
        return DiagonalGaussian(instance_norm(mean, mask, moments), log_variance), mask

    @torch.inference_mode()
    def speak(self, utterances: "Sequence[Utterance]", progress: Progress = lambda done: None) -> list[Spoken]:
        """What the utterances sound like, all windows of all of them in batches."""
        spoken = [Spoken(len(utterance.speech), self.audio) for utterance in utterances]
        todo = []
        for utterance, out in zip(utterances, spoken, strict=True):
            speech = utterance.speech
            log_f0 = utterance.voice.log_f0 + np.array([utterance.pitch_shift * SEMITONE, 0.0], np.float32)
            f0 = torch.from_numpy(move_pitch(speech.f0, log_f0, utterance.pitch_range))
            cut = windows(speech.frames, self.audio.frame_rate, REACH)
            starts = excitation_starts(f0, [window.left for window in cut], self.audio)
            todo += [_Line(utterance, log_f0, f0, window, start, out) for window, start in zip(cut, starts, strict=True)]
        done = 0
        for batch in self._batches(todo):
            for line, wave in zip(batch, self._lines(batch), strict=True):
                hop, window = self.audio.hop_length, line.window
                line.out.append(wave[(window.first - window.left) * hop : (window.last - window.left) * hop].cpu().numpy())
            done += len(batch)
            progress(done / len(todo))
        return spoken

    def _lines(self, lines: "Sequence[_Line]") -> Tensor:
        """Waveforms (batch, samples) of windows, context and all."""
        words, _ = self.words([(line.utterance.speech, line.window.left, line.window.right) for line in lines])
        content, stride = words.mode(), self.autoencoder.stride
        for i, line in enumerate(lines):
            if line.utterance.seed is not None:
                first, last = line.window.left // stride, -(-line.window.right // stride)
                noise = noise_at(line.utterance.seed, first, last, content.shape[1]).to(self.device)
                content[i, :, : last - first] += (0.5 * words.log_variance[i, :, : last - first]).exp() * noise
        f0, mask = _stack([line.f0[line.window.left : line.window.right] for line in lines])
        f0, mask = f0.to(self.device), _on(mask, self.device)
        log_f0, code, calibration = (
            torch.from_numpy(np.stack(arrays)).to(self.device)
            for arrays in zip(*((line.log_f0, line.utterance.voice.code, line.utterance.voice.calibration) for line in lines), strict=True)
        )
        mel = self.autoencoder.decode(content, f0, log_f0, code, mask)
        for decoded, said, line in zip(mel, content, lines, strict=True):
            for exemplars, share in line.utterance.voice.exemplars:
                decoded += share * recall(exemplars, said, decoded.shape[-1])
        mel = apply_calibration(mel, calibration)
        starts = Start(*(torch.cat(field).to(self.device) for field in zip(*(line.start for line in lines), strict=True)))
        return self.vocode(mel, f0, mask, starts)

    def vocode(self, mel: Tensor, f0: Tensor, mask: Tensor | None = None, start: Start | None = None) -> Tensor:
        """Waveforms of log-mels and F0 in Hz, by the vocoder, or by Griffin-Lim where the model has none."""
        if self.vocoder is None:
            return griffin_lim(mel, self.log_mel.mel.bank, self.audio)
        return self.vocoder(mel, f0, mask, start)


def usual_batch_size(device: str) -> int:
    """How many windows at once are quickest on a kind of device."""
    return 1 if device == "cpu" else 16


def move_pitch(f0: np.ndarray, log_f0: np.ndarray, pitch_range: float = 1.0) -> np.ndarray:
    """An F0 contour in Hz (frames,) moved to a voice whose ln F0 has mean and spread `log_f0` (2,); 0 stays 0.

    The contour's spread becomes the geometric mean of both voices' spreads: wholly the target's would exaggerate what
    a short reference misjudges, wholly the source's would keep one of its habits. `pitch_range` multiplies it.
    """
    mean, spread = log_f0_statistics(f0)
    width = math.sqrt(log_f0[1] / spread) * pitch_range
    moved = log_f0[0] + (np.log(np.maximum(f0, 1.0)) - mean) * width
    return np.where(f0 > 0, np.clip(np.exp(moved), F0_MIN, F0_MAX), 0.0).astype(np.float32)


@dataclass(frozen=True)
class Utterance:
    """A speech to be said in a voice, and how: as `VoiceSwapper.convert` explains."""

    speech: Speech
    voice: Voice
    pitch_shift: float = 0.0
    seed: int | None = None
    pitch_range: float = 1.0


@dataclass(frozen=True)
class _Line:
    """A window of an utterance, and all that is needed to say it."""

    utterance: Utterance
    log_f0: np.ndarray
    f0: Tensor  # of the whole recording
    window: Window
    start: Start
    out: Spoken


def _stack(items: Sequence[Tensor]) -> tuple[Tensor, Tensor | None]:
    """Tensors (..., frames) as a batch padded to the longest, and its mask; no mask where all are alike."""
    lengths = [item.shape[-1] for item in items]
    if min(lengths) == max(lengths):
        return torch.stack(list(items)), None
    padded = torch.stack([F.pad(item, (0, max(lengths) - item.shape[-1])) for item in items])
    return padded, length_mask(torch.tensor(lengths), max(lengths))


def _on(mask: Tensor | None, device: torch.device) -> Tensor | None:
    return None if mask is None else mask.to(device)


def _moments(several: Sequence[RunningMoments], device: torch.device) -> tuple[Tensor, Tensor]:
    means, deviations = zip(*(moments.result() for moments in several), strict=True)
    return torch.stack(means).to(device), torch.stack(deviations).to(device)
