"""Charts of the report as PNG bytes, readable on a light and on a dark background."""

import io
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

GREY = "#868e96"
COLOURS = ("#e8590c", "#1c7ed6", "#2f9e44", "#ae3ec9")


def speaker_space(space: Mapping, sexes: Mapping[str, str]) -> bytes:
    """Speaker codes in the plane, a point for each recording, with the speakers' names.

    Args:
        space: as `disentanglement.speaker_space` returns it.
        sexes: by speaker, for the colours; if empty, colours show F0.
    """
    figure, (axes,) = _figure(1, (7, 4.6))
    points = space["points"]
    places = np.array([(point["x"], point["y"]) for point in points])
    speakers = np.array([point["speaker"] for point in points])
    if sexes:
        known = np.array([sexes.get(speaker, "") for speaker in speakers])
        for colour, sex in zip(COLOURS, sorted(set(sexes.values())), strict=False):
            x, y = places[known == sex].T
            axes.scatter(x, y, color=colour, label=sex, s=36)
        _legend(axes)
    else:
        f0 = [point["f0"] for point in points]
        x, y = places.T
        drawn = axes.scatter(x, y, c=f0, cmap="coolwarm", edgecolors=GREY, linewidths=0.7, s=42)
        bar = figure.colorbar(drawn, ax=axes, label="mean F0, Hz")
        bar.ax.tick_params(colors=GREY)
        bar.ax.yaxis.label.set_color(GREY)
    for speaker in sorted(set(speakers)):
        x, y = places[speakers == speaker].mean(0)
        axes.annotate(speaker, (x, y), color=GREY, ha="center", fontsize=9, weight="bold")
    first, second = space["explained"]
    axes.set(xlabel=f"first component, {first:.0%} of the variance", ylabel=f"second, {second:.0%}")
    return _png(figure)


def denoising(report: Mapping) -> bytes:
    """CER, MOS and DV, if measured, against the level of noise on the source and on the reference.

    Beside them, those of the noisy sources themselves.

    Args:
        report: as `Experiments.denoising` returns it.
    """
    metrics = [
        (key, label)
        for key, label in (("cer", "CER"), ("mos", "MOS"), ("dv", "DV"))
        if key in report["source"]["clean"]
    ]
    figure, grid = _figure(max(1, len(metrics)), (4, 3.2))
    for axes, (key, label) in zip(grid, metrics, strict=False):
        for colour, (noisy, levels) in zip(COLOURS, report.items(), strict=False):
            estimates = [value[key] for value in levels.values()]
            of = "the noisy source itself" if noisy == "recording" else f"noise on the {noisy}"
            _curve(axes, list(levels), estimates, colour, of)
        axes.set(title=label, xlabel="speech above noise, dB")
        _legend(axes)
    return _png(figure)


def code_size(report: Mapping) -> bytes:
    """Reconstruction against the number of channels of the content code and of the speaker code."""
    figure, grid = _figure(len(report), (4.8, 3.4))
    for axes, colour, (name, points) in zip(grid, COLOURS, report.items(), strict=False):
        axes.sharey(grid[0])
        rates = [point["nats_per_second"] for point in points]
        ticks = [
            f"{point['channels']}\n{rate:.{0 if rate >= 10 else 1}f}"
            for point, rate in zip(points, rates, strict=True)
        ]
        _curve(axes, ticks, [point["l1"] for point in points], colour, name)
        axes.set(
            title=f"{name} code",
            xlabel="channels kept, and their nats per second",
            ylabel="L1 of log-mels",
        )
    return _png(figure)


def line(report: Mapping) -> bytes:
    """Cosine similarity to both ends along the line between two voices, by verifier."""
    verifiers = [key for key in ("sv", "dv") if f"{key}_source" in report["curves"]]
    figure, grid = _figure(max(1, len(verifiers)), (4.8, 3.4))
    amounts = [f"{amount:.1f}" for amount in report["amounts"]]
    for axes, key in zip(grid, verifiers, strict=False):
        for colour, end in zip(COLOURS, ("source", "target"), strict=False):
            _curve(axes, amounts, report["curves"][f"{key}_{end}"], colour, f"to the {end}")
        axes.set(
            title=key.upper(),
            xlabel="from the source's voice (0) to the target's (1)",
            ylabel="cosine",
        )
        _legend(axes)
    return _png(figure)


def _curve(
    axes: Axes, ticks: Sequence[str], estimates: Sequence[Mapping], colour: str, label: str
) -> None:
    places = np.arange(len(ticks))
    mean, low, high = ([value[name] for value in estimates] for name in ("mean", "low", "high"))
    axes.plot(places, mean, color=colour, marker="o", markersize=4, label=label)
    axes.fill_between(places, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.set_xticks(places, ticks)


def _figure(columns: int, size: tuple[float, float]) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(size[0] * columns, size[1]), layout="constrained")
    figure.patch.set_alpha(0)
    grid = list(figure.subplots(1, columns, squeeze=False)[0])
    for axes in grid:
        axes.patch.set_alpha(0)
        axes.tick_params(colors=GREY)
        axes.grid(color=GREY, alpha=0.2)
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(GREY)
        for text in (axes.xaxis.label, axes.yaxis.label, axes.title):
            text.set_color(GREY)
    return figure, grid


def _legend(axes: Axes) -> None:
    axes.legend(frameon=False, labelcolor=GREY, fontsize=9)


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130, transparent=True)
    return buffer.getvalue()
