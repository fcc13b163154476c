"""torch.compile for training, as a callback to name in a config."""

from lightning.pytorch import Callback, LightningModule, Trainer


class Compile(Callback):
    """Compiles the networks in place before the first step: names of weights, and so checkpoints, stay as they are."""

    def __init__(self, mode: str = "default"):
        self.mode = mode

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Each part of a network by itself, since the tasks call the parts."""
        for network in pl_module.children():
            for part in network.children():
                part.compile(mode=self.mode)
