"""Recordings through the front end and the content encoder, in batches of windows."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from voiceswap.conversion.batching import batches, stack, stack_pairs, stack_rows
from voiceswap.conversion.disk_array import DiskArray
from voiceswap.conversion.progress import ProgressCallback
from voiceswap.conversion.recording import (
    RECEPTIVE_SECONDS,
    EncodedRecording,
    Recording,
    Window,
    track_f0,
    windows,
)
from voiceswap.models.autoencoder import Autoencoder
from voiceswap.models.gaussian import DiagonalGaussian
from voiceswap.models.layers import RunningMoments, instance_norm
from voiceswap.models.pretrained import FrontEnd
from voiceswap.precision import inference
from voiceswap.transfer import HostCopy, overlapped, to_device

Segment = tuple[EncodedRecording, int, int]  # mel frames first to last
Place = tuple[int, Window]  # a recording's number, and a window of it


class RecordingEncoder:
    """Encodes recordings of any length, window by window; what is long goes to disk.

    With `noisy` the front end reads recordings with their noise, for which it has an adapter.
    """

    def __init__(
        self,
        autoencoder: Autoencoder,
        front_end: FrontEnd,
        device: torch.device,
        batch_size: int,
        noisy: bool,
    ):
        self.autoencoder, self.front_end, self.noisy = autoencoder, front_end, noisy
        self.device, self.batch_size = device, batch_size

    @inference
    def encode(
        self, recordings: Sequence[Recording], progress: ProgressCallback = lambda done: None
    ) -> list[EncodedRecording]:
        """Features and statistics of recordings, all windows of all of them in batches."""
        progress(0.0)
        track_f0(recordings, self.device, self.batch_size)
        todo = [(number, w) for number, r in enumerate(recordings) for w in r.windows]
        spectra, peaks = self._spectra(recordings, todo)
        features = [DiskArray(np.float16, self.front_end.channels) for _ in recordings]
        moments = [RunningMoments() for _ in recordings]
        done = row = 0

        def start(batch: Sequence[Place]) -> tuple[HostCopy, HostCopy]:
            nonlocal row
            rows = []
            for _, window in batch:
                last = row + window.right - window.left
                rows.append(spectra.read(row, last))
                row = last
            peak = to_device(torch.tensor([peaks[number] for number, _ in batch]), self.device)
            encoded = self.front_end.window(*stack_rows(rows, self.device), peak)
            kept = [self._near_speech(recordings[number], window) for number, window in batch]
            return HostCopy(encoded.mT.half().contiguous()), self._sums(encoded, batch, kept)

        def finish(batch: Sequence[Place], copies: tuple[HostCopy, HostCopy]) -> None:
            nonlocal done
            encoded, sums = copies
            for item, (number, window) in zip(encoded.numpy(), batch, strict=True):
                features[number].append(item[_inner(window, self.autoencoder.stride)])
            for (number, window), pair in zip(batch, torch.from_numpy(sums.numpy()), strict=True):
                kept = self._near_speech(recordings[number], window)
                moments[number].add_sums(int(kept.sum()), *pair.double()[..., None])
            done += len(batch)
            progress(done / len(todo))

        overlapped(batches(todo, self.batch_size), start, finish)
        return self._with_content(recordings, features, moments)

    def _spectra(
        self, recordings: Sequence[Recording], todo: Sequence[Place]
    ) -> tuple[DiskArray, list[float]]:
        """The front end's spectra of windows, row after row, and each recording's peak."""
        spectra, peaks = DiskArray(np.float32, self.front_end.bins), [-np.inf] * len(recordings)

        def start(batch: Sequence[Place]) -> HostCopy:
            rows = [recordings[n].samples(w.left, w.right, self.noisy) for n, w in batch]
            waves = [torch.from_numpy(row) for row in rows]
            spectrum = self.front_end.spectrum(to_device(stack(waves)[0], self.device))
            return HostCopy(spectrum.mT.contiguous())

        def finish(batch: Sequence[Place], spectrum: HostCopy) -> None:
            for item, (number, window) in zip(spectrum.numpy(), batch, strict=True):
                inside = item[: window.right - window.left]
                spectra.append(inside)
                peaks[number] = max(peaks[number], float(inside.max()))

        overlapped(batches(todo, self.batch_size), start, finish)
        return spectra, peaks

    def _with_content(
        self,
        recordings: Sequence[Recording],
        features: Sequence[DiskArray],
        moments: Sequence[RunningMoments],
    ) -> list[EncodedRecording]:
        """The encoded recordings, after a pass through the content encoder."""
        known = [item.result() for item in moments]
        code = self.autoencoder.content_encoder.mean.out_channels
        content = [DiskArray(np.float32, 2, code) for _ in recordings]
        content_moments = [RunningMoments() for _ in recordings]
        rate, stride = self.autoencoder.audio.frame_rate, self.autoencoder.stride
        todo = [
            (number, window)
            for number, recording in enumerate(recordings)
            for window in windows(recording.frames, rate, RECEPTIVE_SECONDS)
        ]

        def start(batch: Sequence[Place]) -> HostCopy:
            rows, mask = stack_rows(
                [features[n].read(w.left // stride, -(-w.right // stride)) for n, w in batch],
                self.device,
            )
            statistics = stack_pairs([known[n] for n, _ in batch], self.device)
            encoder = self.autoencoder.content_encoder
            mean, log_variance = encoder.encode_unnormalized(rows, mask, statistics)
            posterior = torch.stack([mean.float(), log_variance], 1)
            return HostCopy(posterior.permute(0, 3, 1, 2).contiguous())

        def finish(batch: Sequence[Place], posterior: HostCopy) -> None:
            for item, (number, window) in zip(posterior.numpy(), batch, strict=True):
                inside = item[_inner(window, stride)]
                content[number].append(inside)
                kept = self._near_speech(recordings[number], window)
                content_moments[number].add(torch.from_numpy(inside[kept, 0].T))

        overlapped(batches(todo, self.batch_size), start, finish)
        statistics = [item.result() for item in content_moments]
        parts = zip(recordings, features, known, content, statistics, strict=True)
        return [EncodedRecording(*part) for part in parts]

    def _near_speech(self, recording: Recording, window: Window) -> np.ndarray:
        """Which content frames of a window count: without its context, and without long pauses.

        Instance norm would take silence for what is usual, and words for what is not.
        """
        return recording.near_speech[window.first : window.last : self.autoencoder.stride]

    def _sums(self, x: Tensor, batch: Sequence[Place], kept: Sequence[np.ndarray]) -> HostCopy:
        """Sums over the frames that count, and those of squares, (batch, 2, channels)."""
        exact = torch.float32 if self.device.type == "mps" else torch.float64
        inside = torch.zeros(len(x), 1, x.shape[-1], dtype=exact)
        for row, (_, window), count in zip(inside, batch, kept, strict=True):
            row[:, _inner(window, self.autoencoder.stride)] = torch.from_numpy(count).to(exact)
        chosen = x.to(exact) * to_device(inside, self.device)
        return HostCopy(torch.stack([chosen.sum(-1), chosen.square().sum(-1)], 1))

    @inference
    def content(self, segments: Sequence[Segment]) -> tuple[DiagonalGaussian, Tensor | None]:
        """q(content | speech) of segments, (batch, code, frames / stride), and the mask."""
        stride = self.autoencoder.stride
        rows = [item.content_rows.read(a // stride, -(-b // stride)) for item, a, b in segments]
        posterior, mask = stack_rows([item.reshape(len(item), -1) for item in rows], self.device)
        mean, log_variance = posterior.chunk(2, 1)
        statistics = stack_pairs([item.content_statistics for item, _, _ in segments], self.device)
        return DiagonalGaussian(instance_norm(mean, mask, statistics), log_variance), mask


def _inner(window: Window, stride: int) -> slice:
    """The frames of a window without its context, in frames of `stride` mel frames."""
    first, last = window.first - window.left, window.last - window.left
    return slice(first // stride, -(-last // stride))
