"""Results as tables on a terminal and in a file."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.table import Table

from voiceswap.evaluation.intervals import Estimate
from voiceswap.evaluation.metrics import METRICS, Metric
from voiceswap.evaluation.pairs import Pair

ARROWS = {"higher": "↑", "lower": "↓"}
Columns = Mapping[str, Mapping[str, Estimate]]  # by column, then by metric


def metric_rows(columns: Columns, sign: str = "") -> list[list[str]]:
    """A row for each metric that any column has: its name, then the mean and, a line below, "low–high"; empty where unknown.

    A single value has no interval. `sign` "+" is for differences.
    """
    rows = []
    for key, metric in METRICS.items():
        cells = [_cell(metric, column.get(key), sign) for column in columns.values()]
        if any(cells):
            rows.append([f"{metric.name} {ARROWS[metric.better]}", *cells])
    return rows


def metric_table(columns: Columns, title: str, sign: str = "") -> Table:
    """The same for a terminal."""
    table = Table(
        title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True
    )
    table.add_column("")
    for name in columns:
        table.add_column(name, justify="right")
    for row in metric_rows(columns, sign):
        table.add_row(row[0], *(cell.replace("\n", "\n[dim]") for cell in row[1:]))
    return table


def disentanglement_rows(report: Mapping) -> list[tuple[str, str, str]]:
    """What was probed, on the content code and on the speaker code."""
    kl = report["kl"]
    rows = []
    if probe := report.get("speaker_probe"):
        chance = f"(chance {probe['chance']:.0%})"
        rows += [
            (
                f"who speaks, from the mean {chance}",
                f"{probe['content_mean']:.1%}",
                f"{probe['speaker']:.1%}",
            ),
            (
                f"who speaks, from mean and deviation {chance}",
                f"{probe['content_mean_and_deviation']:.1%}",
                "",
            ),
            (
                f"who speaks, from correlations of channels {chance}",
                f"{probe['content_correlations']:.1%}",
                "",
            ),
        ]
    if probe := report.get("content_probe"):
        rows.append(
            (
                f"which phone-like unit (chance {probe['chance']:.1%})",
                f"{probe['content']:.1%}",
                f"{probe['speaker']:.1%}",
            )
        )
    rows.append(
        (
            "KL, nats a second",
            f"{kl['content_nats_per_second']:.1f}",
            f"{kl['speaker_nats_per_second']:.2f}",
        )
    )
    return rows


def disentanglement_table(report: Mapping) -> Table:
    """The same for a terminal."""
    table = Table(
        "",
        "content code",
        "speaker code",
        title="What each code knows",
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    for row in disentanglement_rows(report):
        table.add_row(*row)
    return table


def pair_rows(
    pairs: Sequence[Pair], columns: Mapping[str, Mapping[str, Mapping[str, float]]]
) -> list[dict]:
    """A flat row for each pair and column with all metrics of it, for files."""
    return [
        {
            "id": pair.id,
            "column": name,
            "group": pair.group,
            **{key: rows[pair.id].get(key) for key in METRICS},
        }
        for name, rows in columns.items()
        for pair in pairs
    ]


def write_csv(path: Path, rows: list[dict]) -> None:
    """Write rows that share their keys; columns without any value are left out."""
    keys = [key for key in rows[0] if any(row[key] not in (None, "") for row in rows)]
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, keys, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def _cell(metric: Metric, estimate: Estimate | None, sign: str) -> str:
    if estimate is None:
        return ""
    if estimate.n == 1:
        return metric.format(estimate.mean, sign)
    low, high = (
        metric.format(value, sign).removesuffix(" %") for value in (estimate.low, estimate.high)
    )
    return f"{metric.format(estimate.mean, sign)}\n{low}{' to ' if sign else '–'}{high}"
