"""A low-rank adapter (LoRA) of Whisper's encoder."""

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.func import functional_call

from voiceswap.errors import CheckpointError
from voiceswap.features import AudioConfig
from voiceswap.models import pretrained
from voiceswap.models.front_ends import WhisperFrontEnd

# Outputs and inputs of a transformer layer's matrices, in channels of the front end.
MATRICES = {
    "query_key_value": (3, 1),
    "attention_out": (1, 1),
    "feed_in": (4, 1),
    "feed_out": (1, 4),
}


class FrontEndAdapter(nn.Module):
    """Adds up @ down to every matrix of Whisper's layers (Hu et al., "LoRA", 2022).

    Args:
        audio: audio settings.
        front_end: name of the front end that is adapted: "whisper-base", or its first layers.
        rank: of the products.

    Raises:
        CheckpointError: the front end is not Whisper.
    """

    def __init__(self, audio: AudioConfig, front_end: str = "whisper-base", rank: int = 16):
        super().__init__()
        if not front_end.startswith("whisper-base"):
            raise CheckpointError(f"Only a Whisper front end can be adapted, not {front_end}.")
        self.audio = audio
        self.architecture: dict[str, Any] = {"front_end": front_end, "rank": rank}
        channels, _ = pretrained.front_end_shape(front_end, audio)
        self.changes = nn.ModuleList(
            nn.ModuleDict(
                {
                    name: _LowRank(outputs * channels, inputs * channels, rank)
                    for name, (outputs, inputs) in MATRICES.items()
                }
            )
            for _ in range(pretrained.whisper_layers(front_end))
        )

    def weights(self, front_end: WhisperFrontEnd) -> dict[str, Tensor]:
        """The adapted matrices of `front_end`, by name."""
        known, layers = dict(front_end.named_parameters()), cast(Any, self.changes)
        return {
            (name := f"layers.{i}.{matrix}.weight"): known[name] + change()
            for i, layer in enumerate(layers)
            for matrix, change in layer.items()
        }

    def adapted_front_end(self) -> WhisperFrontEnd:
        """The front end with adapted weights, without gradients, on the adapter's device."""
        network = cast(
            WhisperFrontEnd, pretrained.front_end(self.architecture["front_end"], self.audio)
        ).to(next(self.parameters()).device)
        network.load_state_dict(self.weights(network), strict=False)
        return network

    def features(
        self, front_end: WhisperFrontEnd, spectrum: Tensor, mask: Tensor | None, peak: Tensor
    ) -> Tensor:
        """Features (batch, channels, frames) of windows, to be trained; see `FrontEnd.window`."""
        changed = {f"front_end.{name}": weight for name, weight in self.weights(front_end).items()}
        return functional_call(_Window(front_end), changed, (spectrum, mask, peak))


class _LowRank(nn.Module):
    """A low-rank product (outputs, inputs), which is zero at first."""

    def __init__(self, outputs: int, inputs: int, rank: int):
        super().__init__()
        self.down = nn.Parameter(torch.empty(rank, inputs))
        nn.init.kaiming_uniform_(self.down, a=1)  # normal_ imports PyTorch's compiler on meta
        self.up = nn.Parameter(torch.zeros(outputs, rank))

    def forward(self) -> Tensor:
        return self.up @ self.down


class _Window(nn.Module):
    """`WhisperFrontEnd.window` as a module's call, as functional_call needs it."""

    def __init__(self, front_end: WhisperFrontEnd):
        super().__init__()
        self.front_end = front_end

    def forward(self, spectrum: Tensor, mask: Tensor | None, peak: Tensor) -> Tensor:
        return self.front_end.window(spectrum, mask, peak)
