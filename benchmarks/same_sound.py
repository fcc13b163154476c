"""Compare the conversions of two checkouts of voiceswap.

    PYTHONPATH=BEFORE python benchmarks/same_sound.py before.npz --pairs pairs.csv --root CORPORA
    PYTHONPATH=AFTER python benchmarks/same_sound.py after.npz --pairs pairs.csv --root CORPORA \\
        --against before.npz

Converts the two examples into each other's voice, and `--limit` pairs spread evenly over a set.
Prints the power of the difference relative to that of the conversion, in dB, for each and for the
worst.
"""

import argparse
from pathlib import Path

import numpy as np

import voiceswap
from voiceswap import VoiceSwapper
from voiceswap.evaluation.pairs import read_pairs
from voiceswap.examples import GOODBYE, HELLO


def main() -> None:
    """Convert, and compare with another checkout's conversions if they are given."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--pairs", type=Path)
    parser.add_argument("--root", type=Path)
    parser.add_argument("--limit", type=int, default=12)
    parser.add_argument("--against", type=Path)
    options = parser.parse_args()
    swapper = VoiceSwapper.load(device="cpu")
    goodbye, hello = swapper.swap(GOODBYE, HELLO)
    made = {"example goodbye": goodbye, "example hello": hello}
    made["example, three semitones up"] = swapper.convert(
        HELLO, GOODBYE, pitch_shift=3.0, pitch_range=1.5, seed=4
    )
    made["example, reconstructed"] = swapper.reconstruct(HELLO)
    if options.pairs:
        for pair in read_pairs(options.pairs, options.root, options.limit):
            made[pair.id] = swapper.convert(pair.source, pair.target)
    np.savez(options.out, **made)
    print(f"{len(made)} conversions by {Path(voiceswap.__file__).parent} in {options.out}")
    if options.against:
        before = np.load(options.against)
        differences = {name: difference_db(samples, before[name]) for name, samples in made.items()}
        for name, value in differences.items():
            print(f"{value:8.1f} dB  {name}")
        print(f"{max(differences.values()):8.1f} dB  the worst")


def difference_db(samples: np.ndarray, before: np.ndarray) -> float:
    """Power of the difference relative to `before`, in dB; -inf where they are equal."""
    if len(samples) != len(before):
        return float("inf")
    with np.errstate(divide="ignore"):
        return float(10 * np.log10(np.square(samples - before).mean() / np.square(before).mean()))


if __name__ == "__main__":
    main()
