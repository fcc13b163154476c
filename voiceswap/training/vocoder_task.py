"""Training of the vocoder."""

import torch
from torch import Tensor

from voiceswap.conversion.core import decode
from voiceswap.features import AudioConfig
from voiceswap.models.vocoder import SourceFilterVocoder
from voiceswap.training import losses
from voiceswap.training.adversarial import AdversarialTask
from voiceswap.training.conversions import encode, segment_mask, segment_voices
from voiceswap.training.discriminators import WaveDiscriminator
from voiceswap.training.export import load_network
from voiceswap.training.segments import Item


class VocoderTask(AdversarialTask):
    """Minimises a multi-resolution STFT loss + `mel` * mel loss, and losses of discriminators.

    The waveform has the mel's rate. `HighBandTask` adds what lies above it afterwards.

    Args:
        audio: audio settings; the data module's.
        mel: weight of the mel loss.
        adversarial: weight of the generator's hinge loss; zero trains without discriminators.
        matching: weight of the feature-matching loss.
        seconds: length of the random crop of each segment that a step works on.
        learning_rate: the highest; see `configure_optimizers`.
        steps: length of its schedule; None is trainer.max_steps.
        initial: a checkpoint whose vocoder to start from, or "default"; None starts from nothing.
        decoded: a checkpoint whose autoencoder decodes half of every batch, as a conversion to the
            segment's own voice ends, so that the vocoder learns to repair what that loses.
        sizes: sizes of a new vocoder, by the names of `SourceFilterVocoder`.
    """

    network_name = "vocoder"

    def __init__(
        self,
        audio: AudioConfig,
        mel: float = 1.0,
        adversarial: float = 0.0,
        matching: float = 2.0,
        seconds: float = 1.0,
        learning_rate: float = 1e-3,
        steps: int | None = None,
        initial: str | None = None,
        decoded: str | None = None,
        sizes: dict[str, int] | None = None,
    ):
        super().__init__(audio, learning_rate, steps)
        self.save_hyperparameters(ignore="audio")
        self.vocoder = (
            load_network(initial, "vocoder", audio).without_high_band()
            if initial
            else SourceFilterVocoder(audio, **(sizes or {}))
        )
        self.mel_loss = losses.MelLoss(audio)
        if adversarial:
            self.discriminator = WaveDiscriminator()
        if decoded:
            network = load_network(decoded, "autoencoder", audio)
            self.fixed["autoencoder"] = network.eval().requires_grad_(False)
        self.crop = round(seconds * audio.frame_rate)

    def training_step(self, batch: Item, batch_idx: int) -> None:
        """One step of the discriminator, if there is one, and one of the vocoder."""
        mel, hop = self._input_mels(batch), self.audio.hop_length
        frames = self.random_crop(mel.shape[-1])
        real = batch["samples"][:, frames.start * hop : frames.stop * hop]
        mask = segment_mask(batch)[..., frames]
        made = self.vocoder(mel[..., frames], batch["f0"][:, frames], mask).float()
        parts = {"spectral": losses.spectral_loss(made, real), "mel": self.mel_loss(made, real)}
        self.minimise_against(made, real, parts)

    def validation_step(self, batch: Item, batch_idx: int) -> None:
        """Copy synthesis of validation speakers."""
        made = self.vocoder(batch["mel"], batch["f0"], segment_mask(batch)).float()
        spectral = losses.spectral_loss(made, batch["samples"])
        self.log("validation/spectral", spectral, prog_bar=True)

    @torch.no_grad()
    def _input_mels(self, batch: Item) -> Tensor:
        """Log-mels to synthesize from; with `decoded`, the first half of the batch is decoded."""
        mel = batch["mel"]
        model, half = self.fixed_here().get("autoencoder"), slice(0, len(mel) // 2)
        if model is None:
            return mel
        first = {name: tensor[half] for name, tensor in batch.items()}
        content, speaker, _ = encode(model, first)
        voices = segment_voices(model, first, content.mode(), speaker.mode(), slice(None))
        decoded = decode(
            model, content.mode(), first["f0"], voices, segment_mask(first), exclude_self=True
        )
        return torch.cat([decoded, mel[len(decoded) :]])
