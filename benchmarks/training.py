"""Steps per second of training, the share of time that it waits for data, and peak memory.

python benchmarks/training.py MANIFEST... [--network autoencoder] [--steps 50] [--device cpu]
    [--precision 32 bf16] [--compile]

Features are computed below --cache first; neither that nor the first steps of each row are timed.
The forward and backward pass and the optimiser are the task's own. Nothing is logged or saved.
"""

import argparse
import resource
import time
from pathlib import Path

import torch

from voiceswap.features import AudioConfig
from voiceswap.training.autoencoder_task import AutoencoderTask
from voiceswap.training.data import SpeechData
from voiceswap.training.vocoder_task import VocoderTask

WARM_UP = 5


def main() -> None:
    """Print a row for each precision."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("manifests", nargs="+", type=Path)
    parser.add_argument("--network", choices=("autoencoder", "vocoder"), default="autoencoder")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--views", type=int, default=5)
    parser.add_argument("--cache", default="data/cache")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--precision", nargs="+", choices=("32", "bf16"), default=["32", "bf16"])
    parser.add_argument(
        "--compile", action="store_true", help="also a row with torch.compile for each precision"
    )
    options = parser.parse_args()
    data = SpeechData(
        options.manifests,
        [],
        options.cache,
        AudioConfig(),
        views=options.views,
        batch_size=options.batch_size,
        workers=options.workers,
    )
    data.prepare_data()
    print("precision  compiled  steps per second  frames per second  waiting for data  peak memory")
    for compiled in (False, True) if options.compile else (False,):
        for precision in options.precision:
            steps, waited, memory = measure(options, data, precision, compiled)
            frames = steps * options.batch_size * data.frames
            setting = f"{precision:9s}  {'yes' if compiled else 'no':8s}"
            speed = f"{steps:16.2f}  {frames:17.0f}  {waited:16.1%}"
            print(f"{setting}  {speed}  {memory:8.2f} GB")


def measure(
    options: argparse.Namespace, data: SpeechData, precision: str, compiled: bool
) -> tuple[float, float, float]:
    """Steps per second, share of the time spent waiting for data, and peak memory in GB."""
    device = torch.device(options.device)
    torch.manual_seed(0)
    task = (AutoencoderTask if options.network == "autoencoder" else VocoderTask)(
        data.cache.config.audio
    ).to(device)
    pair = task.configure_optimizers()[0]
    task.optimizers = lambda: pair["optimizer"]
    task.lr_schedulers = lambda: pair["lr_scheduler"]["scheduler"]
    task.manual_backward = lambda loss: loss.backward()
    task.log_dict = lambda *_, **__: None
    if compiled:
        for part in getattr(task, options.network).children():
            part.compile()
    on_gpu = device.type == "cuda"
    if on_gpu:
        torch.cuda.reset_peak_memory_stats(device)
    batches, waiting = iter(data.train_dataloader()), 0.0
    for step in range(WARM_UP + options.steps):
        if step == WARM_UP:
            waiting, start = 0.0, now(device)
        before = time.perf_counter()
        batch = next(batches)
        waiting += time.perf_counter() - before
        batch = {name: tensor.to(device, non_blocking=True) for name, tensor in batch.items()}
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16"):
            task.training_step(batch, step)
        if on_gpu:
            # Otherwise queued work would hide the time of waiting for data.
            torch.cuda.synchronize(device)
    seconds = now(device) - start
    if on_gpu:
        peak = torch.cuda.max_memory_allocated(device)
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return options.steps / seconds, waiting / seconds, peak / 1e9


def now(device: torch.device) -> float:
    """The time in seconds, after all queued work of the device."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


if __name__ == "__main__":
    main()
