"""How often is the note right that the channels of a recording are of two people?

python benchmarks/channels.py CORPORA [--every 2 --first 1] [--seed 1]

Recordings of two channels, 3 to 30 s long, are made of the speech of one person, as stereo and as
careless recordings have it, and of two, one on each channel, who speak at once or in turns, and
whom the other's microphone may pick up. Printed is the share of each kind that gets the note.
`--every` takes only every so many people, from number `--first` on.
"""

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from references import FOLDERS, RATE, in_noise, other_sounds, people

from voiceswap.audio import prepare_audio, read_audio
from voiceswap.dsp.level import set_level
from voiceswap.notes import Note, notes_to
from voiceswap.training.degrade import by_telephone, in_a_room

PICKED_UP_DB = (-20, -12, -8)  # how loud one person is in the other's microphone


def decibels(level: float) -> float:
    """A factor of samples."""
    return 10 ** (level / 20)


def in_room(samples: np.ndarray) -> np.ndarray:
    """The samples in a random room."""
    return in_a_room(torch.from_numpy(samples)[None].float(), RATE)[1][0].double().numpy()


def late(samples: np.ndarray, seconds: float) -> np.ndarray:
    """The samples, so much later."""
    shift = round(seconds * RATE)
    return np.pad(samples, (shift, 0))[: len(samples)]


def of_one(x: np.ndarray, rng: np.random.Generator) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Pairs of channels of one person's speech."""
    softer = x * decibels(rng.uniform(-25, 0))
    pan = 0.5 + 0.5 * np.sin(2 * np.pi * np.arange(len(x)) / RATE / rng.uniform(1, 6))
    wave = torch.from_numpy(x)[None].float()
    return {
        "another gain": (x, softer),
        "late by up to 20 ms": (x, late(softer, rng.uniform(0, 0.02))),
        "a microphone at each end of a room": (in_room(x), in_room(softer)),
        "the same, far away": (in_room(in_room(x)), in_room(in_room(softer))),
        "noise of its own 20 dB below": (in_noise(x, 20, rng), in_noise(x, 20, rng)),
        "noise of its own 5 dB below": (in_noise(x, 5, rng), in_noise(x, 5, rng)),
        "noise on one, 0 dB below": (x, in_noise(x, 0, rng)),
        "near, and far with noise": (x, in_noise(in_room(in_room(x)), 5, rng)),
        "noise alone on one, 14 dB below": (x, in_noise(x, 14, rng) - x),
        "by telephone on one": (x, by_telephone(wave, RATE)[0].numpy()),
        "one ends half-way": (x, np.where(np.arange(len(x)) < len(x) / 2, x, 0.0)),
        "moved from side to side": (x * pan**0.5, x * (1 - pan) ** 0.5),
    }


def of_two(
    a: np.ndarray, b: np.ndarray, rng: np.random.Generator
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Pairs of channels of two people's speech."""
    made = {}
    ends = np.cumsum(rng.uniform(1, 6, 40)) * RATE
    first = np.searchsorted(ends, np.arange(len(a))) % 2 == 0
    for kind, (x, y) in {
        "at once": (a, b),
        "in turns": (np.where(first, a, 0.0), np.where(first, 0.0, b)),
    }.items():
        if not (x.any() and y.any()):
            continue
        x, y = in_noise(x, 30, rng), in_noise(y, 30, rng)
        made[kind] = x, y
        for level in PICKED_UP_DB:
            of_x, of_y = (
                decibels(level) * late(in_room(z), rng.uniform(0.001, 0.01)) for z in (x, y)
            )
            made[f"{kind}, the other {-level} dB below"] = x + of_y, y + of_x
    return made


def noted(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether a recording with these channels has the note."""
    notes: list[Note] = []
    with notes_to(notes.append):
        prepare_audio(np.stack([first, second], 1), RATE, RATE)
    return any("one on each channel" in sentence for sentence in notes)


def main() -> None:
    """Make the recordings, and print the shares."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    torch.manual_seed(options.seed)
    found = [files for folder in FOLDERS for files in people(options.corpora / folder)]
    chosen = found[options.first :: options.every]
    rows, before = defaultdict(list), None
    for number in rng.permutation(len(chosen)):
        seconds = rng.uniform(3, 30)
        samples = np.concatenate([read_audio(path, RATE) for path in chosen[number][:4]])
        samples = set_level(samples[: round(seconds * RATE)], RATE).astype(float)
        for kind, pair in of_one(samples, rng).items():
            rows[f"one person, {kind}"].append(noted(*pair))
        if before is not None:
            length = min(len(before), len(samples))
            for kind, pair in of_two(before[:length], samples[:length], rng).items():
                rows[f"two people, {kind}"].append(noted(*pair))
        before = samples
        sounds = other_sounds(min(seconds, 10), rng)
        rows["melody and drums"].append(noted(0.1 * sounds["melody"], 0.1 * sounds["drums"]))
    for kind, results in rows.items():
        print(f"{kind:50}{len(results):6}{sum(results):6} ({np.mean(results):6.1%})")


if __name__ == "__main__":
    main()
