"""How well a conversion hides who speaks, from a speaker verifier with recordings of all suspects.

    python benchmarks/protection.py pairs.csv --root corpora --asr whisper-base

pairs.csv is what `voiceswap evaluate --pairs` takes. Of each of its speakers, `--sources`
recordings are converted: to the target of each one's first pair; to a random voice of the speaker's
own; and to one within two semitones of the speaker's pitch. The attacker has up to `--enrolled`
other recordings of every speaker, and compares an output's vector with the mean of theirs:

- plain: as recorded;
- other: converted to random voices, another one for each speaker;
- same: converted to the output's own voice, which the output as a target nearly gives.

EER is the equal error rate over all outputs and speakers: 0 % always recognises the speaker, 50 %
is guessing. Speakers whose voice is the target are left out as suspects. "first" is the share of
outputs whose speaker is the most similar suspect, "own" the cosine with the speaker's other
recordings, "strangers" that with the other speakers'. The last line is the EER of couples of
outputs of one random voice against those of two: 0 % is one voice for each witness.
"""

import argparse
import json
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table

from voiceswap import VoiceSwapper, source_pitch
from voiceswap.conversion.voice import Voice
from voiceswap.evaluation.measurement import Measurement, MeasurementCache
from voiceswap.evaluation.pair_metrics import quality_metrics, word_metrics
from voiceswap.evaluation.pairs import Pair, read_pairs
from voiceswap.evaluation.scorers import load_scorers

VERIFIERS = ("dv", "sv")
ATTACKS = ("plain", "other", "same")
COLUMNS = ("own", "strangers", *(f"{x} {attack}" for attack in ATTACKS for x in ("EER", "first")))
NEAR = 2 ** (2 / 12)  # two semitones
OWN, OTHERS = 1000, 2000  # first seeds of the speakers' random voices, and of the attacker's
Enrolled = Mapping[str, list[Measurement]]  # by speaker


def main() -> None:
    """Print a row for each kind of voice, and write everything to --out."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--asr", type=Path)
    parser.add_argument("--sources", type=int, default=3)
    parser.add_argument("--enrolled", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--out", type=Path, default=Path("protection"))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    pairs = read_pairs(options.pairs, options.root)
    scorers, left_out = load_scorers(options.asr, sorted({pair.language for pair in pairs}))
    print(*left_out, sep="\n")
    cache = MeasurementCache(scorers, options.out / "measurements.jsonl")
    swapper = VoiceSwapper.load()
    tested, others = split(pairs, options.sources, options.enrolled)
    names = list(tested)

    def convert(recording: Path, voice: Voice) -> Measurement:
        return cache.measure(swapper.convert(recording, voice), swapper.sample_rate)

    def enrol(voices: Mapping[str, Voice]) -> Enrolled:
        return {name: [convert(path, voices[name]) for path in others[name]] for name in names}

    drawn = {name: swapper.sample(OWN + i) for i, name in enumerate(names)}
    near = {}
    for i, name in enumerate(names):
        hertz = np.exp(source_pitch([pair.source for pair in tested[name]])[0])
        near[name] = swapper.sample(OWN + i, (hertz / NEAR, hertz * NEAR))
    plain = {name: [cache.measure(path) for path in others[name]] for name in names}
    other = enrol({name: swapper.sample(OTHERS + i) for i, name in enumerate(names)})
    columns = [*(f"{name} {key}" for name in COLUMNS for key in VERIFIERS), "cer", "mos"]
    table = Table("voice", *columns)
    report: dict[str, dict[str, float]] = {}
    for kind, voices in {"as recorded": {}, "real": {}, "random": drawn, "near": near}.items():
        outputs, rows, suspects = [], [], []
        for pair in track([x for name in names for x in tested[name]], kind):
            speaker, target = pair.speakers
            source = output = cache.measure(pair.source)
            if kind != "as recorded":
                output = convert(pair.source, voices.get(speaker) or swapper.voice(pair.target))
            words = word_metrics(output, source, pair.text, pair.language)
            rows.append({**words, **quality_metrics(output)})
            outputs.append((speaker, output))
            suspects.append([name for name in names if kind != "real" or name != target])
        attacks = {"plain": plain, **({"other": other} if voices else {})}
        found: dict[str, float] = {}
        for attack, enrolled in attacks.items():
            found |= figures(attack, outputs, suspects, [enrolled] * len(outputs))
        if kind == "random":
            each = {x: enrol(dict.fromkeys(names, drawn[x])) for x in track(names, "same voice")}
            found |= figures("same", outputs, suspects, [each[x] for x, _ in outputs])
            found |= one_voice(outputs)
        for key in rows[0]:
            found[key] = float(np.mean([row[key] for row in rows]))
        report[kind] = found
        table.add_row(kind, *(f"{found[x]:.3f}" if x in found else "" for x in columns))
    (options.out / "report.json").write_text(json.dumps(report, indent=1), encoding="utf-8")
    Console(width=240).print(table)
    print(*(f"one voice {key}: {report['random'][f'one voice {key}']:.1%}" for key in VERIFIERS))


def split(
    pairs: list[Pair], sources: int, enrolled: int
) -> tuple[dict[str, list[Pair]], dict[str, list[Path]]]:
    """By speaker: a pair for each recording to convert, and recordings for the attacker."""
    first = {pair.source: pair for pair in reversed(pairs)}
    tested: dict[str, list[Pair]] = {}
    for pair in sorted(first.values(), key=lambda pair: pair.source):
        of_speaker = tested.setdefault(pair.speakers[0], [])
        if len(of_speaker) < sources:
            of_speaker.append(pair)
    converted = {pair.source for of_speaker in tested.values() for pair in of_speaker}
    others: dict[str, list[Path]] = {}
    for pair in pairs:
        for speaker, path in zip(pair.speakers, (pair.source, pair.target), strict=True):
            of_this = others.setdefault(speaker, [])
            if path not in converted and path not in of_this and len(of_this) < enrolled:
                of_this.append(path)
    return tested, others


def figures(
    attack: str,
    outputs: list[tuple[str, Measurement]],
    suspects: list[list[str]],
    enrolled: list[Enrolled],
) -> dict[str, float]:
    """EER of an attack and how often it names the speaker; of "plain" also the similarities."""
    found: dict[str, float] = {}
    for key in VERIFIERS:
        own: list[float] = []
        strangers: list[float] = []
        first: list[bool] = []
        for (speaker, output), names, known in zip(outputs, suspects, enrolled, strict=True):
            scores = {}
            for name in names:
                mean = np.mean([getattr(x, key) for x in known[name]], 0)
                scores[name] = float(getattr(output, key) @ mean / np.linalg.norm(mean))
                (own if name == speaker else strangers).append(scores[name])
            first.append(max(scores, key=scores.__getitem__) == speaker)
        found[f"EER {attack} {key}"] = equal_error_rate(own, strangers)
        found[f"first {attack} {key}"] = float(np.mean(first))
        if attack == "plain":
            found[f"own {key}"] = float(np.mean(own))
            found[f"strangers {key}"] = float(np.mean(strangers))
    return found


def one_voice(outputs: list[tuple[str, Measurement]]) -> dict[str, float]:
    """EER of telling couples of outputs of one speaker from those of two, by each verifier."""
    found = {}
    for key in VERIFIERS:
        scores: dict[bool, list[float]] = {True: [], False: []}
        for (a, first), (b, second) in combinations(outputs, 2):
            scores[a == b].append(float(getattr(first, key) @ getattr(second, key)))
        found[f"one voice {key}"] = equal_error_rate(scores[True], scores[False])
    return found


def equal_error_rate(same: list[float], different: list[float]) -> float:
    """Where as many of `same` are below a threshold as of `different` are above, in shares."""
    ours, theirs = np.sort(same), np.sort(different)
    thresholds = np.concatenate([ours, theirs])
    missed = np.searchsorted(ours, thresholds) / len(ours)
    taken = 1 - np.searchsorted(theirs, thresholds) / len(theirs)
    best = np.abs(missed - taken).argmin()
    return float((missed[best] + taken[best]) / 2)


if __name__ == "__main__":
    main()
