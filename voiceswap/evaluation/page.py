"""The report as one HTML page that contains its tables, audio players and plots."""

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

import numpy as np
import soundfile

from voiceswap.audio import read_audio
from voiceswap.evaluation import charts, page_texts
from voiceswap.evaluation.metrics import METRICS
from voiceswap.evaluation.pairs import Pair, speaker_of
from voiceswap.evaluation.scorers import SAMPLE_RATE
from voiceswap.evaluation.tables import ARROWS, Columns, Tables, disentanglement_rows, metric_rows
from voiceswap.plots import draw_mels


def write_page(
    path: Path,
    report: Mapping,
    tables: Tables,
    pairs: Sequence[Pair],
    examples: Mapping[str, Pair],
    outputs: Mapping[str, Mapping[str, Path]],
) -> Path:
    """Write the page.

    Args:
        path: of the HTML file.
        report: what report.json holds.
        tables: the estimates.
        pairs: the pairs that were evaluated.
        examples: pairs with players and plots, by a word such as "Best".
        outputs: recordings by column and pair id.
    """
    parts = [_head(report), _table(tables.summary), _notes(report)]
    if tables.groups:
        parts += ["<h2>By group of pairs</h2>", _table(tables.groups)]
    if tables.differences:
        parts += [_against(report["against"]), _table(tables.differences, "+")]
    parts.append(
        "<h2>Examples</h2><p class=soft>Pairs ranked by the mean rank of DV, CER and MOS.</p>"
    )
    plots = path.parent / "plots"
    parts += [_pair(word, pair, outputs, report, plots) for word, pair in examples.items()]
    if "disentanglement" in report:
        parts.append(_disentanglement(report["disentanglement"], _sexes(pairs)))
    if "experiments" in report:
        parts.append(_experiments(report["experiments"]))
    parts.append(_definitions())
    head = (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width'>"
        f"<title>{escape('voiceswap: ' + report['measured'])}</title>"
        f"<style>{page_texts.STYLE}</style>"
    )
    path.write_text(f"{head}<body>{''.join(parts)}</body></html>", encoding="utf-8")
    return path


def _head(report: Mapping) -> str:
    scorers = ", ".join(report["scorers"].values()) or "none"
    pairs = f"{report['pairs']['count']} of {report['pairs']['name']}"
    metadata = {"measured": report["measured"], "pairs": pairs, "scorers": scorers}
    metadata["date"] = report["date"]
    if "checkpoint" in report:
        metadata["SHA-256"] = report["checkpoint"]["sha256"]
    metadata["command"] = report["command"]
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd><code>{escape(value)}</code></dd>"
        for name, value in metadata.items()
    )
    return (
        f"<h1>Voice conversion, measured</h1><div class=card><dl>{rows}</dl></div><h2>Metrics</h2>"
    )


def _notes(report: Mapping) -> str:
    return "".join(_note(note) for note in (*page_texts.NOTES, *report["left_out"]))


def _note(text: str) -> str:
    return f"<p class=soft>{escape(text)}</p>"


def _against(earlier: Mapping) -> str:
    note = page_texts.COMPARISON_NOTE.format(date=earlier["date"])
    return f"<h2>Against {escape(earlier['measured'])}</h2>{_note(note)}"


def _table(columns: Columns, sign: str = "") -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in ("", *columns))
    return f"<section><table><tr>{head}</tr>{_body(metric_rows(columns, sign))}</table></section>"


def _body(rows: Iterable[Sequence[str]]) -> str:
    return "".join(
        "<tr>" + "".join(f"<td>{_cell(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )


def _cell(cell: str) -> str:
    value, _, interval = escape(cell).partition("\n")
    return f"{value}<small>{interval}</small>"


def _pair(
    word: str, pair: Pair, outputs: Mapping[str, Mapping[str, Path]], report: Mapping, plots: Path
) -> str:
    files = {"source": pair.source, "target": pair.target}
    files |= {name: paths[pair.id] for name, paths in outputs.items()}
    waves = {name: read_audio(file, SAMPLE_RATE) for name, file in files.items()}
    plot = draw_mels(waves, SAMPLE_RATE, plots / f"{pair.id}.png")
    players = "".join(
        f"<div>{escape(name)}<audio controls src='{_audio(samples)}'></audio></div>"
        for name, samples in waves.items()
    )
    row = next(row for row in report["rows"] if row["id"] == pair.id)
    measured = ", ".join(
        f"{metric.label} {metric.format(row[key])}"
        for key, metric in METRICS.items()
        if not metric.share and row[key] is not None
    )
    return (
        f"<div class=card><h3>{escape(word)}: {escape(pair.id)}</h3><p>“{escape(pair.text)}”</p>"
        f"<div class=players>{players}</div>"
        f"{_image(plot.read_bytes(), 'mel spectrograms and F0')}{_note(measured)}</div>"
    )


def _disentanglement(report: Mapping, sexes: Mapping[str, str]) -> str:
    plane = _image(charts.speaker_space(report["speaker_space"], sexes), "speaker codes")
    return (
        "<h2>What each code contains</h2>"
        "<section><table><tr><th></th><th>content code</th><th>speaker code</th></tr>"
        f"{_body(disentanglement_rows(report))}</table></section>"
        f"{_note(page_texts.PROBE_NOTE)}"
        f"<div class=card><h3>Speaker codes</h3>{plane}</div>"
    )


def _experiments(report: Mapping) -> str:
    code_size, denoising = report["code_size"], report["denoising"]
    line, random = report["line"], report["random_voices"]
    recordings = code_size["content"][0]["l1"]["n"]
    noisy = next(iter(denoising["source"]["clean"].values()), None)
    curve = next(iter(line["curves"].values()), None)
    cards = [
        (
            "Reconstruction against code size",
            page_texts.CODE_SIZE_NOTE.format(recordings=recordings),
            _image(charts.code_size(code_size), "reconstruction against code size"),
        ),
        (
            "Noise",
            page_texts.NOISE_NOTE.format(pairs=noisy["n"] if noisy else "a few"),
            _image(charts.denoising(denoising), "metrics against noise"),
        ),
        (
            "The line between two voices",
            page_texts.LINE_NOTE.format(pairs=curve[0]["n"] if curve else "a few"),
            _image(charts.line(line), "similarity along the line"),
        ),
        (
            f"{random['voices']} random voices",
            page_texts.RANDOM_NOTE,
            "<table><tr><th></th><th>drawn</th><th>given</th></tr>"
            f"{_body(_random_rows(random))}</table>",
        ),
    ]
    return f"<h2>Experiments</h2>{_note('Bands are 95 % intervals.')}" + "".join(
        f"<div class=card><h3>{escape(title)}</h3>{_note(note)}{content}</div>"
        for title, note, content in cards
    )


def _random_rows(random: Mapping) -> list[tuple[str, str, str]]:
    rows = [
        (METRICS[key].label, METRICS[key].format(estimate["mean"]), "")
        for key, estimate in random["metrics"].items()
    ]
    for key in ("sv", "dv"):
        if key in random:
            name, given = METRICS[key].label, random[key].get("spread_of_given_voices")
            drawn, nearest = random[key]["spread"], random[key]["nearest"]["mean"]
            given = "" if given is None else f"{given:.3f}"
            rows.append((f"{name} spread", f"{drawn:.3f}", given))
            rows.append((f"{name} cosine to the nearest given voice", f"{nearest:.3f}", ""))
    return rows


def _definitions() -> str:
    rows = "".join(
        f"<dt>{metric.label} {ARROWS[metric.better]}</dt><dd>{escape(metric.definition)}</dd>"
        for metric in METRICS.values()
    )
    return f"<h2>How each metric is measured</h2><div class=card><dl>{rows}</dl></div>"


def _sexes(pairs: Sequence[Pair]) -> dict[str, str]:
    known = {speaker_of(pair.source): pair.source_sex for pair in pairs} | {
        speaker_of(pair.target): pair.target_sex for pair in pairs
    }
    return {speaker: sex for speaker, sex in known.items() if sex}


def _audio(samples: np.ndarray) -> str:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, SAMPLE_RATE, format="FLAC")
    return f"data:audio/flac;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _image(png: bytes, description: str) -> str:
    return f"<img alt='{description}' src='data:image/png;base64,{base64.b64encode(png).decode()}'>"
