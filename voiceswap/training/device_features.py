"""Front-end features made at every step on the training's device, in place of cached ones."""

import torch

from voiceswap.features import AudioConfig
from voiceswap.models import pretrained
from voiceswap.models.layers import length_mask
from voiceswap.training.perturb import perturb_powers
from voiceswap.training.segments import Item
from voiceswap.transfer import network_on


class DeviceFeatures:
    """Adds `content` to batches of segments that come with what is around them.

    Every step draws a view of its own, so there are as many as steps, and none takes room on disk.

    Args:
        name: the front end's.
        audio: the audio settings.
    """

    def __init__(self, name: str, audio: AudioConfig):
        self.front_end, self.audio = pretrained.front_end(name, audio), audio

    @torch.no_grad()
    def __call__(self, batch: Item, clean_share: float) -> Item:
        """The batch with `content` (batch, channels, frames / stride) for its `surrounded`.

        `clean_share` is the share of the segments that are not perturbed.
        """
        samples, length = batch["surrounded"], batch["surrounded_length"]
        front_end, stride = network_on(self.front_end, samples.device), self.front_end.stride
        with torch.autocast(samples.device.type, enabled=False):
            powers = front_end.powers(samples)
            if clean_share < 1:
                clean = torch.rand(len(samples), device=samples.device) < clean_share
                perturbed = perturb_powers(powers, self.audio.sample_rate)
                powers = torch.where(clean[:, None, None], powers, perturbed)
            spectrum = front_end.of_powers(powers)
        count = spectrum.shape[-1]
        recorded = length_mask(length, count)
        peak = spectrum.masked_fill(recorded == 0, -torch.inf).amax((1, 2))
        position = batch["surrounded_position"] // stride
        features = front_end.window(spectrum, recorded, peak, position).float()
        first, size = batch["surrounded_start"] // stride, batch["mel"].shape[-1] // stride
        at = (first[:, None] + torch.arange(size, device=first.device))[:, None]
        content = features.gather(-1, at.expand(-1, features.shape[1], -1))
        rest = {name: x for name, x in batch.items() if not name.startswith("surrounded")}
        inside = length_mask(-(-batch["length"] // stride), size)
        return rest | {"content": content * inside}
