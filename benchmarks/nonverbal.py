"""Do laughter, coughs, breath and whisper come through?

python benchmarks/nonverbal.py CLIPS CORPORA/LibriSpeech/test-other [--stream low]

Every clip (KIND-anything.wav) is put between 3 s of two recordings of one speaker, 2 dB softer than
they are, and converted to another speaker. Printed are, for each kind and for the speech around:

level: relative to the speech, how much louder than in the source; mean and mean magnitude.
envelope: correlation of the power of frames, in dB, with the source's.
spectrum: correlation of log-mels with the source's, without each bin's mean over speech and each
    frame's mean.

Both without what `voiceswap.conversion.nonverbal` does and with it.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from voiceswap import VoiceSwapper
from voiceswap.audio import read_audio
from voiceswap.audio_io.resampling import resample
from voiceswap.conversion.mel_statistics import speech_frames
from voiceswap.dsp.level import active_level_db
from voiceswap.models.checkpoint import load_checkpoint

RATE, PAUSE, BELOW_DB = 16000, 0.35, 2.0


def embed(clip: np.ndarray, before: np.ndarray, after: np.ndarray) -> tuple[np.ndarray, slice]:
    """The clip in speech, and its mel frames."""
    gain = 10 ** ((active_level_db(before, RATE) - BELOW_DB - active_level_db(clip, RATE)) / 20)
    pause = np.zeros(round(PAUSE * RATE), np.float32)
    start = (len(before) + len(pause)) // 160
    samples = np.concatenate([before, pause, gain * clip, pause, after])
    samples += 10 ** ((active_level_db(before, RATE) - 55) / 20) * np.random.default_rng(0).normal(
        size=len(samples)
    )
    return samples.astype(np.float32), slice(start, start + len(clip) // 160)


def convert(swapper: VoiceSwapper, samples: np.ndarray, reference: Path, latency: str | None):
    """The conversion at RATE."""
    if latency is None:
        return resample(swapper.convert((samples, RATE), reference), swapper.sample_rate, RATE)
    stream = swapper.stream(reference, latency=latency, rate=RATE)
    return np.concatenate([stream.push(samples), stream.flush()])


def compare(source: np.ndarray, made: np.ndarray, frames: np.ndarray, speech: np.ndarray):
    """Level, envelope and spectrum of log-mels (mels, frames); see above."""
    powers = [np.exp(2 * mel).sum(0) for mel in (source, made)]
    level = [10 * np.log10(p[frames].mean() / p[speech].mean()) for p in powers]
    envelope = np.corrcoef(*(np.log(p[frames]) for p in powers))[0, 1]
    shapes = [mel[:, frames] - mel[:, speech].mean(1, keepdims=True) for mel in (source, made)]
    a, b = (shape - shape.mean(0) for shape in shapes)
    similarity = (a * b).sum(0) / np.sqrt(np.square(a).sum(0) * np.square(b).sum(0) + 1e-9)
    return level[1] - level[0], envelope, similarity.mean()


def main() -> None:
    """Print a row a kind, without and with it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clips", type=Path)
    parser.add_argument("speakers", type=Path)
    parser.add_argument("--stream", help="low, normal or high: through a live stream instead.")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    decoded = load_checkpoint()
    decoded.content_log_variance = None
    swappers = {"decoded": VoiceSwapper(decoded), "followed": VoiceSwapper.load()}
    log_mel = swappers["followed"].engine.log_mel
    folders = sorted(path for path in arguments.speakers.iterdir() if path.is_dir())
    people = [sorted(folder.rglob("*.flac")) for folder in folders]
    found: dict[tuple[str, str], list] = {}
    for number, path in enumerate(sorted(arguments.clips.glob("*-*.*"))):
        first, second, *_ = people[number % len(people)]
        reference = people[(number + 3) % len(people)][2]
        around = [read_audio(recording, RATE)[: 3 * RATE] for recording in (first, second)]
        samples, frames = embed(read_audio(path, RATE), *around)
        source = log_mel(torch.from_numpy(samples)[None])
        speech = speech_frames(source)[0].numpy()
        inside = np.zeros_like(speech)
        inside[frames] = True
        for name, swapper in swappers.items():
            out = convert(swapper, samples, reference, arguments.stream)
            made = log_mel(torch.from_numpy(out)[None])[0].numpy()
            for kind, part in (path.name.split("-")[0], inside), ("speech", ~inside):
                row = compare(source[0].numpy(), made, part & speech, speech)
                found.setdefault((kind, name), []).append(row)
    print("kind, clips: level, envelope, spectrum")
    for (kind, name), rows in sorted(found.items()):
        level, envelope, similarity = np.array(rows).T
        print(
            f"{kind}, {len(rows)}, {name}: {level.mean():+.1f} ({np.abs(level).mean():.1f}) dB, "
            f"{envelope.mean():.2f}, {similarity.mean():.2f}"
        )


if __name__ == "__main__":
    main()
