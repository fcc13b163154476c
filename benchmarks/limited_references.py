"""Voices from references by telephone and at low bit rates.

python benchmarks/limited_references.py SPEAKER_FOLDER SPEAKER_FOLDER ...

Needs ffmpeg and voiceswap[eval]. The first 8 s of the first recording in each folder are the
reference, as they are and coded; the source is 5 s of the folder three further on. Printed are
similarity to the speaker's recordings, uncoded, by two verifiers, and the predicted naturalness:
DV, SV and MOS of `voiceswap evaluate`.
"""

import argparse
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile
import torch

from voiceswap import VoiceSwapper
from voiceswap.audio import read_audio
from voiceswap.audio_io.recording_files import recordings_in
from voiceswap.audio_io.resampling import resample
from voiceswap.evaluation.scorers import SAMPLE_RATE, load_scorers

REFERENCE, SOURCE, SPEAKER = 8, 5, 20  # seconds
TELEPHONE = "highpass=f=300,highpass=f=300,lowpass=f=3400,lowpass=f=3400"
CODERS: dict[str, tuple[str, tuple[str, ...]]] = {  # the file's ending, and ffmpeg's options
    "as it is": ("wav", ()),
    "8 kHz": ("wav", ("-ar", "8000")),
    "telephone, mu-law": ("wav", ("-af", TELEPHONE, "-ar", "8000", "-c:a", "pcm_mulaw")),
    "GSM": ("wav", ("-ar", "8000", "-c:a", "libgsm_ms")),
    "Opus, 8 kbit/s": ("opus", ("-c:a", "libopus", "-b:a", "8k")),
    "Opus, 16 kbit/s": ("opus", ("-c:a", "libopus", "-b:a", "16k")),
    "MP3, 16 kbit/s": ("mp3", ("-b:a", "16k")),
    "MP3, 32 kbit/s": ("mp3", ("-b:a", "32k")),
}


def coded(samples: np.ndarray, coder: str, folder: Path) -> Path:
    """A file of samples (samples,) at SAMPLE_RATE, coded."""
    ending, options = CODERS[coder]
    plain, path = folder / "plain.wav", folder / f"coded.{ending}"
    soundfile.write(plain, samples, SAMPLE_RATE)
    command = ["ffmpeg", "-loglevel", "error", "-y", "-i", plain, *options, path]
    subprocess.run(command, check=True)
    return path


def main() -> None:
    """Print a row for each coder."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", type=Path, nargs="+")
    folders = parser.parse_args().folders
    torch.set_num_threads(1)
    swapper = VoiceSwapper.load(device="cpu")
    scorers, left_out = load_scorers(None)
    print(*left_out[1:], sep="\n")
    speakers = [
        [read_audio(path, SAMPLE_RATE) for path in recordings_in([folder])] for folder in folders
    ]
    firsts = [recordings[0] for recordings in speakers]
    judged = [np.concatenate(recordings)[: SPEAKER * SAMPLE_RATE] for recordings in speakers]
    wanted = {key: [np.array(scorers[key].compute(x)) for x in judged] for key in ("dv", "sv")}
    for coder in CODERS:
        rows = []
        for number, first in enumerate(firsts):
            source = firsts[(number + 3) % len(firsts)][: SOURCE * SAMPLE_RATE]
            with tempfile.TemporaryDirectory() as folder:
                reference = coded(first[: REFERENCE * SAMPLE_RATE], coder, Path(folder))
                made = swapper.convert((source, SAMPLE_RATE), reference)
            made = resample(made, swapper.sample_rate, SAMPLE_RATE)
            similar = [np.array(scorers[k].compute(made)) @ wanted[k][number] for k in wanted]
            rows.append([*similar, scorers["mos"].compute(made)])
        dv, sv, mos = np.mean(rows, 0)
        print(f"{coder:18} DV {dv:.3f}  SV {sv:.3f}  MOS {mos:.2f}", flush=True)


if __name__ == "__main__":
    main()
