"""What is above 8 kHz in copy synthesis and in conversions, beside recordings that reach 12 kHz.

python benchmarks/high_band.py FOLDER [FOLDER ...] [--checkpoint default] [--limit 40]

FOLDER has a folder of recordings for each speaker. Levels are long-term ones: of copy synthesis
relative to its recording, frames with and without F0 apart; and of a conversion of the speaker
before to the recording's voice relative to that recording, both at one level from 1 to 7 kHz.
ViSQOL (audio mode, `pip install visqol-python`) compares copy synthesis with the recording, as it
is and without what is above 8 kHz.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.signal import butter, sosfiltfilt

from voiceswap import VoiceSwapper
from voiceswap.audio import read_audio
from voiceswap.audio_io.resampling import resample
from voiceswap.dsp.bandwidth import missing_highs
from voiceswap.features import extract_f0

RATE, N_FFT = 24000, 960
BANDS = {"8 to 9.5 kHz": (8000, 9500), "9.5 to 11.5 kHz": (9500, 11500)}
LOW = (1000, 7000)
VISQOL_RATE = 48000


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--checkpoint", default="default")
    parser.add_argument("--limit", type=int, default=40, help="Recordings at most.")
    options = parser.parse_args()
    swapper = VoiceSwapper.load(options.checkpoint, "cpu")
    recordings = [samples for folder in options.folders for samples in full_band(folder)]
    chosen = np.linspace(0, len(recordings) - 1, min(options.limit, len(recordings))).round()
    recordings = [recordings[int(i)] for i in chosen]
    voiced, unvoiced, converted, quality, without_highs = [], [], [], [], []
    for number, real in enumerate(track(recordings, "Recordings", transient=True)):
        made = at_rate(swapper.copy_synthesis((real, RATE)), swapper.sample_rate)[: len(real)]
        has_f0 = np.repeat(extract_f0(real, swapper.engine.audio.at_rate(RATE)) > 0, RATE // 100)
        for levels, part in ((voiced, has_f0), (unvoiced, ~has_f0)):
            levels.append(band_levels(made, part) - band_levels(real, part))
        other = swapper.convert((recordings[number - 1], RATE), (real, RATE))
        converted.append(relative(at_rate(other, swapper.sample_rate)) - relative(real))
        quality.append(visqol(real, made))
        without_highs.append(visqol(real, below_8_khz(made)))
    table = Table(
        "band", "copy, voiced", "copy, unvoiced", "conversion", title="dB, mean (mean abs)"
    )
    for i, band in enumerate(BANDS):
        cells = [np.array(levels)[:, i] for levels in (voiced, unvoiced, converted)]
        table.add_row(band, *(f"{x.mean():+.1f} ({np.abs(x).mean():.1f})" for x in cells))
    Console().print(table)
    print(
        f"{len(recordings)} recordings; ViSQOL of copy synthesis {np.mean(quality):.2f}, ", end=""
    )
    print(f"without what is above 8 kHz {np.mean(without_highs):.2f}")


def full_band(folder: Path) -> list[np.ndarray]:
    """The first recording of each speaker that has highs, at RATE."""
    found = []
    for speaker in sorted(path for path in folder.iterdir() if path.is_dir()):
        for path in sorted(path for path in speaker.rglob("*") if path.is_file())[:1]:
            samples = read_audio(path, RATE)
            if not missing_highs(samples, RATE):
                found.append(samples)
    return found


def power(samples: np.ndarray) -> np.ndarray:
    """Power spectrum of every frame, (bins, frames)."""
    wave, window = torch.from_numpy(samples), torch.hann_window(N_FFT)
    spectrum = torch.stft(wave, N_FFT, RATE // 100, window=window, return_complex=True)
    return spectrum.abs().square().numpy()


def level(spectrum: np.ndarray, band: tuple[int, int]) -> float:
    """Level of a mean power spectrum (bins,) in a band in Hz, in dB."""
    first, last = (round(edge * N_FFT / RATE) for edge in band)
    return float(10 * np.log10(spectrum[first:last].mean() + 1e-12))


def band_levels(samples: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Levels of BANDS in dB over the frames where `part` (samples,) holds, (bands,)."""
    frames = power(samples)
    chosen = part[:: RATE // 100][: frames.shape[1]]
    spectrum = frames[:, : len(chosen)][:, chosen].mean(1)
    return np.array([level(spectrum, band) for band in BANDS.values()])


def relative(samples: np.ndarray) -> np.ndarray:
    """Long-term levels of BANDS relative to that of LOW, in dB, (bands,)."""
    spectrum = power(samples).mean(1)
    return np.array([level(spectrum, band) - level(spectrum, LOW) for band in BANDS.values()])


def at_rate(samples: np.ndarray, rate: int) -> np.ndarray:
    """Samples at RATE."""
    return samples if rate == RATE else resample(samples, rate, RATE)


def below_8_khz(samples: np.ndarray) -> np.ndarray:
    """Samples without what is above 8 kHz."""
    return sosfiltfilt(butter(8, 8000, fs=RATE, output="sos"), samples).astype(np.float32)


def visqol(real: np.ndarray, made: np.ndarray) -> float:
    """ViSQOL's MOS-LQO of `made` against `real`, from 1 to 5."""
    from visqol import VisqolApi

    api = VisqolApi()
    api.create(mode="audio")
    waves = (resample(samples, RATE, VISQOL_RATE).astype(np.float64) for samples in (real, made))
    return api.measure_from_arrays(*waves, sample_rate=VISQOL_RATE).moslqo


if __name__ == "__main__":
    main()
