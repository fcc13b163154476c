"""What has changed since another report on the same pairs: differences pair by pair, which tell more than two means do."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from voiceswap.errors import DataError
from voiceswap.evaluation.intervals import Estimate, summarise
from voiceswap.evaluation.pairs import Pair

Rows = Mapping[str, Mapping[str, float | None]]  # metrics by pair


@dataclass(frozen=True)
class Earlier:
    """Another report: what it judged, and its metrics by column, then by pair."""

    judged: str
    made: str
    columns: Mapping[str, Rows]

    def differences(
        self, pairs: Sequence[Pair], systems: Mapping[str, Rows]
    ) -> dict[str, dict[str, Estimate]]:
        """Means, over the pairs that both have, of metrics of `systems` less those of the column of that name, or else of the first.

        The pairs' speakers are drawn for the intervals. Speed is left out, since the machine may have been busier.
        """
        first = next(iter(self.columns.values()))
        return {
            name: self._less(pairs, rows, self.columns.get(name, first))
            for name, rows in systems.items()
        }

    def _less(self, pairs: Sequence[Pair], rows: Rows, theirs: Rows) -> dict[str, Estimate]:
        both = [pair for pair in pairs if pair.id in theirs]
        found = [
            {
                key: value - other
                for key, value in rows[pair.id].items()
                if key != "rtf"
                and value is not None
                and (other := theirs[pair.id].get(key)) is not None
            }
            for pair in both
        ]
        return summarise(found, [pair.speakers for pair in both])


def read_earlier(path: Path, report: Mapping) -> Earlier:
    """The report.json at `path`, to hold beside `report`.

    Raises DataError when it is missing or something else, when it is of other pairs, or when another version of a scorer
    heard them: then a difference would say nothing of what was judged.
    """
    try:
        other = json.loads(path.read_text(encoding="utf-8"))
        columns: dict[str, dict[str, Mapping]] = {}
        for row in other["rows"]:
            columns.setdefault(row["column"], {})[row["id"]] = {
                key: value for key, value in row.items() if isinstance(value, float)
            }
        pairs, scorers = other["pairs"]["sha256"], other["scorers"]
        earlier = Earlier(str(other["judged"]), str(other["made"]), columns)
        if not columns:
            raise ValueError("no rows")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path} is missing or not a report.json of an evaluation.") from error
    if pairs != report["pairs"]["sha256"]:
        raise DataError(
            f"{path} is of other pairs than those of {report['pairs']['name']}, so there is nothing to compare pair by pair."
        )
    for key, name in report["scorers"].items():
        if scorers.get(key, name) != name:
            raise DataError(
                f"In {path} the scorer was {scorers[key]}, here it is {name}; measure both with one version."
            )
    return earlier
