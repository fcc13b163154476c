"""Training of the autoencoder."""

import lightning
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from voiceswap.conversion.mel_statistics import apply_mel_affine
from voiceswap.errors import CheckpointError, TrainingError
from voiceswap.conversion.residuals import manner, recall
from voiceswap.features import F0_MAX, F0_MIN, AudioConfig
from voiceswap.models.gaussian import DiagonalGaussian
from voiceswap.models.layers import length_mask
from voiceswap.models.autoencoder import Autoencoder
from voiceswap.training import losses
from voiceswap.training.data import Item
from voiceswap.training.discriminators import MelDiscriminator
from voiceswap.training.export import describe, load_network
from voiceswap.training.perceptual_losses import SpeakerLoss, ContentLoss
from voiceswap.training.optimiser import alternate, optimiser_and_schedule
from voiceswap.training.distributed import all_gather, all_gather_posterior, sample_posterior

PITCH_RANGE = 1.5  # a voice can be asked for with a wider or a flatter intonation


class AutoencoderTask(lightning.LightningModule):
    """Minimises the negative evidence lower bound, a contrastive loss on voices and, if asked for, an adversarial loss.

    reconstruction (L1 of log-mels, mean over bins) + content_kl * KL_content (nats a frame) + speaker_kl *
    KL_speaker (nats a voice) + contrastive * InfoNCE + pitch * error of the typical pitch. KL weights grow from zero
    over `kl_warmup` steps. `initial` is a checkpoint to start from, or "default"; without one, `sizes` are those of
    `Autoencoder`. These losses are taken over the batch of all processes, the next over each process's own.

    With `verification` or `recognition` above zero, a quarter of every batch is also converted to other voices of the
    batch. The loss gains verification * (1 - cosine) between the frozen verifier's vectors of the result and of the voice
    asked for, and recognition * (1 - cosine), mean over frames, between the frozen recogniser's features of the result and
    of the words' own recording. Pitch moves as in conversions (`engine.transfer_pitch`) whose `pitch_range` is drawn between 1 /
    PITCH_RANGE and PITCH_RANGE. The result has got the voice's manner back (`voiceswap.conversion.residuals.manner`), as conversions
    do. With `vocoder`, a checkpoint or "default", both hear the sound that its vocoder makes of the result, not the mel
    spectrogram, so that the decoder learns to say what survives it; the vocoder stays as it is. With `adversarial` above
    zero the loss gains adversarial * hinge loss of a speaker-conditional mel discriminator + matching * feature matching.
    """

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
        adversarial: float = 0.0,
        matching: float = 0.2,
        learning_rate: float = 1e-3,
        steps: int = 10000,
        initial: str | None = None,
        vocoder: str | None = None,
        sizes: dict[str, int] | None = None,
    ):
        super().__init__()
        self.save_hyperparameters(ignore="audio")
        self.automatic_optimization = False
        self.audio = audio
        self.autoencoder = (
            load_network(initial, "autoencoder", audio)
            if initial
            else Autoencoder(audio, front_end, content_code=content_code, **(sizes or {}))
        )
        if self.autoencoder.front_end != front_end:
            raise CheckpointError(f"{initial} listens through {self.autoencoder.front_end}, not through data.front_end, {front_end}.")
        # In a dictionary, so that they are no part of the module, its checkpoints and its averages.
        self.listeners: dict[str, nn.Module] = {}
        if verification:
            self.listeners["verifier"] = SpeakerLoss(audio)
        if recognition:
            self.listeners["recogniser"] = ContentLoss(audio)
        if vocoder:
            if not self.listeners:
                raise TrainingError("Nobody hears model.vocoder: set model.verification or model.recognition above zero, or leave it out.")
            self.listeners["vocoder"] = load_network(vocoder, "vocoder", audio).eval().requires_grad_(False)
        if adversarial:
            self.judge = MelDiscriminator(self.autoencoder.speaker_encoder.mean.out_features)
        self.register_buffer("batches", torch.zeros((), dtype=torch.long))  # steps made: the KL warm-up's phase
        self.batches: Tensor

    def configure_optimizers(self):
        """AdamW with warm-up and cosine decay; a second pair for the judge."""
        networks: list[nn.Module] = [self.autoencoder] + ([self.judge] if self.hparams["adversarial"] else [])
        return [optimiser_and_schedule(network, self.hparams["learning_rate"], self.hparams["steps"]) for network in networks]

    def training_step(self, batch: Item, batch_idx: int) -> None:
        """One step of the judge, if there is one, and one of the autoencoder."""
        real, mask = batch["mel"], self._mask(batch)
        content, speaker, other = self._encode(batch)
        voice, words = sample_posterior(speaker), sample_posterior(content)
        rebuilt = self.autoencoder.decode(words, batch["f0"], batch["f0_statistics"], voice, mask)
        warmth = min(1.0, float(self.batches) / self.hparams["kl_warmup"])
        parts = {
            "reconstruction": losses.mean_where((all_gather(rebuilt) - all_gather(real)).abs(), all_gather(mask)),
            "content_kl": losses.kl_with_free_bits(all_gather_posterior(content), all_gather(self._content_mask(batch)), self.hparams["free_nats"]),
            "speaker_kl": losses.kl_with_free_bits(all_gather_posterior(speaker), free_nats=self.hparams["free_nats"]),
            "contrastive": losses.info_nce(all_gather(speaker.mean), all_gather(other.mean)),
            "pitch": self._pitch_error(all_gather(speaker.mean).detach(), all_gather(batch["f0_statistics"])),
        }
        weights = {
            "reconstruction": 1.0,
            "content_kl": warmth * self.hparams["content_kl"],
            "speaker_kl": warmth * self.hparams["speaker_kl"],
            "contrastive": self.hparams["contrastive"],
            "pitch": self.hparams["pitch"],
        }
        if self.hparams["verification"] or self.hparams["recognition"]:
            asked = self._misheard(batch, content, words, voice, rebuilt)
            parts |= asked
            weights |= {name: self.hparams[name] for name in asked}
        if self.hparams["adversarial"]:
            parts |= self._fool(batch, rebuilt, speaker.mean.detach())
            weights |= {"fooling": self.hparams["adversarial"], "matching": self.hparams["matching"]}
        loss = torch.stack([weights[name] * parts[name] for name in weights]).sum()
        alternate(self, self.autoencoder, loss, index=0)
        self.batches += 1
        self.log_dict({f"train/{name}": value for name, value in parts.items()}, prog_bar=True)

    def on_validation_model_zero_grad(self) -> None:
        """Keeps the gradients of a step that is half made: a validation may come between accumulated batches."""

    def on_save_checkpoint(self, checkpoint: dict) -> None:
        """Describes the network, for export."""
        checkpoint["voiceswap"] = {"autoencoder": describe(self.autoencoder, self.audio)}

    def validation_step(self, batch: Item, batch_idx: int) -> None:
        """Reconstruction from the codes' means."""
        mask = self._mask(batch)
        content, speaker, _ = self._encode(batch)
        rebuilt = self.autoencoder.decode(content.mode(), batch["f0"], batch["f0_statistics"], speaker.mode(), mask)
        self.log("validation/reconstruction", losses.mean_where((rebuilt - batch["mel"]).abs(), mask), prog_bar=True)

    def _encode(self, batch: Item) -> tuple[DiagonalGaussian, DiagonalGaussian, DiagonalGaussian]:
        """Posteriors of the content, of the voice from the reference, and of the voice from the segment itself."""
        model = self.autoencoder
        content = model.encode_content(batch["content"], self._content_mask(batch))
        reference = batch["reference_mel"]
        speaker = model.encode_speaker(reference, batch["reference_verifier"], length_mask(batch["reference_length"], reference.shape[-1]))
        other = model.encode_speaker(batch["mel"], batch["verifier"], self._mask(batch))
        return content, speaker, other

    def _pitch_error(self, code: Tensor, statistics: Tensor) -> Tensor:
        """Squared error of the typical pitch: of mean ln F0, and of the logarithm of its spread."""
        guess = self.autoencoder.speaker_encoder.predict_f0_statistics(code)
        return ((guess[:, 0] - statistics[:, 0]).square() + (guess[:, 1] / statistics[:, 1]).log().square()).mean()

    def _mask(self, batch: Item) -> Tensor:
        return length_mask(batch["length"], batch["mel"].shape[-1])

    def _content_mask(self, batch: Item) -> Tensor:
        return length_mask(-(-batch["length"] // self.autoencoder.stride), batch["content"].shape[-1])

    def _misheard(self, batch: Item, content: DiagonalGaussian, words: Tensor, voice: Tensor, rebuilt: Tensor) -> dict[str, Tensor]:
        """What frozen listeners miss in a quarter of the batch, converted to the next quarter's voices: of these, of the words."""
        quarter = len(words) // 4
        here, there = slice(0, quarter), slice(quarter, 2 * quarter)
        source, target = batch["f0_statistics"][here], batch["f0_statistics"][there]
        f0, mask = batch["f0"][here], self._mask(batch)[here]
        width = (target[:, 1:] / source[:, 1:]).sqrt() * PITCH_RANGE ** torch.empty_like(target[:, 1:]).uniform_(-1, 1)
        moved = target[:, :1] + (f0.clamp(min=1).log() - source[:, :1]) * width
        f0 = moved.exp().clamp(F0_MIN, F0_MAX) * (f0 > 0)
        converted = self.autoencoder.decode(words[here], f0, target, voice[there], mask)
        converted = self._in_manner(batch, converted, content.mode().detach(), rebuilt.detach()) * mask
        real, missed = batch["mel"], {}
        if vocoder := self.listeners.get("vocoder"):
            converted, real = vocoder.to(self.device)(converted, f0, mask), batch["samples"]
        if self.hparams["verification"]:
            verifier = self.listeners["verifier"].to(self.device)
            with torch.no_grad():
                asked = verifier(real[there])
            missed["verification"] = 1 - F.cosine_similarity(verifier(converted), asked).mean()
        if self.hparams["recognition"]:
            recogniser = self.listeners["recogniser"].to(self.device)
            with torch.no_grad():
                said = recogniser(real[here], mask)
            unlike = 1 - F.cosine_similarity(recogniser(converted, mask), said)
            missed["recognition"] = losses.mean_where(unlike[:, None], mask[..., ::2])
        return missed

    def _in_manner(self, batch: Item, converted: Tensor, content: Tensor, rebuilt: Tensor) -> Tensor:
        """A quarter of the batch, decoded in the next quarter's voices, with the manner of those: as a conversion ends."""
        given = []
        for i, mel in enumerate(converted):
            reference = i + len(converted)
            frames = int(batch["length"][reference])
            words = content[reference, :, : -(-frames // self.autoencoder.stride)].float()
            exemplars, calibration = manner(words, rebuilt[reference, :, :frames].float(), batch["mel"][reference, :, :frames])
            recalled = recall(exemplars, content[i].float(), mel.shape[-1])
            given.append(apply_mel_affine(mel.float() + recalled, calibration))
        return torch.stack(given)

    def _fool(self, batch: Item, rebuilt: Tensor, known: Tensor) -> dict[str, Tensor]:
        """Trains the judge, then tells what the autoencoder pays."""
        judged = losses.discriminator_loss(self.judge(batch["mel"], known)[0], self.judge(rebuilt.detach(), known)[0])
        alternate(self, self.judge, judged, index=1)
        self.judge.requires_grad_(False)
        scores, features = self.judge(rebuilt, known)
        _, real_features = self.judge(batch["mel"], known)
        self.judge.requires_grad_(True)
        return {
            "judge": judged.detach(),
            "fooling": losses.generator_loss(scores),
            "matching": losses.feature_matching_loss(real_features, features),
        }
