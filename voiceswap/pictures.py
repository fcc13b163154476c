"""Pictures of speech: log-mel spectrograms with the F0 line on them."""

import os
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure

from voiceswap.features import AudioConfig, LogMel, extract_f0


def draw_mels(recordings: dict[str, np.ndarray], audio: AudioConfig, path: str | os.PathLike, columns: int = 2) -> Path:
    """Draw the log-mel of each recording (samples,), titled by its key, on one scale, F0 in white; write a PNG."""
    log_mel, rows = LogMel(audio), -(-len(recordings) // columns)
    mels = {title: log_mel(torch.from_numpy(samples)[None])[0].numpy() for title, samples in recordings.items()}
    top = max(mel.max() for mel in mels.values())
    figure = Figure(figsize=(5.5 * columns, 2.8 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
    for axes in grid.flat[len(recordings) :]:
        axes.set_visible(False)
    for axes, (title, mel) in zip(grid.flat, mels.items(), strict=False):
        seconds = mel.shape[1] / audio.frame_rate
        picture = axes.imshow(
            mel, origin="lower", aspect="auto", vmin=top - 10, vmax=top, cmap="magma", extent=(0, seconds, 0, audio.n_mels)
        )
        f0 = extract_f0(recordings[title], audio)
        times = np.arange(len(f0)) / audio.frame_rate
        axes.plot(times, np.where(f0 > 0, mel_bin(f0, audio), np.nan), color="white", linewidth=1.6)
        ticks = np.array([200, 500, 1000, 2000, 4000, 8000])
        ticks = ticks[ticks <= audio.f_max]
        axes.set_yticks(mel_bin(ticks, audio), [f"{tick / 1000:g}" for tick in ticks])
        axes.set(title=title, xlabel="s", ylabel="kHz")
    figure.colorbar(picture, ax=grid, label="ln magnitude", shrink=0.6)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    return path


def mel_bin(frequency: np.ndarray, audio: AudioConfig) -> np.ndarray:
    """Where frequencies in Hz lie on the axis of mel bins (HTK scale)."""

    def mel(f):
        return np.log1p(np.asarray(f) / 700.0)

    return (mel(frequency) - mel(audio.f_min)) / (mel(audio.f_max) - mel(audio.f_min)) * audio.n_mels
