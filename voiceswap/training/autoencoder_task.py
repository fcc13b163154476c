"""Training of the autoencoder."""

from typing import Any

import torch
from torch import Tensor

from voiceswap.conversion.pitch import MAX_PITCH_RANGE
from voiceswap.errors import CheckpointError, TrainingError
from voiceswap.features import AudioConfig
from voiceswap.models.autoencoder import Autoencoder
from voiceswap.models.gaussian import DiagonalGaussian
from voiceswap.models.layers import masked_mean
from voiceswap.models.perceptual_losses import ContentLoss, SpeakerLoss
from voiceswap.training import losses
from voiceswap.training.base_task import BaseTask
from voiceswap.training.conversions import (
    content_mask,
    convert_segments,
    encode,
    segment_mask,
    segment_voices,
    with_silence,
)
from voiceswap.training.distributed import all_gather, all_gather_posterior, sample_posterior
from voiceswap.training.export import load_network
from voiceswap.training.segments import Item

LOG_VARIANCE_DECAY = 0.99  # of the mean log-variance, from one batch to the next


class AutoencoderTask(BaseTask):
    """Minimises the negative evidence lower bound, a contrastive loss, and losses of conversions.

    The loss is reconstruction (L1 of log-mels, mean over bins) + content_kl * KL (nats a frame) +
    speaker_kl * KL (nats a voice) + contrastive * InfoNCE + pitch * error of the predicted F0
    statistics. These are taken over the batch of all processes, the next over each process's own.

    With `verification` or `recognition` above zero, a quarter of every batch is also converted to
    the voices of the next quarter, as recordings are converted, with a `pitch_range` drawn between
    1 / MAX_PITCH_RANGE and MAX_PITCH_RANGE. The loss gains verification * `SpeakerLoss` and
    recognition * `ContentLoss`.

    Args:
        audio: audio settings; the data module's.
        front_end: name of the content encoder's front end; the data module's.
        content_code: channels of the content code.
        content_kl, speaker_kl: weights of the codes' KL, reached over `kl_warmup` steps.
        free_nats: KL of a content channel that costs nothing more; see `losses.kl_with_free_bits`.
        kl_warmup: steps over which the KL weights rise from zero.
        contrastive, pitch, verification, recognition: weights of the other losses.
        learning_rate: the highest; see `configure_optimizers`.
        steps: length of its schedule; None is trainer.max_steps.
        initial: a checkpoint to start from, or "default"; None starts from nothing.
        vocoder: a checkpoint, or "default", whose vocoder the losses of conversions are taken
            through, so that the decoder learns what survives it; None takes them on log-mels.
            It is not trained.
        sizes: sizes of a new autoencoder, by the names of `Autoencoder`.
    """

    network_name = "autoencoder"

    def __init__(
        self,
        audio: AudioConfig,
        front_end: str = "whisper-base",
        content_code: int = 64,
        content_kl: float = 5e-4,
        speaker_kl: float = 2e-4,
        free_nats: float = 0.05,
        kl_warmup: int = 2000,
        contrastive: float = 0.1,
        pitch: float = 0.05,
        verification: float = 0.0,
        recognition: float = 0.0,
        learning_rate: float = 1e-3,
        steps: int | None = None,
        initial: str | None = None,
        vocoder: str | None = None,
        sizes: dict[str, int] | None = None,
    ):
        super().__init__(audio, learning_rate, steps)
        self.save_hyperparameters(ignore="audio")
        self.autoencoder = (
            load_network(initial, "autoencoder", audio)
            if initial
            else Autoencoder(audio, front_end, content_code=content_code, **(sizes or {}))
        )
        if self.autoencoder.front_end != front_end:
            raise CheckpointError(
                f"{initial} has the front end {self.autoencoder.front_end}, and data.front_end is "
                f"{front_end}."
            )
        if verification:
            self.fixed["verification"] = SpeakerLoss(audio)
        if recognition:
            self.fixed["recognition"] = ContentLoss(audio, graph=True)
        if vocoder:
            if not self.fixed:
                raise TrainingError(
                    "model.vocoder has no effect: set model.verification or model.recognition "
                    "above zero, or leave it out."
                )
            network = load_network(vocoder, "vocoder", audio)
            network = network.without_high_band()  # what takes the losses ends at 8 kHz
            self.fixed["vocoder"] = network.eval().requires_grad_(False)
        # The phase of the KL warm-up.
        self.register_buffer("batches", torch.zeros((), dtype=torch.long))
        self.batches: Tensor
        self.log_variance: Tensor | None = None  # mean of the content posterior's

    def training_step(self, batch: Item, batch_idx: int) -> None:
        """One step of the autoencoder."""
        mask = segment_mask(batch)
        content, speaker, own = encode(self.autoencoder, batch)
        code, content_code = sample_posterior(speaker), sample_posterior(content)
        rebuilt = self.autoencoder.decode(
            content_code, batch["f0"], batch["f0_statistics"], code, mask
        )
        error = (all_gather(rebuilt) - all_gather(batch["mel"])).abs()
        free_nats = self.hparams["free_nats"]
        frames = all_gather(content_mask(batch, self.autoencoder.stride))
        content_kl = losses.kl_with_free_bits(all_gather_posterior(content), frames, free_nats)
        speaker_kl = losses.kl_with_free_bits(all_gather_posterior(speaker), free_nats=free_nats)
        means, statistics = all_gather(speaker.mean), all_gather(batch["f0_statistics"])
        parts = {
            "reconstruction": masked_mean(error, all_gather(mask)),
            "content_kl": content_kl,
            "speaker_kl": speaker_kl,
            "contrastive": losses.info_nce(means, all_gather(own.mean)),
            "pitch": self._pitch_error(means.detach(), statistics),
        }
        warmth = (self.batches / self.hparams["kl_warmup"]).clamp(max=1)
        warmed = {name: warmth * self.hparams[name] for name in ("content_kl", "speaker_kl")}
        if self.hparams["verification"] or self.hparams["recognition"]:
            parts |= self._conversion_losses(batch, content, content_code, code)
        self.minimise(parts, **warmed)
        self.batches += 1
        self._remember(content, content_mask(batch, self.autoencoder.stride))

    def validation_step(self, batch: Item, batch_idx: int) -> None:
        """Reconstruction from the codes' means."""
        mask = segment_mask(batch)
        content, speaker, _ = encode(self.autoencoder, batch)
        rebuilt = self.autoencoder.decode(
            content.mode(), batch["f0"], batch["f0_statistics"], speaker.mode(), mask
        )
        error = masked_mean((rebuilt - batch["mel"]).abs(), mask)
        self.log("validation/reconstruction", error, prog_bar=True)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Describe the network, and how sure its content posterior is of speech."""
        super().on_save_checkpoint(checkpoint)
        if self.log_variance is not None:
            checkpoint["voiceswap"]["content_log_variance"] = self.log_variance.item()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on with what was measured before."""
        usual = checkpoint["voiceswap"].get("content_log_variance")
        self.log_variance = None if usual is None else torch.tensor(usual, device=self.device)

    def forget_batches(self, batches: int) -> None:
        """Undo the warm-up's progress by batches whose gradients no step has used."""
        self.batches -= batches

    def _remember(self, content: DiagonalGaussian, mask: Tensor) -> None:
        """Add a batch's mean log-variance of the content posterior to the running mean."""
        log_variance = masked_mean(content.log_variance.detach(), mask)
        if self.log_variance is None:
            self.log_variance = log_variance
        before = self.log_variance.to(log_variance)
        self.log_variance = torch.lerp(log_variance, before, LOG_VARIANCE_DECAY)

    def _pitch_error(self, code: Tensor, statistics: Tensor) -> Tensor:
        """Squared error of predicted F0 statistics: of the mean, and of the deviation's log."""
        predicted = self.autoencoder.speaker_encoder.predict_f0_statistics(code)
        mean = (predicted[:, 0] - statistics[:, 0]).square()
        return (mean + (predicted[:, 1] / statistics[:, 1]).log().square()).mean()

    def _conversion_losses(
        self, batch: Item, content: DiagonalGaussian, content_code: Tensor, code: Tensor
    ) -> dict[str, Tensor]:
        """The losses of a quarter of the batch, converted to the voices of the next quarter."""
        if len(code) < 2:
            raise TrainingError(
                "Conversions need two segments in a batch: set data.batch_size to 2 or more, or "
                "model.verification and model.recognition to 0."
            )
        quarter = max(1, len(code) // 4)
        sources, targets = slice(0, quarter), slice(quarter, 2 * quarter)
        pitch_range = MAX_PITCH_RANGE ** code.new_empty(quarter, 1).uniform_(-1, 1)
        voices = segment_voices(self.autoencoder, batch, content.mode(), code, targets)
        converted, f0 = convert_segments(
            self.autoencoder, batch, content_code, voices, sources, pitch_range
        )
        mask, natural = segment_mask(batch)[sources], batch["mel"]
        fixed = self.fixed_here()
        if "vocoder" in fixed:
            converted, natural = fixed["vocoder"](converted, f0, mask), batch["samples"]
        else:
            converted = with_silence(converted, mask, self.audio)
            natural = with_silence(natural, segment_mask(batch), self.audio)
        parts = {}
        if "verification" in fixed:
            parts["verification"] = fixed["verification"](converted, natural[targets])
        if "recognition" in fixed:
            parts["recognition"] = fixed["recognition"](converted, natural[sources], mask)
        return parts
