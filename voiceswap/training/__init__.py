"""Training: datasets, losses and the two Lightning modules. Needs the `train` extra."""

from functools import partial

from voiceswap import extras

needs_extra = partial(extras.needs_extra, "Training", "train")
