"""Steps per second of training, the share of time that it waits for data, and peak memory.

python benchmarks/training.py MANIFEST... [--stage autoencoder] [--steps 50] [--device cpu]
    [--precision 32 bf16] [--compile]

Features are computed below --cache first; neither that nor the first steps of each row are timed.
The forward and backward pass and the optimiser are the task's own. Nothing is logged or saved.
"""

import argparse
import math
import resource
import time
from pathlib import Path
from types import SimpleNamespace

import soundfile
import torch
from lightning.pytorch.plugins.precision import Precision

from voiceswap.examples import GOODBYE, HELLO
from voiceswap.features import AudioConfig
from voiceswap.training.autoencoder_task import AutoencoderTask
from voiceswap.training.base_task import BaseTask
from voiceswap.training.data import SpeechData
from voiceswap.training.denoiser_task import DenoiserTask
from voiceswap.training.front_end_task import FrontEndTask
from voiceswap.training.high_band_task import HighBandTask
from voiceswap.training.streaming_task import StreamingTask
from voiceswap.training.vocoder_task import VocoderTask

WARM_UP = 5
CONVERTED = {"verification": 0.4, "recognition": 1.0}
STAGES: dict[str, tuple[type[BaseTask], dict]] = {  # of the default recipe
    "autoencoder": (AutoencoderTask, {}),
    "vocoder": (VocoderTask, {}),
    "verified": (AutoencoderTask, CONVERTED),
    "adversarial": (VocoderTask, {"adversarial": 0.4, "seconds": 0.5, "decoded": "default"}),
    "through-vocoder": (AutoencoderTask, {**CONVERTED, "vocoder": "default"}),
    "high-band": (HighBandTask, {}),
    "front-end": (FrontEndTask, {}),
    "denoiser": (DenoiserTask, {}),
    "streaming": (StreamingTask, {}),
}


def main() -> None:
    """Print a row for each precision."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("manifests", nargs="+", type=Path)
    parser.add_argument("--stage", choices=STAGES, default="autoencoder")
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
        samples_rate=24000 if options.stage == "high-band" else None,
        views=options.views,
        batch_size=options.batch_size,
        workers=options.workers,
    )
    data.prepare_data()
    print("precision  compiled  steps per second  frames per second  waiting for data  peak memory")
    for compiled in (False, True) if options.compile else (False,):
        for precision in options.precision:
            task = stage_task(options.stage, data)
            if compiled:
                for part in getattr(task, task.network_name).children():
                    part.compile()
            steps, waited, memory = measure(task, data, options.device, precision, options.steps)
            frames = steps * options.batch_size * data.frames
            setting = f"{precision:9s}  {'yes' if compiled else 'no':8s}"
            speed = f"{steps:16.2f}  {frames:17.0f}  {waited:16.1%}"
            print(f"{setting}  {speed}  {memory:8.2f} GB")


def measure(
    task: BaseTask,
    data: SpeechData,
    device: str,
    precision: str,
    steps: int | None = None,
    seconds: float = math.inf,
    warm_up: int = WARM_UP,
) -> tuple[float, float, float]:
    """Steps a second, share of the time spent waiting for data, and peak memory in GB.

    It ends after `steps`, or when so many `seconds` are over.
    """
    prepare(task.to(device), data)
    kind = torch.device(device).type
    if kind == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    batches, waiting, start, step = iter(data.train_dataloader()), 0.0, 0.0, 0
    while steps is None or step < warm_up + steps:
        if step == warm_up:
            waiting, start = 0.0, now(kind)
        elif step > warm_up and now(kind) - start > seconds:
            break
        before = time.perf_counter()
        batch = next(batches)
        waiting += time.perf_counter() - before
        batch = {name: tensor.to(device, non_blocking=True) for name, tensor in batch.items()}
        with torch.autocast(kind, dtype=torch.bfloat16, enabled=precision == "bf16"):
            task.training_step(data.on_after_batch_transfer(batch, 0), step)
        now(kind)  # otherwise queued work would hide the time of waiting for data
        step += 1
    took = now(kind) - start
    if kind == "cuda":
        peak = torch.cuda.max_memory_allocated(device)
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return (step - warm_up) / took, waiting / took, peak / 1e9


def prepare(task: BaseTask, data: SpeechData) -> None:
    """Let a task step its optimisers, and the data add features, without Lightning's trainer."""
    data.trainer = SimpleNamespace(
        training=True, world_size=1, global_rank=0, precision_plugin=Precision()
    )
    pairs = task.configure_optimizers()
    optimisers = [pair["optimizer"] for pair in pairs]
    schedules = [pair["lr_scheduler"]["scheduler"] for pair in pairs]
    task.optimizers = lambda: optimisers
    task.lr_schedulers = lambda: schedules
    task.manual_backward = lambda loss: loss.backward()
    task.log_dict = lambda *_, **__: None


def stage_task(stage: str, data: SpeechData) -> BaseTask:
    """A stage's task, with new weights where the stage before would give them."""
    torch.manual_seed(0)
    kind, options = STAGES[stage]
    return kind(data.cache.config.audio, steps=1000, **options)


def corpus_data(folder: Path, rate: int, batch_size: int, workers: int) -> SpeechData:
    """Segments of six made-up speakers below `folder`, their samples at `rate` Hz."""
    from typer.testing import CliRunner

    from data_prep.__main__ import app

    if not (folder / "voices").exists():
        for speaker in range(6):
            wave, own = soundfile.read((HELLO, GOODBYE)[speaker % 2])
            (folder / f"voices/{speaker}").mkdir(parents=True)
            for take in range(2):
                speed = 1.0 + 0.04 * speaker + 0.02 * take
                path = folder / f"voices/{speaker}/{take}.flac"
                soundfile.write(path, wave, round(own * speed))
        arguments = ["speakers", str(folder / "voices"), str(folder / "manifests"), "--keep-pauses"]
        result = CliRunner().invoke(app, arguments)
        if result.exit_code:
            raise SystemExit(result.output)
    data = SpeechData(
        [folder / "manifests/speakers-train.jsonl.gz"],
        [],
        folder / f"cache-{rate}",
        AudioConfig(),
        samples_rate=rate,
        views=1,
        batch_size=batch_size,
        seconds=1.0,
        reference_seconds=1.2,
        workers=workers,
    )
    data.prepare_data()
    return data


def now(kind: str) -> float:
    """The time in seconds, after all queued work of a kind of device."""
    if kind == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


if __name__ == "__main__":
    main()
