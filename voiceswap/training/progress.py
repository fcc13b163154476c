"""The progress bar of a run that is measured in steps."""

from typing import Any

from lightning.pytorch.callbacks import TQDMProgressBar


class StepProgressBar(TQDMProgressBar):
    """Counts batches up to `max_steps`, also after resuming and with two optimisers."""

    def __init__(self, accumulate: int):
        super().__init__()
        self.accumulate = accumulate  # batches a step

    def on_train_start(self, *arguments) -> None:
        """Set the bar where a run is resumed within an epoch, since Lightning starts none there."""
        super().on_train_start(*arguments)
        bar = self.train_progress_bar
        bar.total = self.total_train_batches
        bar.initial = bar.n = self.trainer.fit_loop.epoch_loop.batch_progress.current.completed

    def get_metrics(self, trainer: Any, pl_module: Any) -> dict[str, Any]:
        """What is logged, and the share of time that training waited for data."""
        waiting = f"{trainer.datamodule.waiting_share:.1%}"
        return super().get_metrics(trainer, pl_module) | {"waiting": waiting}

    @property
    def total_train_batches(self) -> int | float:
        """Batches of the whole run."""
        if self.trainer.max_steps < 0:
            return self.trainer.num_training_batches
        batches = self.trainer.max_steps / max(1, len(self.trainer.optimizers)) * self.accumulate
        return min(self.trainer.num_training_batches, int(batches))
