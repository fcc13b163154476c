"""Keeps a run from being lost."""

import logging
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback
from lightning.pytorch.callbacks import WeightAveraging
from lightning.pytorch.utilities.exceptions import SIGTERMException

from voiceswap.errors import TrainingError
from voiceswap.files import free_bytes

logger = logging.getLogger(__name__)

COPIES_OF_WEIGHTS = 4  # a checkpoint holds weights, their average, and two moments of the optimiser


class RunGuard(Callback):
    """Refuses to start over another run, or without room for checkpoints.

    SIGTERM saves a checkpoint, from which a run goes on exactly.
    """

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        """Check that no other run is in the folder, and that there is room for checkpoints."""
        keeper = trainer.checkpoint_callback
        if keeper is None:
            return
        last = _folder(trainer) / "last.ckpt"
        # Lightning would write last-v1.ckpt, and last.ckpt be taken for this run's.
        if last.exists() and trainer.ckpt_path is None:
            raise TrainingError(
                f"{last.parent} holds another run: go on with it by --ckpt_path {last}, or move it "
                "away."
            )
        one = COPIES_OF_WEIGHTS * sum(
            parameter.numel() * parameter.element_size() for parameter in pl_module.parameters()
        )
        count = max(getattr(keeper, "save_top_k", 1), 1) + 2
        free = free_bytes(_folder(trainer))
        if free < count * one:
            raise TrainingError(
                f"{count} checkpoints need about {count * one / 1e9:.1f} GB in {_folder(trainer)}, "
                f"where {free / 1e9:.1f} GB are free."
            )

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Mark the checkpoint resumed from as saved: saved again, it would hold half a step."""
        if trainer.checkpoint_callback is not None:
            trainer.checkpoint_callback._last_global_step_saved = trainer.global_step

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """Save a run that SIGTERM ends, after a step or, while validating, between batches."""
        if not isinstance(exception, SIGTERMException):
            return
        if trainer.validating:  # on the averaged weights: the trained ones come back first
            for callback in trainer.callbacks:
                if isinstance(callback, WeightAveraging):
                    callback.on_validation_epoch_end(trainer, pl_module)
        # No step has used the gradients of these batches.
        undone = trainer.datamodule.position % pl_module.accumulate
        trainer.datamodule.position -= undone
        pl_module.forget_batches(undone)
        path = _folder(trainer) / "last.ckpt"
        trainer.save_checkpoint(path)
        logger.warning(
            "Stopped by SIGTERM after step %d; to go on: --ckpt_path %s", trainer.global_step, path
        )


def _folder(trainer: Any) -> Path:
    return Path(getattr(trainer.checkpoint_callback, "dirpath", None) or trainer.default_root_dir)
