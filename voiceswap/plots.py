"""Plots of speech: log-mel spectrograms with the F0 line on them."""

import os
from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from voiceswap.features import AudioConfig, LogMel, extract_f0
from voiceswap.files import whole_file

F0_COLOUR = "#4de3ff"  # white is lost among the harmonics


def draw_mels(
    recordings: dict[str, np.ndarray], sample_rate: int, path: str | os.PathLike, columns: int = 2
) -> Path:
    """Write a PNG of the log-mel of each recording (samples,), on one scale, F0 in blue.

    Args:
        recordings: samples by title.
        sample_rate: of all of them, Hz; the plots reach to half of it.
        path: of the PNG.
        columns: of plots.

    Raises:
        VoiceswapError: the file can't be written.
    """
    audio = _shown_audio(sample_rate)
    rows = -(-len(recordings) // columns)
    figure = Figure(figsize=(5.5 * columns, 2.8 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
    for axes in grid.flat[len(recordings) :]:
        axes.set_visible(False)
    picture = _paint(list(grid.flat), list(recordings.values()), audio)
    for axes, title in zip(grid.flat, recordings, strict=False):
        axes.set(title=title, xlabel="s", ylabel="kHz")
    figure.colorbar(picture, ax=grid, label="ln magnitude", shrink=0.6)
    return _save(figure, path)


def draw_change(
    before: np.ndarray, after: np.ndarray, sample_rate: int, path: str | os.PathLike
) -> Path:
    """Write a PNG of a recording's log-mel above its conversion's, for any background."""
    audio = _shown_audio(sample_rate)
    figure = Figure(figsize=(6.4, 4.2), layout="constrained", facecolor="none")
    grid = figure.subplots(2, 1, sharex=True)
    _paint(list(grid), [before, after], audio)
    grey = "#8a8a86"  # is read on white as on black
    for axes in grid:
        axes.set_ylabel("kHz", color=grey)
        axes.tick_params(colors=grey)
        axes.spines[:].set_visible(False)
    grid[1].set_xlabel("s", color=grey)
    return _save(figure, path)


def _shown_audio(sample_rate: int) -> AudioConfig:
    at_16_khz = AudioConfig(n_mels=100, f_max=sample_rate / 2)
    return at_16_khz.at_rate(sample_rate)


def _paint(grid: list[Axes], recordings: list[np.ndarray], audio: AudioConfig) -> AxesImage:
    """Put one spectrogram on each of `grid`, all on one scale, which the returned image has."""
    log_mel = LogMel(audio)
    mels = [log_mel(torch.from_numpy(samples)[None])[0].numpy() for samples in recordings]
    top = max(mel.max() for mel in mels)
    for axes, samples, mel in zip(grid, recordings, mels, strict=False):
        seconds = mel.shape[1] / audio.frame_rate
        picture = axes.imshow(
            mel,
            origin="lower",
            aspect="auto",
            vmin=top - 10,
            vmax=top,
            cmap="magma",
            extent=(0, seconds, 0, audio.n_mels),
        )
        f0 = extract_f0(samples, audio)
        times = np.arange(len(f0)) / audio.frame_rate
        axes.plot(
            times, np.where(f0 > 0, mel_bin(f0, audio), np.nan), color=F0_COLOUR, linewidth=2.0
        )
        ticks = np.array([200, 500, 1000, 2000, 4000, 8000, 12000])
        ticks = ticks[ticks <= audio.f_max]
        axes.set_yticks(mel_bin(ticks, audio), [f"{tick / 1000:g}" for tick in ticks])
    return picture


def _save(figure: Figure, path: str | os.PathLike) -> Path:
    with whole_file(Path(path)) as temporary:
        figure.savefig(temporary, format="png", dpi=110)
    return Path(path)


def mel_bin(frequency: np.ndarray, audio: AudioConfig) -> np.ndarray:
    """Where frequencies in Hz lie on the axis of mel bins (HTK scale)."""

    def mel(f):
        return np.log1p(np.asarray(f) / 700.0)

    return (
        (mel(frequency) - mel(audio.f_min)) / (mel(audio.f_max) - mel(audio.f_min)) * audio.n_mels
    )
