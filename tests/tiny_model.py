"""A model that is small enough for tests of what goes on around one."""

from pathlib import Path

import torch

from voiceswap.features import AudioConfig
from voiceswap.models.autoencoder import Autoencoder
from voiceswap.models.checkpoint import Checkpoint, save_checkpoint
from voiceswap.models.vocoder import SourceFilterVocoder


def save_tiny_model(folder: Path) -> Path:
    """Save a small, fast, untrained model. Returns its file."""
    torch.manual_seed(0)
    audio = AudioConfig()
    autoencoder = Autoencoder(audio, "mel", decoder_blocks=1)
    checkpoint = Checkpoint(autoencoder, SourceFilterVocoder(audio, blocks=1))
    return save_checkpoint(folder / "tiny.safetensors", checkpoint)
