"""`voiceswap train`: Lightning's own command line over a task and its data; one YAML is the object graph."""

import warnings

from lightning.pytorch.cli import LightningCLI

from voiceswap.training.autoencoder_task import AutoencoderTask
from voiceswap.training.data import SpeechData
from voiceswap.training.vocoder_task import VocoderTask

TASKS = {"autoencoder": AutoencoderTask, "vocoder": VocoderTask}


def train(network: str, arguments: list[str]) -> None:
    """Train "autoencoder" or "vocoder" as LightningCLI's `fit` does with `arguments`."""
    # Weights are saved after their step, which is what resuming needs; Lightning advises against it at length.
    warnings.filterwarnings("ignore", message="Using ModelCheckpoint with manual optimization")
    # The data module's state holds the position that Lightning misses in the loader.
    warnings.filterwarnings("ignore", message="You're resuming from a checkpoint that ended before the epoch ended")
    warnings.filterwarnings("ignore", message="LightningCLI's args parameter is intended to run from within Python")
    _TrainCLI(TASKS[network], SpeechData, args=["fit", *arguments], save_config_kwargs={"overwrite": True})


class _TrainCLI(LightningCLI):
    def add_arguments_to_parser(self, parser) -> None:
        # The data module is built first: what it caches is what the networks hear.
        parser.link_arguments("data", "model.audio", compute_fn=_audio, apply_on="instantiate")
        if self._model_class is AutoencoderTask:
            parser.link_arguments("data", "model.front_end", compute_fn=_front_end, apply_on="instantiate")


def _audio(data: SpeechData):
    return data.cache.config.audio


def _front_end(data: SpeechData) -> str:
    return data.cache.config.front_end
