"""Results as tables on a terminal and in a file."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from voiceswap.evaluation.intervals import Estimate
from voiceswap.evaluation.metrics import IN_TRAINING_NOTE, LEGEND, METRICS, Metric
from voiceswap.evaluation.pairs import Pair

ARROWS = {"higher": "↑", "lower": "↓"}
NO_DIFFERENCE = "no difference shown"
Columns = Mapping[str, Mapping[str, Estimate]]  # by column, then by metric


@dataclass(frozen=True)
class Tables:
    """A report's estimates.

    summary: over all pairs. groups: by group of pairs. differences: from another report. The latter
    two may be empty.
    """

    summary: Columns
    groups: Columns
    differences: Columns


def metric_rows(columns: Columns, sign: str = "") -> list[list[str]]:
    """A row for each metric that any column has.

    Args:
        columns: estimates by column and metric.
        sign: "+" for differences.

    Returns:
        Rows of the metric's name, then for each column the mean and, on a second line, "low–high",
        with NO_DIFFERENCE where the interval of a difference holds zero.
        A mean of one value has no interval; a cell without an estimate is empty.
    """
    rows = []
    for key, metric in METRICS.items():
        cells = [_cell(metric, column.get(key), sign) for column in columns.values()]
        if any(cells):
            rows.append([f"{metric.label} {ARROWS[metric.better]}", *cells])
    return rows


def print_report(console: Console, report: Mapping, tables: Tables, page: Path) -> None:
    """Print the tables of a report, what they mean, and where its page is."""
    title = f"{report['measured']}: {report['pairs']['count']} pairs, means [95 % intervals]"
    console.print(metric_table(tables.summary, title))
    if tables.groups:
        console.print(metric_table(tables.groups, "By group of pairs"))
    if "against" in report:
        title = f"Against {report['against']['measured']}, pair by pair"
        console.print(metric_table(tables.differences, title, "+"))
    if "disentanglement" in report:
        console.print(disentanglement_table(report["disentanglement"]))
    for line in legend(tables.summary):
        console.print(Text(line, "dim"), soft_wrap=True)
    for sentence in (IN_TRAINING_NOTE, *report["left_out"]):
        console.print(Text(sentence, "yellow"), soft_wrap=True)
    where = Text.assemble((str(page), "green"), "  and report.json, pairs.csv beside it")
    console.print(where, soft_wrap=True)


def metric_table(columns: Columns, title: str, sign: str = "") -> Table:
    """`metric_rows` as a table for a terminal."""
    table = _table(title)
    table.add_column("")
    for name in columns:
        table.add_column(Text(name), justify="right")
    for row in metric_rows(columns, sign):
        table.add_row(row[0], *(cell.replace("\n", "\n[dim]") for cell in row[1:]))
    return table


def legend(columns: Columns) -> list[str]:
    """A short line for each kind of metric that any column has."""
    shown = {key for column in columns.values() for key in column}
    lines = [line for keys, line in LEGEND.items() if shown.intersection(keys)]
    return [*lines, "↑ more is better, ↓ less is; report.html has the definitions."]


def disentanglement_rows(report: Mapping) -> list[tuple[str, str, str]]:
    """The probes and rates of `disentanglement`: name, content code, speaker code."""
    rows = []
    if probe := report.get("speaker_probe"):
        chance = f"(chance {probe['chance']:.0%})"
        for name, content, speaker in (
            ("mean", "content_mean", "speaker"),
            ("mean and deviation", "content_mean_and_deviation", ""),
            ("correlations of channels", "content_correlations", ""),
        ):
            accuracy = f"{probe[speaker]:.1%}" if speaker else ""
            rows.append((f"speaker from {name} {chance}", f"{probe[content]:.1%}", accuracy))
    if probe := report.get("content_probe"):
        name = f"phone-like unit (chance {probe['chance']:.1%})"
        rows.append((name, f"{probe['content']:.1%}", f"{probe['speaker']:.1%}"))
    content, speaker = (report["kl"][f"{code}_nats_per_second"] for code in ("content", "speaker"))
    rows.append(("KL, nats per second", f"{content:.1f}", f"{speaker:.2f}"))
    return rows


def disentanglement_table(report: Mapping) -> Table:
    """`disentanglement_rows` as a table for a terminal."""
    table = _table("What each code contains")
    for column in ("", "content code", "speaker code"):
        table.add_column(column)
    for row in disentanglement_rows(report):
        table.add_row(*row)
    return table


def pair_rows(
    pairs: Sequence[Pair], columns: Mapping[str, Mapping[str, Mapping[str, float]]]
) -> list[dict]:
    """A flat row for each column and pair with its metrics, for files."""
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


def _table(title: str) -> Table:
    return Table(
        title=Text(title),
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )


def _cell(metric: Metric, estimate: Estimate | None, sign: str) -> str:
    if estimate is None:
        return ""
    if estimate.n == 1:
        return metric.format(estimate.mean, sign)
    bounds = estimate.low, estimate.high
    low, high = (metric.format(value, sign).removesuffix(" %") for value in bounds)
    interval = f"{low}{' to ' if sign else '–'}{high}"
    if sign and estimate.low <= 0 <= estimate.high:
        interval += f", {NO_DIFFERENCE}"
    return f"{metric.format(estimate.mean, sign)}\n{interval}"
