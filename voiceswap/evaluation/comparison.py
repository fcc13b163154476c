"""Comparison with another report on the same pairs, pair by pair.

Differences of pairs have narrower intervals than differences of two means.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from voiceswap.errors import DataError
from voiceswap.evaluation.intervals import Estimate, summarise
from voiceswap.evaluation.pairs import Pair

Rows = Mapping[str, Mapping[str, float | None]]  # metrics by pair


@dataclass(frozen=True)
class EarlierReport:
    """Another report: the system that it measured, its date, and its metrics by column and pair."""

    measured: str
    date: str
    columns: Mapping[str, Rows]

    def differences(
        self, pairs: Sequence[Pair], systems: Mapping[str, Rows]
    ) -> dict[str, dict[str, Estimate]]:
        """Mean differences of metrics, this report's less the other's, over the pairs of both.

        A system is compared with the other report's column of the same name, or else with its
        first. Intervals draw the pairs' speakers. The real-time factor is left out, since the
        machine may have been busier.
        """
        first = next(iter(self.columns.values()))
        return {
            name: _mean_differences(pairs, rows, self.columns.get(name, first))
            for name, rows in systems.items()
        }


def _mean_differences(pairs: Sequence[Pair], rows: Rows, earlier: Rows) -> dict[str, Estimate]:
    both = [pair for pair in pairs if pair.id in earlier]
    differences = [_differences(rows[pair.id], earlier[pair.id]) for pair in both]
    return summarise(differences, [pair.speakers for pair in both])


def _differences(
    metrics: Mapping[str, float | None], earlier: Mapping[str, float | None]
) -> dict[str, float]:
    found = {}
    for key, value in metrics.items():
        other = earlier.get(key)
        if key != "rtf" and value is not None and other is not None:
            found[key] = value - other
    return found


def read_earlier(path: Path, report: Mapping) -> EarlierReport:
    """Read the report.json at `path`, to compare `report` with it.

    Raises:
        DataError: it is missing or not a report, it is on other pairs, or another scorer or other
            weights measured it, so that differences would not be those of the systems.
    """
    try:
        other = json.loads(path.read_text(encoding="utf-8"))
        columns: dict[str, dict[str, Mapping]] = {}
        for row in other["rows"]:
            columns.setdefault(row["column"], {})[row["id"]] = {
                key: value for key, value in row.items() if isinstance(value, float)
            }
        pairs, scorers = other["pairs"]["sha256"], other["scorers"]
        earlier = EarlierReport(str(other["measured"]), str(other["date"]), columns)
        if not columns:
            raise ValueError("no rows")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path} is missing or not a report.json of an evaluation.") from error
    if pairs != report["pairs"]["sha256"]:
        raise DataError(
            f"{path} is on other pairs than those of {report['pairs']['name']}, so the two "
            "can't be compared pair by pair."
        )
    for key, name in report["scorers"].items():
        if scorers.get(key, name) != name:
            raise DataError(
                f"In {path} the scorer was {scorers[key]}, here it is {name}; measure both with "
                "the same one."
            )
    return earlier
