"""What a GPU does, in about five minutes: tests, conversions, networks, voices, streams, training.

python benchmarks/gpu.py [--device cuda] [--files 2000] [--rates 16000 48000] [--windows 64]
    [--quick] [--parts tests conversion files batch stages voices training]

Every part is a process of its own, with a limit in seconds: one that fails or takes longer says so,
and the next begins. What it had measured by then is printed all the same. "tests" needs pytest, and
"training" the package's extra `train`. --quick is a small one, to try the script on a CPU.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import soundfile
import soxr
import torch
from gpu_networks import measure_stages, measure_voices
from timing import quickest, row

from voiceswap import FileConversion, VoiceSwapper
from voiceswap.audio import read_audio
from voiceswap.batch import BatchProgress, convert_folder
from voiceswap.examples import GOODBYE, HELLO

ROOT = Path(__file__).parents[1]
LIMITS = {
    "tests": 75,
    "conversion": 16,
    "files": 25,
    "batch": 58,
    "stages": 20,
    "voices": 50,
    "training": 60,
}
MARGIN = 6.0  # seconds of a part's limit in which it starts and says what it has
SECONDS = 10  # length of a recording
DISTINCT = 20  # recordings that are written; the others are links to them


class TimeIsUpError(Exception):
    """A part's time is over; what was measured counts."""


def main() -> None:
    """Print a table for each part."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--files", type=int, default=2000, help="in the folder of each rate")
    parser.add_argument("--rates", type=int, nargs="+", default=[16000, 48000], help="of files, Hz")
    parser.add_argument("--windows", type=int, default=64, help="of 10 s, in a batch of a stage")
    parser.add_argument("--parts", nargs="+", choices=LIMITS, default=list(LIMITS))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--part", choices=LIMITS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.quick:
        options.files, options.windows = min(options.files, 6), min(options.windows, 2)
    if options.part:
        PARTS[options.part](options, time.perf_counter() + limit(options) - MARGIN)
        return
    on_gpu = options.device.startswith("cuda")
    device = torch.cuda.get_device_name(options.device) if on_gpu else options.device
    print(f"torch {torch.__version__}, {device}, {os.cpu_count()} CPU cores")
    for part in options.parts:
        options.part = part
        print(f"\n== {part}, at most {limit(options)} s", flush=True)
        start, command = time.perf_counter(), [sys.executable, *sys.argv, "--part", part]
        process = subprocess.Popen(command, start_new_session=True)
        try:
            status = process.wait(limit(options))
            print(f"({'failed' if status else 'took'}, {time.perf_counter() - start:.0f} s)")
        except subprocess.TimeoutExpired:
            print("(stopped: it took longer than its limit)")
        finally:
            with suppress(ProcessLookupError):  # nothing of the part is left
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def limit(options: argparse.Namespace) -> float:
    """Seconds that a part may take."""
    return LIMITS[options.part] / (2 if options.quick else 1)


def measure_tests(options: argparse.Namespace, until: float) -> None:
    """The tests that need a GPU."""
    files = [
        "tests/test_gpu.py",
        *(f"tests/training/test_{x}.py" for x in ("autocast", "cuda_graph")),
    ]
    command = [sys.executable, "-m", "pytest", "-q", "-m", "gpu", "-o", "addopts="]
    command += ["-p", "no:cacheprovider", *files]
    command += ["-n", "5"] if find_spec("xdist") else []
    raise SystemExit(subprocess.run(command, cwd=ROOT).returncode)


def measure_conversion(options: argparse.Namespace, until: float) -> None:
    """Conversions of one recording, its reference embedded each time."""
    swapper = VoiceSwapper.load(device=options.device)
    hello, goodbye = (read_audio(path, swapper.sample_rate) for path in (HELLO, GOODBYE))
    row("recording", "times real time")
    for seconds in (3,) if options.quick else (3, 10, 60):
        source = np.resize(hello, seconds * swapper.sample_rate)
        row(
            f"{seconds} s",
            f"{seconds / quickest(lambda s=source: swapper.convert(s, goodbye)):.1f}",
        )


def measure_files(options: argparse.Namespace, until: float) -> None:
    """`convert_files` of many files in one process, their voice made beforehand."""
    swapper = VoiceSwapper.load(device=options.device)
    voice = swapper.voice(GOODBYE)
    row("rate", "files", "times real time")
    with in_memory() as folder:
        for number, rate in enumerate(options.rates):
            left = (until - time.perf_counter()) / (len(options.rates) - number)
            talks = write_talks(folder / str(rate), min(options.files, 320), rate)
            files = [FileConversion(x, voice, folder / f"{rate}-{x.name}") for x in talks]
            swapper.convert_files(files[: 2 * swapper.engine.batch_size])
            share, seconds = timed_share(partial(swapper.convert_files, files), left)
            speed = share * len(files) * SECONDS / seconds
            row(rate, f"{share * len(files):.0f}", f"{speed:.1f}")


def timed_share(work: Callable, seconds: float) -> tuple[float, float]:
    """Call work(progress=...) for so long at most: the share that was done, and seconds it took."""
    start = done_at = time.perf_counter()
    done = 0.0

    def progress(share: float) -> None:
        nonlocal done, done_at
        done, done_at = share, time.perf_counter()
        if done_at - start > seconds:
            raise TimeIsUpError

    try:
        work(progress=progress)
        return 1.0, time.perf_counter() - start
    except TimeIsUpError:
        return done, done_at - start


def measure_batch(options: argparse.Namespace, until: float) -> None:
    """`voiceswap batch` as it is by default; "converting" begins when the first file is done."""
    row("rate", "files done", "converting", "whole run")
    with in_memory() as folder:
        for number, rate in enumerate(options.rates):
            deadline = time.perf_counter()
            deadline += (until - deadline) / (len(options.rates) - number)
            write_talks(folder / str(rate), options.files, rate)
            updates: list[BatchProgress] = []

            def note(update: BatchProgress, updates=updates, deadline=deadline) -> None:
                updates.append(update)
                if time.perf_counter() > deadline:
                    raise TimeIsUpError

            inputs, out = folder / str(rate), folder / f"out-{rate}"
            try:
                report = convert_folder(
                    inputs, [GOODBYE], out, device=options.device, progress=note
                )
                for failed in report.failures:
                    row(rate, failed.error)
            except TimeIsUpError:
                pass
            last = updates[-1]
            first = next((u for u in updates if u.audio_seconds), last)
            audio, took = last.audio_seconds - first.audio_seconds, last.seconds - first.seconds
            speed = f"{audio / took:.1f}" if took else "none"
            row(rate, f"{last.done} of {last.files}", speed, f"{last.times_real_time:.1f}")


def measure_training(options: argparse.Namespace, until: float) -> None:
    """Steps of every stage of the default recipe on a tiny corpus."""
    from training import STAGES, corpus_data, measure, stage_task  # needs the extra

    batch_size, workers = (4, 0) if options.quick else (16, min(8, (os.cpu_count() or 2) - 1))
    row("stage", "precision", "steps/s", "waiting", "memory, GB")
    stages = {"vocoder": STAGES["vocoder"]} if options.quick else STAGES
    with tempfile.TemporaryDirectory() as folder:
        data, rows = {}, 2 * len(stages)
        for stage in stages:
            rate = 24000 if stage == "high-band" else 16000
            if rate not in data:
                data[rate] = corpus_data(Path(folder), rate, batch_size, workers)
            for precision in ("32", "bf16"):
                left = max(1.0, (until - time.perf_counter()) / rows)
                rows -= 1
                try:
                    task = stage_task(stage, data[rate])
                    result = measure(
                        task, data[rate], options.device, precision, warm_up=2, seconds=left / 2
                    )
                    row(stage, precision, *(f"{value:.2f}" for value in result))
                except Exception as error:  # the other stages are measured all the same
                    row(stage, precision, f"{type(error).__name__}: {error}")


@contextmanager
def in_memory() -> Iterator[Path]:
    """A folder whose files are in memory, where the machine has such."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as folder:
        yield Path(folder)


def write_talks(folder: Path, number: int, rate: int) -> list[Path]:
    """FLACs of one length in a new folder."""
    folder.mkdir()
    hello, own = soundfile.read(HELLO)
    hello = soxr.resample(hello, own, rate)
    paths = [folder / f"{i:05}.flac" for i in range(number)]
    for i, path in enumerate(paths):
        if i < DISTINCT:
            soundfile.write(path, np.resize(np.roll(hello, 997 * i), SECONDS * rate), rate)
        else:
            os.link(paths[i % DISTINCT], path)
    return paths


PARTS = {
    "tests": measure_tests,
    "conversion": measure_conversion,
    "files": measure_files,
    "batch": measure_batch,
    "stages": measure_stages,
    "voices": measure_voices,
    "training": measure_training,
}

if __name__ == "__main__":
    main()
