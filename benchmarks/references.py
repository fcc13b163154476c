"""How often are notes on references right: two people in one, hardly any speech?

python benchmarks/references.py CORPORA [--every 2 --first 1] [--seed 1]

Voices are made of parts of recordings of one person (LibriSpeech, the folders `speakers`,
`synthetic` and `more`, whatever is there), 1 to 3 s and 3 to 20 s long, as they are and in noise,
rooms and by telephone; of two people's speech put together, in halves, thirds and turns, by how far
apart their pitches are; and of noise, tones, chords, drums and laughter made here. Printed is the
share of each that gets a note: that two people speak, by pitch or by the verifier, or that it holds
little speech. `--every` takes only every so many people, from number `--first` on.
"""

import argparse
import random
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch

from voiceswap import VoiceSwapper
from voiceswap.audio import read_audio
from voiceswap.audio_io.endings import SOUND_ENDINGS
from voiceswap.dsp.level import active_level_db, set_level
from voiceswap.features import extract_f0
from voiceswap.notes import Note, notes_to
from voiceswap.training.degrade import by_telephone, in_a_room

RATE = 16000
CLUSTERS = "picovoice"  # folders of voices that are alike, which may be several people's
FOLDERS = (
    "LibriSpeech/test-other",
    "LibriSpeech/train-clean-100",
    "speakers",
    "synthetic/eval",
    "synthetic/train",
    "more",
)


def people(folder: Path) -> list[list[Path]]:
    """The recordings of each person in a corpus."""
    folders = (path for path in folder.glob("*") if path.is_dir())
    persons = sorted(path for path in folders if not path.name.startswith(CLUSTERS))
    files = [sorted(p for p in one.rglob("*") if p.suffix[1:] in SOUND_ENDINGS) for one in persons]
    return [found for found in files if found]


def part(samples: np.ndarray, low: float, high: float, rng: np.random.Generator) -> np.ndarray:
    """A part of random length and place; the whole where it is shorter."""
    length = round(RATE * rng.uniform(low, high))
    start = int(rng.integers(max(1, len(samples) - length)))
    return samples[start : start + length]


def in_noise(samples: np.ndarray, above_db: float, rng: np.random.Generator) -> np.ndarray:
    """Samples with pink noise so far below."""
    noise = pink(len(samples), rng)
    return samples + noise * 10 ** ((active_level_db(samples, RATE) - above_db) / 20)


def pink(length: int, rng: np.random.Generator) -> np.ndarray:
    """Pink noise of power one."""
    spectrum = np.fft.rfft(rng.standard_normal(length))
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(1, np.arange(len(spectrum)))), length)
    return noise / noise.std()


def conditions(samples: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """The samples as they are, and one bad condition of four."""
    wave = torch.from_numpy(samples)[None].float()
    name, make = (
        ("20 dB above noise", lambda: in_noise(samples, 20, rng)),
        ("10 dB above noise", lambda: in_noise(samples, 10, rng)),
        ("in a room", lambda: in_a_room(wave, RATE)[1][0].numpy()),
        ("by telephone", lambda: by_telephone(wave, RATE)[0].numpy()),
    )[int(rng.integers(4))]
    return {"as it is": samples, name: make()}


def together(a: np.ndarray, b: np.ndarray, kind: str, rng: np.random.Generator) -> np.ndarray:
    """Two people's speech in one recording."""
    if kind == "turns":
        turn = round(RATE * rng.uniform(2, 4))
        return np.concatenate([one[i * turn :][:turn] for i in range(3) for one in (a, b)])
    length = round(RATE * rng.uniform(*((2, 10) if kind == "halves" else (6, 14))))
    return np.concatenate([a[:length], b[: length if kind == "halves" else length // 3]])


def other_sounds(seconds: float, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Sounds that are no speech."""
    length = round(RATE * seconds)
    times = np.arange(length) / RATE
    starts = np.sort(rng.uniform(0, seconds, int(3 * seconds)))
    notes = 440 * 2 ** (rng.integers(-24, 12, len(starts)) / 12)

    def struck(hertz: float, start: float, decay: float) -> np.ndarray:
        after = np.maximum(0, times - start)
        tone = sum(np.sin(2 * np.pi * hertz * k * after) / k for k in range(1, 7))
        return tone * np.exp(-decay * after) * (times >= start)

    beats = np.arange(0, seconds, 0.25)
    drums = sum(
        rng.standard_normal(length) * np.exp(-40 * np.maximum(0, times - at)) * (times >= at)
        for at in beats
    )
    melody = sum(struck(hertz, at, 4) for hertz, at in zip(notes, starts, strict=True))
    chords = sum(
        struck(notes[0] / 2 * 2 ** (step / 12), at, 1)
        for at in np.arange(0, seconds, 1.0)
        for step in (0, 4, 7, 12)
    )
    knots = np.arange(0, seconds + 1, 0.2)
    swell = np.interp(times, knots, rng.uniform(0, 1, len(knots)))
    return {
        "noise": pink(length, rng),
        "noise that swells": pink(length, rng) * swell,
        "hum": sum(np.sin(2 * np.pi * 50 * k * times) / k for k in range(1, 20)),
        "melody": melody,
        "chords": chords,
        "drums": drums,
        "band": drums / drums.std() + melody / melody.std() + chords / chords.std(),
        "laughter": laughter(length, rng),
    }


def laughter(length: int, rng: np.random.Generator) -> np.ndarray:
    """Bursts of an open vowel with falling pitch, as in `tests/test_nonverbal.py`."""
    times, bursts, highest = np.arange(round(0.11 * RATE)) / RATE, [], rng.uniform(300, 450)
    while sum(map(len, bursts)) < length:
        for number in range(int(rng.integers(4, 8))):
            f0 = highest * (1 - 0.04 * number)
            harmonics = np.arange(1, int(7500 / f0))[:, None]
            shape = sum(1 / (1 + ((f0 * harmonics - at) / 250) ** 2) for at in (1300, 2900, 4200))
            glide = f0 * (1.15 * times - 1.35 * times**2)
            voiced = (shape * np.sin(2 * np.pi * harmonics * glide)).sum(0)
            bursts.append(np.pad(voiced * np.hanning(len(times)) ** 0.5, (0, round(0.09 * RATE))))
        bursts.append(np.zeros(round(RATE * rng.uniform(0.1, 0.5))))
    return np.concatenate(bursts)[:length]


class Counts:
    """Notes on references, by kind of reference."""

    def __init__(self, swapper: VoiceSwapper):
        self.swapper, self.rows = swapper, defaultdict(list)

    def add(self, kind: str, samples: np.ndarray) -> None:
        """Make a voice of samples, and count its notes."""
        said: list[Note] = []
        with notes_to(said.append):
            self.swapper.voice([(0.1 * samples / np.abs(samples).max(), RATE)])
        texts = [sentence.text for sentence in said]
        by_pitch = any("two people seem to speak in it, at" in text for text in texts)
        by_verifier = any("two people seem to speak in it, and" in text for text in texts)
        little = any("seems to be speech" in text for text in texts)
        self.rows[kind].append((by_pitch, by_verifier, by_pitch or by_verifier, little))

    def print(self) -> None:
        """A line for each kind."""
        print(f"{'':38}{'':>6}  two people by pitch, by verifier, by either; little speech")
        for kind, rows in self.rows.items():
            counts = ", ".join(f"{n:4} ({n / len(rows):6.1%})" for n in np.sum(rows, 0))
            print(f"{kind:38}{len(rows):6}  {counts}", flush=True)


def main() -> None:
    """Make the references, and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    rng, began = np.random.default_rng(options.seed), time.time()
    random.seed(options.seed)
    torch.manual_seed(options.seed)
    counts = Counts(VoiceSwapper.load(device=options.device))
    talks = []
    for folder in FOLDERS:
        for files in people(options.corpora / folder)[options.first :: options.every]:
            chosen = random.sample(files, min(3, len(files)))
            samples = np.concatenate([read_audio(path, RATE) for path in chosen])
            for name, wave in conditions(part(samples, 3, 20, rng), rng).items():
                counts.add(f"{folder}, {name}", wave)
            counts.add("1 to 3 s of these", part(samples, 1, 3, rng))
            if folder.startswith("LibriSpeech"):
                f0 = extract_f0(samples[: 10 * RATE], counts.swapper.engine.audio)
                talks.append((np.log2(np.median(f0[f0 > 0])), set_level(samples, RATE)))
    for number, (pitch, samples) in enumerate(talks):
        other_pitch, other = talks[int(rng.integers(len(talks)))]
        if other is samples:
            continue
        semitones = 12 * abs(pitch - other_pitch)
        apart = "near" if semitones < 4 else "far apart" if semitones > 7 else "4 to 7 semitones"
        kind = ("halves", "turns", "a third")[number % 3]
        both = together(samples, other, kind, rng)
        counts.add(f"two people, {apart}", both)
        counts.add(f"two people, {kind}", both)
    for _ in range(15):
        for name, samples in other_sounds(rng.uniform(3, 12), rng).items():
            counts.add(name, samples)
    counts.print()
    print(f"{time.time() - began:.0f} s")


if __name__ == "__main__":
    main()
