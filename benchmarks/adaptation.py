"""What `voiceswap adapt` brings, by length of speech, on recordings that it did not have.

    python benchmarks/adaptation.py CORPUS/test-other --asr whisper-base --seconds 10 60

CORPUS/test-other is a folder for each speaker, with transcripts: LibriSpeech's, or an `index.csv`
with the columns file, lang and text. For each of `--speakers` people, the last recording is kept
out; of the others as many as hold `--seconds` of speech are adapted to. Sources are the first
recordings of every other person. Both voices, as `voiceswap voice` makes it and as adapted, have
the same references. Metrics are those of `voiceswap evaluate`; differences are paired, with
intervals that draw speakers.
"""

import argparse
import csv
import json
import time
from pathlib import Path

import numpy as np
import soundfile
import torch
from rich.console import Console
from rich.table import Table

from voiceswap import VoiceSwapper
from voiceswap.adaptation.adapt import adapt
from voiceswap.audio_io.writing import write_audio
from voiceswap.conversion.voice import Voice
from voiceswap.evaluation.intervals import bootstrap
from voiceswap.evaluation.measurement import MeasurementCache
from voiceswap.evaluation.pair_metrics import sound_metrics, voice_metrics, word_metrics
from voiceswap.evaluation.scorers import load_scorers

METRICS = ("dv", "sv", "closer", "cer", "mos")


def main() -> None:
    """Print a row for each length of speech, and write everything to --out."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--asr", type=Path)
    parser.add_argument("--seconds", type=float, nargs="+", default=[10, 60])
    parser.add_argument("--speakers", type=int, default=3)
    parser.add_argument("--first", type=int, default=0, help="of the speakers, in order of name")
    parser.add_argument("--sources", type=int, default=1, help="recordings of every other person")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=Path("adaptation"))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    swapper = VoiceSwapper.load(device=options.device)
    texts = transcripts(options.corpus)
    scorers, left_out = load_scorers(options.asr, sorted({lang for lang, _ in texts.values()}))
    print(*left_out, sep="\n")
    measurements = MeasurementCache(scorers, options.out / "measurements.jsonl")
    folders = [x for x in sorted(options.corpus.iterdir()) if x.is_dir()]
    names, people = [x.name for x in folders], [sorted(x.rglob("*.flac")) for x in folders]
    chosen = range(options.first, options.first + options.speakers)
    table = Table(
        "speech", "steps", "seconds", *(x for key in METRICS for x in (f"{key} before", "change"))
    )
    report: list[dict] = []
    for seconds in options.seconds:
        rows, taken, steps = [], [], []
        for number in chosen:
            *recordings, kept = people[number]
            references = first_seconds(recordings, seconds)
            start = time.perf_counter()
            adapted = adapt(swapper, references, options.steps)
            taken.append(time.perf_counter() - start)
            steps.append(adapted.report.steps)
            voices = {"before": swapper.voice(references), "after": adapted.voice}
            for other, sources in enumerate(people):
                if other == number:
                    continue
                for source in sources[: options.sources]:
                    row = {"speakers": (names[other], names[number]), "source": str(source)}
                    for name, one in voices.items():
                        row[name] = measure(swapper, measurements, source, texts[source], kept, one)
                    rows.append(row)
            example = options.out / f"{names[number]}-{seconds:g}s.wav"
            write_audio(
                example, swapper.convert(people[number - 1][0], adapted.voice), swapper.sample_rate
            )
        report.append({"seconds": seconds, "steps": steps, "took": taken, "rows": rows})
        cells = []
        for key in METRICS:
            if key not in rows[0]["before"]:
                cells += ["", ""]
                continue
            before = np.array([row["before"][key] for row in rows])
            after = np.array([row["after"][key] for row in rows])
            change = bootstrap(after - before, [row["speakers"] for row in rows])
            cells += [
                f"{before.mean():.3f}",
                f"{change.mean:+.3f} ({change.low:+.3f} to {change.high:+.3f})",
            ]
        table.add_row(f"{seconds:g} s", f"{np.mean(steps):.0f}", f"{np.mean(taken):.0f}", *cells)
    (options.out / "report.json").write_text(json.dumps(report, indent=1))
    Console(width=180).print(table)


def first_seconds(recordings: list[Path], seconds: float) -> list[Path]:
    """The first recordings that hold so much together, at least one."""
    taken, total = [], 0.0
    for path in recordings:
        if taken and total >= 0.9 * seconds:
            break
        taken.append(path)
        total += soundfile.info(path).duration
    return taken


def measure(
    swapper: VoiceSwapper,
    measurements: MeasurementCache,
    source: Path,
    transcript: tuple[str, str],
    target: Path,
    voice: Voice,
) -> dict[str, float]:
    """The metrics of one conversion."""
    output = measurements.measure(swapper.convert(source, voice), swapper.sample_rate)
    of_source, of_target = measurements.measure(source), measurements.measure(target)
    language, text = transcript
    return {
        **voice_metrics(output, of_source, of_target),
        **word_metrics(output, of_source, text, language),
        **sound_metrics(output, of_source),
    }


def transcripts(corpus: Path) -> dict[Path, tuple[str, str]]:
    """Language and text of recordings."""
    index = corpus / "index.csv"
    if index.exists():
        with index.open(encoding="utf-8") as file:
            return {corpus / x["file"]: (x["lang"], x["text"]) for x in csv.DictReader(file)}
    return {
        path.parent / f"{name}.flac": ("en", text)
        for path in corpus.rglob("*.trans.txt")
        for name, text in (line.split(" ", 1) for line in path.read_text().splitlines())
    }


if __name__ == "__main__":
    main()
