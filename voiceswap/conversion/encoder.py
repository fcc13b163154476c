"""Recordings through the front end and the content encoder, in batches of windows."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from voiceswap.conversion.batching import (
    ProgressCallback,
    batches,
    on_device,
    stack,
    stack_pairs,
)
from voiceswap.conversion.disk_array import DiskArray
from voiceswap.conversion.recording import (
    RECEPTIVE_SECONDS,
    EncodedRecording,
    Recording,
    Window,
    windows,
)
from voiceswap.models import pretrained
from voiceswap.models.autoencoder import Autoencoder
from voiceswap.models.gaussian import DiagonalGaussian
from voiceswap.models.layers import RunningMoments, instance_norm

Segment = tuple[EncodedRecording, int, int]  # mel frames first to last


class RecordingEncoder:
    """Encodes recordings of any length, window by window; what is long goes to disk."""

    def __init__(self, autoencoder: Autoencoder, device: torch.device, batch_size: int):
        self.autoencoder, self.device, self.batch_size = autoencoder, device, batch_size
        front_end = pretrained.front_end(autoencoder.front_end, autoencoder.audio)
        self.front_end = front_end.to(device)

    @torch.inference_mode()
    def encode(
        self, recordings: Sequence[Recording], progress: ProgressCallback = lambda done: None
    ) -> list[EncodedRecording]:
        """Features and statistics of recordings, all windows of all of them in batches."""
        progress(0.0)
        stride = self.autoencoder.stride
        todo = [(number, w) for number, r in enumerate(recordings) for w in r.windows]
        spectra, peaks = self._spectra(recordings, todo)
        features = [DiskArray(np.float16, self.front_end.channels) for _ in recordings]
        moments = [RunningMoments() for _ in recordings]
        done = row = 0
        for batch in batches(todo, self.batch_size):
            stacked, mask = [], None
            for _, window in batch:
                last = row + window.right - window.left
                stacked.append(torch.from_numpy(spectra.read(row, last)).T)
                row = last
            spectrum, mask = stack(stacked)
            peak = torch.tensor([peaks[number] for number, _ in batch], device=self.device)
            encoded = self.front_end.window(
                spectrum.to(self.device), on_device(mask, self.device), peak
            )
            for item, (number, window) in zip(encoded, batch, strict=True):
                kept = item[:, _inner(window, stride)]
                features[number].append(kept.T.cpu().numpy())
                moments[number].add(kept)
            done += len(batch)
            progress(done / len(todo))
        return self._with_content_statistics(recordings, features, moments)

    def _spectra(
        self, recordings: Sequence[Recording], todo: Sequence[tuple[int, Window]]
    ) -> tuple[DiskArray, list[float]]:
        """The front end's spectra of windows, row after row, and each recording's peak."""
        spectra, peaks = DiskArray(np.float32, self.front_end.bins), [-np.inf] * len(recordings)
        for batch in batches(todo, self.batch_size):
            waves = [recordings[n].samples(w.left, w.right) for n, w in batch]
            stacked, _ = stack([torch.from_numpy(wave) for wave in waves])
            spectrum = self.front_end.spectrum(stacked.to(self.device)).cpu()
            for item, (number, window) in zip(spectrum, batch, strict=True):
                inside = item[:, : window.right - window.left]
                spectra.append(inside.T.numpy())
                peaks[number] = max(peaks[number], float(inside.max()))
        return spectra, peaks

    def _with_content_statistics(
        self,
        recordings: Sequence[Recording],
        features: Sequence[DiskArray],
        moments: Sequence[RunningMoments],
    ) -> list[EncodedRecording]:
        """The encoded recordings, after a first pass through the content encoder for statistics."""
        content = [RunningMoments() for _ in recordings]
        partial = [
            EncodedRecording(recording, rows, known.result(), known.result())
            for recording, rows, known in zip(recordings, features, moments, strict=True)
        ]
        todo = [
            (number, window)
            for number, recording in enumerate(recordings)
            for window in windows(
                recording.frames, self.autoencoder.audio.frame_rate, RECEPTIVE_SECONDS
            )
        ]
        for batch in batches(todo, self.batch_size):
            rows, mask, known = self._features([(partial[n], w.left, w.right) for n, w in batch])
            means, _ = self.autoencoder.content_encoder.encode_unnormalized(rows, mask, known)
            for mean, (number, window) in zip(means, batch, strict=True):
                content[number].add(mean[:, _inner(window, self.autoencoder.stride)])
        return [
            replace(item, content_statistics=known.result())
            for item, known in zip(partial, content, strict=True)
        ]

    def _features(
        self, segments: Sequence[Segment]
    ) -> tuple[Tensor, Tensor | None, tuple[Tensor, Tensor]]:
        """Features of segments as a batch, its mask, and the recordings' statistics."""
        stride = self.autoencoder.stride
        rows, mask = stack(
            [item.features(first // stride, -(-last // stride)) for item, first, last in segments]
        )
        known = stack_pairs([item.feature_statistics for item, _, _ in segments], self.device)
        return rows.to(self.device), on_device(mask, self.device), known

    def content(self, segments: Sequence[Segment]) -> tuple[DiagonalGaussian, Tensor | None]:
        """q(content | speech) of segments, (batch, code, frames / stride), and the mask."""
        rows, mask, known = self._features(segments)
        mean, log_variance = self.autoencoder.content_encoder.encode_unnormalized(rows, mask, known)
        statistics = stack_pairs([item.content_statistics for item, _, _ in segments], self.device)
        return DiagonalGaussian(instance_norm(mean, mask, statistics), log_variance), mask


def _inner(window: Window, stride: int) -> slice:
    """The frames of a window without its context, in frames of `stride` mel frames."""
    first, last = window.first - window.left, window.last - window.left
    return slice(first // stride, -(-last // stride))
