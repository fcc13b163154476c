"""From a request to a report: everything measured, written and shown."""

import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from voiceswap.conversion.swapper import VoiceSwapper
from voiceswap.errors import DataError
from voiceswap.evaluation.comparison import Earlier, read_earlier
from voiceswap.evaluation.conversions import PairConverter
from voiceswap.evaluation.disentanglement import disentanglement, encode
from voiceswap.evaluation.experiments import Experiments
from voiceswap.evaluation.intervals import Estimate
from voiceswap.evaluation.measurement import MeasurementCache
from voiceswap.evaluation.page import write_page
from voiceswap.evaluation.pairs import Pair, read_pairs, recordings
from voiceswap.evaluation.protocol import Protocol, Results
from voiceswap.evaluation.scorers import left_out_sentence, load_scorers
from voiceswap.evaluation.tables import disentanglement_table, metric_table, pair_rows, write_csv
from voiceswap.files import sha256, whole_file
from voiceswap.models.checkpoint import DEFAULT

RANKED = {"dv": 1, "cer": -1, "mos": 1}  # metrics that order the pairs, and their sign


@dataclass(frozen=True)
class Request:
    """What to measure; the options of `voiceswap evaluate`."""

    checkpoint: str
    pairs: Path
    root: Path
    out: Path
    asr: Path | None = None
    references: tuple[int, ...] = (1, 3)
    converted: Path | None = None
    against: Path | None = None
    experiments: bool = False
    limit: int | None = None
    jobs: int = 1
    device: str = "auto"


def run(request: Request, console: Console) -> dict:
    """Measure, print the tables, write report.json, pairs.csv and report.html. Returns the report.

    Raises VoiceswapError for pairs, recordings, a model or a recogniser that can't be used.
    """
    pairs = read_pairs(request.pairs, request.root, request.limit)
    try:
        request.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"The folder {request.out} can't be made ({error.strerror}).") from error
    scorers, left_out = load_scorers(request.asr, {pair.language for pair in pairs}, request.jobs)
    distortion = any(pair.parallel for pair in pairs) and _can("librosa", "MCD", left_out)
    measurements = MeasurementCache(scorers, request.out / "judged")
    protocol = Protocol(pairs, measurements, console, request.jobs, distortion)
    report: dict = {
        "judged": request.checkpoint if request.converted is None else str(request.converted),
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "command": shlex.join(["voiceswap", *sys.argv[1:]]),
        "pairs": {"name": request.pairs.name, "count": len(pairs), "sha256": sha256(request.pairs)},
        "scorers": {key: scorer.name for key, scorer in scorers.items()},
    }
    earlier = read_earlier(request.against, report) if request.against else None
    if request.converted is not None:
        results = protocol.evaluate_files(request.converted)
    else:
        swapper = VoiceSwapper.load(request.checkpoint, request.device)
        digest = sha256(DEFAULT if request.checkpoint == "default" else Path(request.checkpoint))
        report["checkpoint"] = {
            "sha256": digest,
            "card": swapper.card,
            "device": str(swapper.device),
        }
        given = min(len(pair.targets) for pair in pairs)
        left_out += [
            f"Left out: {number} references, since the set gives {given}."
            for number in request.references
            if number > given
        ]
        references = [number for number in request.references if number <= given] or [1]
        results = protocol.evaluate_model(
            PairConverter(swapper, digest, request.out / "converted"), references
        )
        if _can("sklearn", "the probes of both codes", left_out):
            with console.status("Probing the codes ..."):
                report["disentanglement"] = disentanglement(encode(swapper, recordings(pairs)))
        if request.experiments:
            report["experiments"] = Experiments(swapper, measurements, pairs, console).run()
    _finish(request.out, report, results, pairs, earlier, left_out, console)
    return report


def _finish(
    out: Path,
    report: dict,
    results: Results,
    pairs: list[Pair],
    earlier: Earlier | None,
    left_out: list[str],
    console: Console,
) -> None:
    summary, groups = results.summary(pairs), results.groups(pairs)
    changes = earlier.differences(pairs, results.systems) if earlier else {}
    report["left_out"] = left_out
    report["summary"] = _plain(summary)
    report["groups"] = _plain(groups)
    if earlier:
        report["against"] = {
            "judged": earlier.judged,
            "made": earlier.made,
            "differences": _plain(changes),
        }
    report["rows"] = pair_rows(pairs, results.systems | results.anchors)
    with whole_file(out / "report.json") as temporary:
        temporary.write_text(json.dumps(report, indent=1, ensure_ascii=False), encoding="utf-8")
    write_csv(out / "pairs.csv", report["rows"])
    page = write_page(
        out / "report.html",
        report,
        summary,
        groups,
        changes,
        pairs,
        best_median_worst(pairs, results),
        results.outputs,
    )
    console.print(
        metric_table(summary, f"{report['judged']}: {len(pairs)} pairs, means [95 % intervals]")
    )
    if groups:
        console.print(metric_table(groups, "By group of pairs"))
    if earlier:
        console.print(metric_table(changes, f"Against {earlier.judged}, pair by pair", "+"))
    if "disentanglement" in report:
        console.print(disentanglement_table(report["disentanglement"]))
    for sentence in left_out:
        console.print(sentence, style="yellow", markup=False, highlight=False, soft_wrap=True)
    console.print(
        f"[green]{page}[/green]  and report.json, pairs.csv beside it",
        highlight=False,
        soft_wrap=True,
    )


def best_median_worst(pairs: Sequence[Pair], results: Results) -> dict[str, Pair]:
    """The pairs to listen to: by mean rank over DV, CER and MOS of the first system, as far as they were measured."""
    rows = next(iter(results.systems.values()))
    ranks = {pair.id: 0.0 for pair in pairs}
    for key, sign in RANKED.items():
        if all(key in rows[pair.id] for pair in pairs):
            values = {pair.id: -sign * rows[pair.id][key] for pair in pairs}
            for rank, best_first in enumerate(sorted(values, key=values.__getitem__)):
                ranks[best_first] += rank
    ordered = sorted(pairs, key=lambda pair: ranks[pair.id])
    shown: dict[str, Pair] = {}
    for word, place in (("Best", 0), ("Median", len(ordered) // 2), ("Worst", -1)):
        if ordered[place] not in shown.values():
            shown[word] = ordered[place]
    return shown


def _can(module: str, what: str, left_out: list[str]) -> bool:
    try:
        __import__(module)
    except ImportError as error:
        left_out.append(left_out_sentence(what, error))
        return False
    return True


def _plain(columns: Mapping[str, Mapping[str, Estimate]]) -> dict:
    return {
        name: {key: value.to_dict() for key, value in column.items()}
        for name, column in columns.items()
    }
