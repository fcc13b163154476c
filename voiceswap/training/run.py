"""`voiceswap train`: LightningCLI over a task and its data; one YAML is the object graph."""

import argparse
import warnings
from pathlib import Path
from typing import Any

from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import Trainer
from lightning.pytorch.cli import LightningCLI
from lightning.pytorch.strategies import DDPStrategy
from lightning.pytorch.utilities.exceptions import SIGTERMException
from lightning.pytorch.utilities.rank_zero import rank_zero_info

from voiceswap import precision
from voiceswap.errors import TrainingError, memory_is_full
from voiceswap.files import disk_is_full
from voiceswap.training.autoencoder_task import AutoencoderTask
from voiceswap.training.data import SpeechData
from voiceswap.training.denoiser_task import DenoiserTask
from voiceswap.training.export import read_training_checkpoint
from voiceswap.training.front_end_task import FrontEndTask
from voiceswap.training.held_lines import ShowLines, held_lines
from voiceswap.training.high_band_task import HighBandTask
from voiceswap.training.progress import StepProgressBar
from voiceswap.training.run_guard import RunGuard
from voiceswap.training.setting_ranges import ANY, require_ranges
from voiceswap.training.streaming_task import StreamingTask
from voiceswap.training.vocoder_task import VocoderTask
from voiceswap.transfer import find_device

TASKS = {
    "autoencoder": AutoencoderTask,
    "vocoder": VocoderTask,
    "high-band": HighBandTask,
    "front-end": FrontEndTask,
    "denoiser": DenoiserTask,
    "streaming": StreamingTask,
}
LONGEST_SENTENCE = 600


def train(network: str, arguments: list[str]) -> str:
    """Train one of TASKS as LightningCLI's `fit` does with `arguments`; gives the last checkpoint.

    Raises TrainingError, a sentence, for what a config or a disk can be blamed for. SIGTERM ends
    with status 143.
    """
    # Weights are saved after their step, which is what resuming needs; Lightning advises against it
    # at length.
    warnings.filterwarnings("ignore", message="Using ModelCheckpoint with manual optimization")
    # Either the run guard refuses that folder, or the run goes on there.
    warnings.filterwarnings("ignore", message="Checkpoint directory .* exists and is not empty")
    # The data module's state holds the position that Lightning misses in the loader.
    warnings.filterwarnings(
        "ignore", message="You're resuming from a checkpoint that ended before the epoch ended"
    )
    warnings.filterwarnings(
        "ignore", message="LightningCLI's args parameter is intended to run from within Python"
    )
    try:
        with held_lines():
            cli = TrainCLI(
                TASKS[network],
                SpeechData,
                args=["fit", *arguments],
                save_config_kwargs={"overwrite": True},
                parser_kwargs={"exit_on_error": False, "fit": {"exit_on_error": False}},
                # The data module deals out the batches to processes itself.
                trainer_defaults={"use_distributed_sampler": False, "callbacks": [ShowLines()]},
            )
        rank_zero_info(f"Waiting for data took {cli.datamodule.waiting_share:.1%} of the time.")
        return getattr(cli.trainer.checkpoint_callback, "last_model_path", "") or "LAST.ckpt"
    except SIGTERMException:
        raise SystemExit(143) from None
    except UnicodeDecodeError as error:
        raise TrainingError("A file that --config names is no text.") from error
    except (argparse.ArgumentError, MisconfigurationException, FileNotFoundError) as error:
        raise TrainingError(_sentence(error)) from error
    except Exception as error:
        if memory_is_full(error):
            raise TrainingError(
                "The device's memory is full; lower data.batch_size or data.seconds."
            ) from error
        if disk_is_full(error) or "No space left on device" in str(error):
            raise TrainingError(
                "The disk is full; what was saved before is whole, so make room and resume with "
                "--ckpt_path."
            ) from error
        if "loading state_dict" in str(error):
            raise TrainingError(
                f"The checkpoint does not fit this config: {_sentence(error)}"
            ) from error
        raise


class TrainCLI(LightningCLI):
    """A task, its data, and the trainer that brings them together, as a config has them."""

    def add_arguments_to_parser(self, parser) -> None:
        # The data module is built first: its settings are the networks'.
        parser.link_arguments("data", "model.audio", compute_fn=_audio, apply_on="instantiate")
        if self._model_class is AutoencoderTask:
            parser.link_arguments(
                "data", "model.front_end", compute_fn=_front_end, apply_on="instantiate"
            )

    def before_instantiate_classes(self) -> None:
        """Sizes, weights of losses and rates: no task has a use for one below zero."""
        for name, value in vars(self._get(self.config, "model").as_flat()).items():
            values = value.values() if isinstance(value, dict) else [value]
            numbers = [each for each in values if isinstance(each, int | float)]
            require_ranges("model", **{name: (numbers, 0, ANY)})

    def _parse_ckpt_path(self) -> None:
        """Lightning reads here the checkpoint to go on from, which may be some other file."""
        path = self.config.get("fit.ckpt_path")
        if path and Path(path).is_file():
            task: Any = self._model_class
            read_training_checkpoint(path, task.network_name)
        super()._parse_ckpt_path()

    def _instantiate_trainer(self, config, callbacks) -> Trainer:
        # Lightning can't accumulate when a task steps its optimisers itself; ours do it as they are
        # set here.
        batches = config.pop("accumulate_grad_batches", 1)
        if not isinstance(batches, int) or batches < 1:
            raise TrainingError(
                f"trainer.accumulate_grad_batches must be a number of batches from 1 on, not "
                f"{batches}."
            )
        self.model.accumulate = batches
        if config.get("accelerator", "auto") == "auto":  # Lightning would take a Mac's GPU
            config["accelerator"] = find_device("auto").type
        slow = config["accelerator"] == "cpu" and not precision.has_fast_bfloat16()
        if config.get("precision") == "bf16-mixed" and slow:
            config["precision"] = "32-true"
            rank_zero_info("This CPU is not quicker with bfloat16: training in 32 bits.")
        bar = [] if config.get("enable_progress_bar") is False else [StepProgressBar(batches)]
        trainer = super()._instantiate_trainer(config, [*callbacks, RunGuard(), *bar])
        if isinstance(trainer.strategy, DDPStrategy) and len(self.model.networks()) > 1:
            # Each backward pass is that of one network, and DDP would wait for the others'.
            trainer.strategy._ddp_kwargs["find_unused_parameters"] = True
        return trainer


def _audio(data: SpeechData):
    return data.cache.config.audio


def _front_end(data: SpeechData) -> str:
    return data.cache.config.front_end


def _sentence(error: Exception) -> str:
    """A library's message on one line."""
    text = " ".join(str(error).split()).rstrip(".!")
    return f"{text}." if len(text) <= LONGEST_SENTENCE else f"{text[:LONGEST_SENTENCE]} ..."
