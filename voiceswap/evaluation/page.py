"""The report as one HTML page: tables, players and pictures inside it, nothing fetched from elsewhere."""

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

import soundfile

from voiceswap.audio import read_audio
from voiceswap.evaluation import charts
from voiceswap.evaluation.metrics import METRICS
from voiceswap.evaluation.pairs import Pair, speaker_of
from voiceswap.evaluation.scorers import SAMPLE_RATE
from voiceswap.evaluation.tables import ARROWS, Columns, disentanglement_rows, metric_rows
from voiceswap.features import AudioConfig
from voiceswap.plots import draw_mels

STYLE = """
:root { color-scheme: light dark; --ink: #212529; --soft: #6c757d; --ground: #f8f9fa; --card: #fff; --line: #dee2e6; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e9ecef; --soft: #adb5bd; --ground: #16181b; --card: #202327; --line: #343a40; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.5rem 1.25rem 4rem; max-width: 70rem; background: var(--ground); color: var(--ink);
  font: 16px/1.55 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.9rem; } h2 { margin: 2.6rem 0 .8rem; font-size: 1.25rem; } h3 { margin: 0 0 .6rem; font-size: 1rem; }
p { max-width: 48rem; } .soft, figcaption, dd { color: var(--soft); font-size: .9rem; }
section, .card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1.1rem 1.25rem; margin: 1rem 0; }
section { overflow-x: auto; padding: .3rem .6rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .5rem .7rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; } tr:last-child td { border: 0; }
th { font-size: .85rem; color: var(--soft); font-weight: 600; } td small { color: var(--soft); margin-left: .4rem; }
img { max-width: 100%; display: block; margin: .8rem auto; border-radius: 8px; }
.players { display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); gap: .8rem; }
.players audio { width: 100%; height: 36px; display: block; margin-top: .2rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 0; } dt { font-weight: 600; } dd { margin: 0; }
code { font-size: .85em; overflow-wrap: anywhere; }
"""


def write_page(path: Path, report: Mapping, columns: Columns, groups: Columns, changes: Columns, pairs: Sequence[Pair],
               shown: Mapping[str, Pair], outputs: Mapping[str, Mapping[str, Path]]) -> Path:  # fmt: skip
    """Write the page. `shown` are pairs to listen to, by a word such as "best"; `outputs` their recordings, by column and id."""
    parts = [_head(report), _table(columns), _notes(report)]
    if groups:
        parts += ["<h2>By group of pairs</h2>", _table(groups)]
    if changes:
        parts += [_against(report["against"]), _table(changes, "+")]
    parts.append(
        "<h2>Listen</h2><p class=soft>Pairs in order of the mean rank of their voice, words and sound.</p>"
    )
    parts += [
        _pair(word, pair, outputs, report, path.parent / "pictures") for word, pair in shown.items()
    ]
    if "disentanglement" in report:
        parts.append(_disentanglement(report["disentanglement"], _sexes(pairs)))
    if "experiments" in report:
        parts.append(_experiments(report["experiments"]))
    parts.append(_how())
    title = escape(f"voiceswap: {report['judged']}")
    path.write_text(
        f"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'><title>{title}</title>"
        f"<style>{STYLE}</style><body>{''.join(parts)}</body></html>",
        encoding="utf-8",
    )
    return path


def _head(report: Mapping) -> str:
    scorers = ", ".join(report["scorers"].values()) or "none"
    pairs = f"{report['pairs']['count']} of {report['pairs']['name']}"
    facts = {"judged": report["judged"], "pairs": pairs, "scorers": scorers, "made": report["made"]}
    if "checkpoint" in report:
        facts["SHA-256"] = report["checkpoint"]["sha256"]
    facts["command"] = report["command"]
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd><code>{escape(value)}</code></dd>"
        for name, value in facts.items()
    )
    return (
        f"<h1>Voice conversion, measured</h1><div class=card><dl>{rows}</dl></div><h2>Figures</h2>"
    )


def _notes(report: Mapping) -> str:
    notes = [
        "Means over all pairs, beside them their 95 % bootstrap intervals; an arrow tells which way is better. "
        "Pairs that share a speaker are not independent, so the intervals come from drawing speakers, not pairs.",
        "SV and DV scorer every output against one reference, the first. SV-all and DV-all scorer it against the mean vector of all "
        "the references that the set gives, however many the conversion had: compare one reference with several by these.",
        "Source recordings are the ceiling of words and sound and, unconverted, the floor of the voice. Copy synthesis is the "
        "vocoder alone on recorded speech (voice and MOS of the target's, words and pitch of the source's), the ceiling of any "
        "conversion through it. Pitch moved is the source through the vocoder at the target's mean pitch, a floor of the voice.",
        *report["left_out"],
    ]
    return "".join(f"<p class=soft>{escape(note)}</p>" for note in notes)


def _against(earlier: Mapping) -> str:
    return (
        f"<h2>Against {escape(earlier['judged'])}</h2><p class=soft>Figures less those of the report of {escape(earlier['made'])}, pair by "
        "pair, with 95 % intervals that draw speakers; percentages in points. Where an interval holds zero, nothing is known to differ.</p>"
    )


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
    word: str,
    pair: Pair,
    outputs: Mapping[str, Mapping[str, Path]],
    report: Mapping,
    pictures: Path,
) -> str:
    files = {
        "source": pair.source,
        "target": pair.target,
        **{name: paths[pair.id] for name, paths in outputs.items()},
    }
    heard = {name: read_audio(file, SAMPLE_RATE) for name, file in files.items()}
    picture = draw_mels(heard, AudioConfig(sample_rate=SAMPLE_RATE), pictures / f"{pair.id}.png")
    players = "".join(
        f"<div>{escape(name)}<audio controls src='{_sound(samples)}'></audio></div>"
        for name, samples in heard.items()
    )
    first = next(row for row in report["rows"] if row["id"] == pair.id)
    of_one = {
        key: metric
        for key, metric in METRICS.items()
        if not metric.share and first[key] is not None
    }
    measured = ", ".join(
        f"{metric.name} {metric.format(first[key])}" for key, metric in of_one.items()
    )
    return (
        f"<div class=card><h3>{escape(word)}: {escape(pair.id)}</h3><p>“{escape(pair.text)}”</p><div class=players>{players}</div>"
        f"{_image(picture.read_bytes(), 'mel spectrograms and F0')}<p class=soft>{escape(measured)}</p></div>"
    )


def _disentanglement(report: Mapping, sexes: Mapping[str, str]) -> str:
    body = _body(disentanglement_rows(report))
    return (
        "<h2>What each code knows</h2>"
        f"<section><table><tr><th></th><th>content code</th><th>speaker code</th></tr>{body}</table></section>"
        "<p class=soft>Accuracy of linear classifiers on recordings held out. Instance norm makes mean and deviation of the "
        "content code constant whatever it knows; the correlations between its channels are the probe to trust.</p>"
        f"<div class=card><h3>The speaker space</h3>{_image(charts.speaker_space(report['speaker_space'], sexes), 'speaker codes')}</div>"
    )


def _experiments(report: Mapping) -> str:
    code_size, denoising, line, prior = (
        report[key] for key in ("code_size", "denoising", "line", "prior")
    )
    noisy, mixed = (
        next(iter(metrics.values()), None)
        for metrics in (denoising["source"]["clean"], line["curves"])
    )
    cards = [
        (
            "Reconstruction against code size",
            f"{code_size['content'][0]['l1']['n']} recordings taken through both codes and back, one of the codes with only the channels "
            "of most KL, the others set to the prior's mean: how far off the log-mels are (lower is better). Where a curve is flat, "
            "channels could be spared. The decoder was trained with all of them, so a model trained with fewer would lose less.",
            _image(charts.code_size(code_size), "reconstruction against code size"),
        ),
        (
            "Noise",
            "White noise on the source or on the reference. Outputs are compared with the clean recordings. "
            f"Pairs: {noisy['n'] if noisy else 'a few'}.",
            _image(charts.denoising(denoising), "metrics against noise"),
        ),
        (
            "The line between two voices",
            "The source's words in voices on the straight line from its own to the target's: how near a verifier finds them to both. "
            f"Pairs: {mixed[0]['n'] if mixed else 'a few'}.",
            _image(charts.line(line), "similarity along the line"),
        ),
        (
            f"{prior['voices']} voices drawn from the prior",
            "They say the first pair's sentence, and so do the given voices, the set's targets. Spread is the mean of one minus "
            "the cosine between two of the voices.",
            f"<table><tr><th></th><th>drawn</th><th>given</th></tr>{_body(_prior_rows(prior))}</table>",
        ),
    ]
    return "<h2>Experiments</h2><p class=soft>Bands are 95 % intervals.</p>" + "".join(
        f"<div class=card><h3>{escape(title)}</h3><p class=soft>{escape(what)}</p>{found}</div>"
        for title, what, found in cards
    )


def _prior_rows(prior: Mapping) -> list[tuple[str, str, str]]:
    rows = [
        (METRICS[key].name, METRICS[key].format(value["mean"]), "")
        for key, value in prior["metrics"].items()
    ]
    for key in ("sv", "dv"):
        if key in prior:
            known, given = prior[key], prior[key].get("spread_of_given_voices")
            rows.append(
                (
                    f"{key.upper()} spread",
                    f"{known['spread']:.3f}",
                    "" if given is None else f"{given:.3f}",
                )
            )
            rows.append(
                (
                    f"{key.upper()} cosine to the nearest given voice",
                    f"{known['nearest']['mean']:.3f}",
                    "",
                )
            )
    return rows


def _how() -> str:
    rows = "".join(
        f"<dt>{metric.name} {ARROWS[metric.better]}</dt><dd>{escape(metric.how)}</dd>"
        for metric in METRICS.values()
    )
    return f"<h2>How each metric is measured</h2><div class=card><dl>{rows}</dl></div>"


def _sexes(pairs: Sequence[Pair]) -> dict[str, str]:
    known = {speaker_of(pair.source): pair.source_sex for pair in pairs} | {
        speaker_of(pair.target): pair.target_sex for pair in pairs
    }
    return {speaker: sex for speaker, sex in known.items() if sex}


def _sound(samples) -> str:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, SAMPLE_RATE, format="FLAC")
    return f"data:audio/flac;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _image(png: bytes, what: str) -> str:
    return f"<img alt='{what}' src='data:image/png;base64,{base64.b64encode(png).decode()}'>"
