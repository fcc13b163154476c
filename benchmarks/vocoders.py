"""CER and MOS of copy synthesis by several vocoders, by Griffin-Lim, and of the recordings.

python benchmarks/vocoders.py --pairs pairs.csv --root corpora --asr whisper-base
    [--recordings 50] [CHECKPOINT ...]

CHECKPOINT is a model file, a vocoder's training checkpoint, or "default".
"""

import argparse
import random
from pathlib import Path

import numpy as np
import torch
from rich.progress import track

from voiceswap import VoiceSwapper
from voiceswap.audio import read_audio
from voiceswap.audio_io.resampling import resample
from voiceswap.evaluation.pairs import read_pairs
from voiceswap.evaluation.scorers import SAMPLE_RATE, load_scorers
from voiceswap.evaluation.text import error_rates
from voiceswap.training.export import load_network

GRIFFIN_LIM = "Griffin-Lim"  # what the engine uses without a vocoder


def main() -> None:
    """Print a row for each vocoder."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoints", nargs="*", default=["default"])
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--asr", type=Path, required=True)
    parser.add_argument("--recordings", type=int, default=50)
    options = parser.parse_args()
    pairs = list({pair.source: pair for pair in read_pairs(options.pairs, options.root)}.values())
    random.Random(0).shuffle(pairs)
    pairs = pairs[: options.recordings]
    scorers, _ = load_scorers(options.asr)
    swapper = VoiceSwapper.load(device="cpu")
    recordings = [read_audio(pair.source, SAMPLE_RATE) for pair in pairs]

    def report(name: str, outputs: list[np.ndarray]) -> None:
        errors, scores = [], []
        both = list(zip(pairs, outputs, strict=True))
        for pair, samples in track(both, description=name, transient=True):
            transcript = scorers["transcript"].compute(samples, "en")
            errors.append(error_rates(pair.text, transcript)["cer"])
            scores.append(scorers["mos"].compute(samples))
        cer, mos = 100 * np.mean(errors), np.mean(scores)
        print(f"{name}: CER {cer:.1f} %, MOS {mos:.2f}, {len(pairs)} recordings", flush=True)

    report("recordings", recordings)
    bundled = swapper.engine.vocoder
    for checkpoint in [GRIFFIN_LIM, *options.checkpoints]:
        if checkpoint == GRIFFIN_LIM:
            swapper.engine.vocoder = None
        elif checkpoint == "default":
            swapper.engine.vocoder = bundled
        else:
            swapper.engine.vocoder = load_network(checkpoint, "vocoder").eval()
        with torch.inference_mode():
            report(checkpoint, [synthesize(swapper, samples) for samples in recordings])


def synthesize(swapper: VoiceSwapper, samples: np.ndarray) -> np.ndarray:
    """Copy synthesis at the scorers' rate."""
    made = swapper.copy_synthesis((samples, SAMPLE_RATE))
    return resample(made, swapper.engine.output_audio.sample_rate, SAMPLE_RATE)


if __name__ == "__main__":
    main()
