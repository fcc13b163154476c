"""The evaluation from a request to the report: measure, write, print."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from voiceswap.conversion.swapper import VoiceSwapper
from voiceswap.errors import DataError
from voiceswap.evaluation.comparison import EarlierReport, read_earlier
from voiceswap.evaluation.conversions import PairConverter
from voiceswap.evaluation.disentanglement import disentanglement, encode
from voiceswap.evaluation.experiments import Experiments
from voiceswap.evaluation.intervals import MIN_SPEAKERS, Estimate
from voiceswap.evaluation.measurement import MeasurementCache
from voiceswap.evaluation.page import write_page
from voiceswap.evaluation.pairs import Pair, read_pairs, recordings
from voiceswap.evaluation.protocol import Protocol, Results, find_files
from voiceswap.evaluation.scorers import left_out_sentence, load_scorers
from voiceswap.evaluation.tables import Tables, pair_rows, print_report, write_csv
from voiceswap.files import sha256, whole_file
from voiceswap.models.checkpoint_header import checkpoint_path

RANKED = {"dv": 1, "cer": -1, "mos": 1}  # metrics that rank the pairs; 1 if higher is better


@dataclass(frozen=True)
class Request:
    """What is evaluated, and how: the options of `voiceswap evaluate`.

    Attributes:
        checkpoint: a model file, or "default" for the one in the package.
        pairs: CSV of the pairs.
        root: folder that the paths in the CSV start from.
        out: folder for the report and what a stopped run keeps.
        asr: Whisper model folder for CER, WER and NLL.
        references: numbers of references that conversions use.
        converted: another system's files, which are measured instead of the model.
        against: report.json of another evaluation, to compare with.
        experiments: whether the experiments are run.
        limit: most pairs to take.
        jobs: recordings measured at once.
        device: of the model.
        stream: latency of the streams that convert; None converts whole recordings.
        reference_seconds: how much of each reference is used, where most is voiced; None is all.
        more_metrics: whether to compute DNSMOS and a second recogniser's errors, too.
        command: the command line, for the report.
    """

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
    stream: str | None = None
    reference_seconds: float | None = None
    more_metrics: bool = False
    command: str = ""


def run(request: Request, console: Console) -> dict:
    """Measure, print the tables, and write report.json, pairs.csv and report.html.

    Returns:
        What report.json holds.

    Raises:
        VoiceswapError: pairs, recordings, a model or a recogniser can't be used.
    """
    pairs = read_pairs(request.pairs, request.root, request.limit)
    report: dict = {
        "measured": request.checkpoint if request.converted is None else str(request.converted),
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "command": request.command,
        "pairs": {
            "name": request.pairs.name,
            "count": len(pairs),
            "sha256": sha256(request.pairs),
        },
        "scorers": {},
    }
    _require_usable(request, pairs, report)
    languages = {pair.language for pair in pairs}
    scorers, left_out = load_scorers(request.asr, languages, request.jobs, request.more_metrics)
    report["scorers"] = {key: scorer.description for key, scorer in scorers.items()}
    earlier = read_earlier(request.against, report) if request.against else None
    speakers = {speaker for pair in pairs for speaker in pair.speakers}
    if len(speakers) < MIN_SPEAKERS:
        left_out.append(
            f"The intervals draw outputs, not speakers, of whom the paths name {len(speakers)}: "
            "those of so few tell little of other people."
        )
    distortion = any(pair.parallel for pair in pairs) and _is_installed("librosa", "MCD", left_out)
    measurements = MeasurementCache(scorers, request.out / "measurements.jsonl")
    protocol = Protocol(pairs, measurements, console, request.jobs, distortion)
    if request.converted is not None:
        results = protocol.evaluate_files(request.converted)
    else:
        results = _evaluate_model(request, protocol, report, left_out)
    report["left_out"] = left_out
    tables = _add_estimates(report, results, pairs, earlier)
    page = _write(request.out, report, tables, pairs, results)
    print_report(console, report, tables, page)
    return report


def _require_usable(request: Request, pairs: list[Pair], report: Mapping) -> None:
    """Raise VoiceswapError for what is missing, before the scorers load."""
    try:
        request.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"The folder {request.out} can't be made ({error.strerror}).") from error
    if request.against is not None:
        read_earlier(request.against, report)
    if request.converted is not None:
        find_files(request.converted, pairs)


def _evaluate_model(
    request: Request, protocol: Protocol, report: dict, left_out: list[str]
) -> Results:
    """Measure a model's conversions and codes. Adds to `report` and `left_out`."""
    swapper = VoiceSwapper.load(request.checkpoint, request.device)
    digest = sha256(checkpoint_path(request.checkpoint))
    report["checkpoint"] = {"sha256": digest, "card": swapper.card, "device": str(swapper.device)}
    pairs, console = protocol.pairs, protocol.console
    given = min(len(pair.targets) for pair in pairs)
    left_out += [
        f"Left out: {number} references, since the set gives {given}."
        for number in request.references
        if number > given
    ]
    references = [number for number in request.references if number <= given] or [1]
    folder, seconds = request.out / "converted", request.reference_seconds
    converter = PairConverter(swapper, digest, folder, request.stream, seconds)
    results = protocol.evaluate_model(converter, references)
    if _is_installed("sklearn", "the probes of both codes", left_out):
        with console.status("Probing the codes ..."):
            report["disentanglement"] = disentanglement(encode(swapper, recordings(pairs)))
    if request.experiments:
        measurements = protocol.measurements
        report["experiments"] = Experiments(swapper, measurements, pairs, console).run()
    return results


def _add_estimates(
    report: dict, results: Results, pairs: list[Pair], earlier: EarlierReport | None
) -> Tables:
    """The tables of results, whose estimates and rows are added to `report`."""
    differences = earlier.differences(pairs, results.systems) if earlier else {}
    tables = Tables(results.summary(pairs), results.groups(pairs), differences)
    report["summary"] = _plain(tables.summary)
    report["groups"] = _plain(tables.groups)
    if earlier:
        report["against"] = {
            "measured": earlier.measured,
            "date": earlier.date,
            "differences": _plain(tables.differences),
        }
    report["rows"] = pair_rows(pairs, results.systems | results.anchors)
    return tables


def _write(out: Path, report: Mapping, tables: Tables, pairs: list[Pair], results: Results) -> Path:
    """Write report.json, pairs.csv and report.html, whose path is returned."""
    with whole_file(out / "report.json") as temporary:
        temporary.write_text(json.dumps(report, indent=1, ensure_ascii=False), encoding="utf-8")
    write_csv(out / "pairs.csv", report["rows"])
    examples = best_median_worst(pairs, results)
    return write_page(out / "report.html", report, tables, pairs, examples, results.outputs)


def best_median_worst(pairs: Sequence[Pair], results: Results) -> dict[str, Pair]:
    """Examples for the page: pairs by the mean rank of DV, CER and MOS of the first system.

    Metrics that were not measured do not count.
    """
    rows = next(iter(results.systems.values()))
    ranks = {pair.id: 0.0 for pair in pairs}
    for key, sign in RANKED.items():
        if all(key in rows[pair.id] for pair in pairs):
            values = {pair.id: -sign * rows[pair.id][key] for pair in pairs}
            for rank, best_first in enumerate(sorted(values, key=values.__getitem__)):
                ranks[best_first] += rank
    ordered = sorted(pairs, key=lambda pair: ranks[pair.id])
    examples: dict[str, Pair] = {}
    for word, place in (("Best", 0), ("Median", len(ordered) // 2), ("Worst", -1)):
        if ordered[place] not in examples.values():
            examples[word] = ordered[place]
    return examples


def _is_installed(module: str, metrics: str, left_out: list[str]) -> bool:
    """Whether a module can be imported; if not, `left_out` gets the sentence for its metrics."""
    try:
        __import__(module)
    except ImportError as error:
        left_out.append(left_out_sentence(metrics, error))
        return False
    return True


def _plain(columns: Mapping[str, Mapping[str, Estimate]]) -> dict:
    return {
        name: {key: asdict(value) for key, value in column.items()}
        for name, column in columns.items()
    }
