"""Character error rate of conversions by PocketSphinx, a recogniser that training does not use.

pip install pocketsphinx
python benchmarks/second_recogniser.py --pairs pairs.csv --root corpora
    [--references 3] [CHECKPOINT ...]

Whisper's encoder is in the model, in its losses and in the CER of `voiceswap evaluate`, so that CER
may be too optimistic. PocketSphinx has its own English model of another kind (hidden Markov models
and a trigram language model). Its error rate is high on any recording: compare checkpoints only
with each other and with the recordings.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from pocketsphinx import Decoder
from rich.progress import track

from voiceswap import VoiceSwapper
from voiceswap.audio import prepare_audio, read_audio
from voiceswap.evaluation.pairs import Pair, read_pairs
from voiceswap.evaluation.text import error_rates

SAMPLE_RATE = 16000


def main() -> None:
    """Print a row for the recordings and one for each checkpoint."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoints", nargs="*", default=["default"])
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument(
        "--references", type=int, choices=(1, 3), default=1, help="recordings of each target"
    )
    options = parser.parse_args()
    pairs = read_pairs(options.pairs, options.root)
    decoder = Decoder(samprate=SAMPLE_RATE, loglevel="FATAL")

    def report(name: str, outputs: Iterable[tuple[Pair, np.ndarray]], total: int) -> None:
        errors = [
            error_rates(pair.text, transcript(decoder, samples))["cer"]
            for pair, samples in track(outputs, description=name, total=total, transient=True)
        ]
        print(f"{name}: CER {100 * np.mean(errors):.1f} %, {total} recordings", flush=True)

    sources = list({pair.source: pair for pair in pairs}.values())
    recordings = ((pair, read_audio(pair.source, SAMPLE_RATE)) for pair in sources)
    report("recordings", recordings, len(sources))
    for checkpoint in options.checkpoints:
        swapper = VoiceSwapper.load(checkpoint, device="cpu")

        def convert(pair: Pair, swapper: VoiceSwapper = swapper) -> np.ndarray:
            references = pair.target if options.references == 1 else pair.targets
            wave = swapper.convert(pair.source, references)
            return prepare_audio(wave, swapper.sample_rate, SAMPLE_RATE)

        report(checkpoint, ((pair, convert(pair)) for pair in pairs), len(pairs))


def transcript(decoder: Decoder, samples: np.ndarray) -> str:
    """PocketSphinx's transcript of 16 kHz samples (samples,)."""
    decoder.start_utt()
    decoder.process_raw((samples.clip(-1, 1) * 32767).astype("<i2").tobytes(), full_utt=True)
    decoder.end_utt()
    best = decoder.hyp()
    return best.hypstr if best else ""


if __name__ == "__main__":
    main()
