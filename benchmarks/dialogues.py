"""How often does `voiceswap dialogue` give speech to the wrong one of two people?

python benchmarks/dialogues.py CORPORA [--pairs 40] [--seed 1]

Pairs of readers of LibriSpeech speak in turns of phrases, which end at their recordings' pauses,
0.1 to 0.6 s apart: as recorded, and in one room with noise 25 dB below both. Printed is the share
of speech that is given to the other one: mean, and the share of dialogues with over 10 %.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from references import RATE, in_noise, people

from voiceswap.audio import read_audio
from voiceswap.conversion.diarization import find_turns
from voiceswap.conversion.disk_array import DiskArray
from voiceswap.dsp.level import frame_powers, power_frame, set_level
from voiceswap.errors import AudioError
from voiceswap.models.pretrained import speaker_verifier
from voiceswap.notes import notes_to
from voiceswap.training.degrade import in_a_room

QUIET_DB, PAUSE_SECONDS, LEAST_SECONDS = -30, 0.15, 0.16
MOST_SECONDS = 20  # of each person's speech


def phrases(samples: np.ndarray) -> list[np.ndarray]:
    """Parts of a recording between its pauses."""
    frame, powers = power_frame(RATE), frame_powers(samples, RATE)
    loud = powers > np.percentile(powers, 95) * 10 ** (QUIET_DB / 10)
    places = np.flatnonzero(loud)
    if not len(places):
        return []
    apart = np.flatnonzero(np.diff(places) * frame > PAUSE_SECONDS * RATE)
    firsts, lasts = [places[0], *places[apart + 1]], [*places[apart], places[-1]]
    parts = [samples[a * frame : (b + 1) * frame] for a, b in zip(firsts, lasts, strict=True)]
    return [part for part in parts if len(part) >= LEAST_SECONDS * RATE]


def dialogue(
    both: list[list[np.ndarray]], most: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Samples of two people who take turns of 1 to `most` phrases, and whose each is; -1: nobody's.

    It ends with the phrases of either.
    """
    waves, whose, left, who = [], [], [list(own) for own in both], int(rng.integers(2))
    while left[who]:
        for _ in range(int(rng.integers(1, most + 1))):
            if left[who]:
                pause = np.zeros(round(RATE * rng.uniform(0.1, 0.6)))
                waves += [phrase := left[who].pop(0), pause]
                whose += [np.full(len(phrase), who), np.full(len(pause), -1)]
        who = 1 - who
    return np.concatenate(waves), np.concatenate(whose)


def wrong(samples: np.ndarray, whose: np.ndarray, verifier: torch.nn.Module) -> float:
    """The share of speech that is given to the other one; half where no two are told apart."""
    recording, found = DiskArray.of([samples], np.float32), np.zeros(len(samples), int)
    try:
        with notes_to(lambda note: None):
            turns = find_turns(recording, verifier, "dialogue")
    except AudioError:
        return 0.5
    for turn in turns:
        found[round(turn.start * RATE) : round(turn.end * RATE)] = turn.speaker - 1
    share = float((found != whose)[whose >= 0].mean())
    return min(share, 1 - share)


def main() -> None:
    """Make dialogues and print the shares."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rng, verifier = np.random.default_rng(arguments.seed), speaker_verifier()
    torch.manual_seed(arguments.seed)
    everybody = [
        files
        for name in ("test-other", "train-clean-100")
        for files in people(arguments.corpora / "LibriSpeech" / name)
    ]
    shares: dict[str, list[float]] = {}
    for _ in range(arguments.pairs):
        chosen = [everybody[i] for i in rng.choice(len(everybody), 2, replace=False)]
        read = [np.concatenate([read_audio(path, RATE) for path in files[:2]]) for files in chosen]
        both = [phrases(set_level(own[: MOST_SECONDS * RATE], RATE, -30.0)) for own in read]
        for kind, most in (("turns of 1 to 3 phrases", 3), ("turns of one phrase", 1)):
            samples, whose = dialogue(both, most, rng)
            room = in_a_room(torch.from_numpy(samples)[None].float(), RATE)[1][0].double().numpy()
            for place, made in (("as recorded", samples), ("in a room", in_noise(room, 25, rng))):
                noisy = made + 1e-4 * rng.standard_normal(len(made))
                shares.setdefault(f"{kind}, {place}", []).append(wrong(noisy, whose, verifier))
    for kind, found in shares.items():
        much = np.mean(np.array(found) > 0.1)
        print(f"{kind:40} {np.mean(found):6.1%} wrong; over 10 % in {much:.0%} of {len(found)}")


if __name__ == "__main__":
    main()
