"""Training of the vocoder."""

import lightning
import torch
from torch import Tensor, nn

from voiceswap.conversion.mel_statistics import apply_mel_affine, match_mel_statistics
from voiceswap.features import AudioConfig
from voiceswap.models.layers import length_mask
from voiceswap.models.autoencoder import Autoencoder
from voiceswap.training import losses
from voiceswap.training.data import Item
from voiceswap.training.discriminators import WaveDiscriminator
from voiceswap.training.export import describe, load_network
from voiceswap.training.optimiser import alternate, optimiser_and_schedule
from voiceswap.models.vocoder import SourceFilterVocoder


class VocoderTask(lightning.LightningModule):
    """Multi-resolution STFT loss + `mel` * mel loss and, if asked for, the losses of discriminators.

    These are `adversarial` * hinge loss + `matching` * feature matching.
    `initial` is a checkpoint whose vocoder to start from, or "default"; without one, `sizes` are those of
    `SourceFilterVocoder`. With `decoded`, a checkpoint, half of every batch is synthesised from what its autoencoder
    makes of the recording, so that the vocoder learns to repair that blur. Each step works on a random `seconds` of the
    segments that the data module serves.
    """

    def __init__(
        self,
        audio: AudioConfig,
        mel: float = 1.0,
        adversarial: float = 0.0,
        matching: float = 2.0,
        seconds: float = 1.0,
        learning_rate: float = 1e-3,
        steps: int = 10000,
        initial: str | None = None,
        decoded: str | None = None,
        sizes: dict[str, int] | None = None,
    ):
        super().__init__()
        self.save_hyperparameters(ignore="audio")
        self.automatic_optimization = False
        self.audio = audio
        self.vocoder = load_network(initial, "vocoder", audio) if initial else SourceFilterVocoder(audio, **(sizes or {}))
        self.mel_loss = losses.MelLoss(audio)
        if adversarial:
            self.judge = WaveDiscriminator()
        # In a list, so that it is no part of the module: it is frozen and has a file of its own.
        self.autoencoders: list[Autoencoder] = [load_network(decoded, "autoencoder", audio).eval().requires_grad_(False)] if decoded else []
        self.crop = round(seconds * audio.frame_rate)

    def configure_optimizers(self):
        """AdamW with warm-up and cosine decay; a second pair for the judge."""
        networks: list[nn.Module] = [self.vocoder] + ([self.judge] if self.hparams["adversarial"] else [])
        return [optimiser_and_schedule(network, self.hparams["learning_rate"], self.hparams["steps"]) for network in networks]

    def training_step(self, batch: Item, batch_idx: int) -> None:
        """One step of the judge, if there is one, and one of the vocoder."""
        mel = self._heard(batch)
        start = int(torch.randint(max(1, mel.shape[-1] - self.crop + 1), ()))
        frames = slice(start, start + self.crop)
        hop = self.audio.hop_length
        real = batch["samples"][:, frames.start * hop : frames.stop * hop]
        made = self.vocoder(mel[..., frames], batch["f0"][:, frames]).float()
        parts = {"spectral": losses.spectral_loss(made, real), "mel": self.mel_loss(made, real)}
        loss = parts["spectral"] + self.hparams["mel"] * parts["mel"]
        if self.hparams["adversarial"]:
            judged = losses.discriminator_loss(self.judge(real)[0], self.judge(made.detach())[0])
            alternate(self, self.judge, judged, index=1)
            self.judge.requires_grad_(False)
            scores, features = self.judge(made)
            parts |= {
                "judge": judged.detach(),
                "fooling": losses.generator_loss(scores),
                "matching": losses.feature_matching_loss(self.judge(real)[1], features),
            }
            self.judge.requires_grad_(True)
            loss = loss + self.hparams["adversarial"] * parts["fooling"] + self.hparams["matching"] * parts["matching"]
        alternate(self, self.vocoder, loss, index=0)
        self.log_dict({f"train/{name}": value for name, value in parts.items()}, prog_bar=True)

    def on_validation_model_zero_grad(self) -> None:
        """Keeps the gradients of a step that is half made: a validation may come between accumulated batches."""

    def on_save_checkpoint(self, checkpoint: dict) -> None:
        """Describes the network, for export."""
        checkpoint["voiceswap"] = {"vocoder": describe(self.vocoder, self.audio)}

    def validation_step(self, batch: Item, batch_idx: int) -> None:
        """Copy synthesis of unheard speakers."""
        made = self.vocoder(batch["mel"], batch["f0"]).float()
        self.log("validation/spectral", losses.spectral_loss(made, batch["samples"]), prog_bar=True)

    @torch.no_grad()
    def _heard(self, batch: Item) -> Tensor:
        """The recordings' log-mels; with an autoencoder, the first half of the batch as it rebuilds them."""
        mel = batch["mel"]
        if not self.autoencoders:
            return mel
        model, half = self.autoencoders[0].to(mel.device), {name: tensor[: len(mel) // 2] for name, tensor in batch.items()}
        mask = length_mask(half["length"], mel.shape[-1])
        content_mask = length_mask(-(-half["length"] // model.stride), half["content"].shape[-1])
        reference = half["reference_mel"]
        speaker = model.encode_speaker(reference, half["reference_verifier"], length_mask(half["reference_length"], reference.shape[-1]))
        words = model.encode_content(half["content"], content_mask).mode()
        rebuilt = model.decode(words, half["f0"], half["f0_statistics"], speaker.mode(), mask).float()
        calibrated = [apply_mel_affine(made, match_mel_statistics(made, natural)) for made, natural in zip(rebuilt, half["mel"], strict=True)]
        return torch.cat([torch.stack(calibrated), mel[len(mel) // 2 :]])
