"""Training: datasets, losses and a Lightning module for each network. Needs the `train` extra."""

from functools import partial

from voiceswap import extras

needs_extra = partial(extras.needs_extra, "Training", "train")
