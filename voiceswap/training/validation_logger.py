"""What can be seen and heard of a run while it trains: figures, mel pictures and recordings at every validation."""

from collections import Counter
from typing import Any

import matplotlib
import numpy as np
import torch.nn.functional as F
from lightning.pytorch import Callback
from lightning.pytorch.loggers import TensorBoardLogger, WandbLogger
from torch import Tensor

from voiceswap.errors import CheckpointError
from voiceswap.features import LogMel
from voiceswap.models.layers import length_mask
from voiceswap.training.data import Item
from voiceswap.training.export import load_network
from voiceswap.training.perceptual_losses import SpeakerLoss
from voiceswap.models.vocoder import griffin_lim

PROBED_SPEAKERS = 5


class ValidationLogger(Callback):
    """Logs, at every validation, to TensorBoard or Weights & Biases, whichever the trainer has.

    Of an autoencoder: KL of both codes in nats, without free bits; how well a linear probe reads who speaks from the
    content codes (needs scikit-learn); and `conversions` fixed conversions between validation voices as sound, as
    pictures of source, result and target's mel, and as SV, the verifier's cosine between result and target. Of a
    vocoder: the same of copy synthesis. SV is taken on mels (`SpeakerLoss`): compare it within a run only.

    `vocoder` is the checkpoint that conversions are heard through, "default" the one in the package; one for other
    audio settings is replaced by Griffin and Lim's method. Weights are the averaged ones, where a run averages.
    """

    def __init__(self, conversions: int = 4, vocoder: str = "default"):
        self.conversions, self.origin = conversions, vocoder
        self.codes: list[tuple[int, np.ndarray]] = []  # speaker and content correlations of each item validated

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        """Networks that are not trained stay out of the task, and so out of its checkpoints."""
        audio = pl_module.audio
        self.verifier = SpeakerLoss(audio).to(pl_module.device).eval()
        self.log_mel = LogMel(audio).to(pl_module.device)
        self.vocoder = None
        try:
            self.vocoder = load_network(self.origin, "vocoder", audio).to(pl_module.device).eval()
        except CheckpointError:
            if self.origin != "default":
                raise

    def on_validation_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Item, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        """Here and not at the end, so that averaged weights are still in place."""
        if trainer.sanity_checking:
            return
        shown = min(self.conversions, len(batch["mel"]) - 1)
        if hasattr(pl_module, "vocoder"):
            if batch_idx == 0 and shown > 0:
                self._copy_synthesis(trainer, pl_module, batch, shown)
            return
        content, speaker, _ = pl_module._encode(batch)
        mask = pl_module._content_mask(batch)
        seconds = mask.sum() * pl_module.autoencoder.stride / pl_module.audio.frame_rate
        pl_module.log("validation/content_kl_nats_a_second", (content.kl() * mask).sum() / seconds)
        pl_module.log("validation/speaker_kl_nats_a_voice", speaker.kl().sum(1).mean())
        data = trainer.datamodule
        first = batch_idx * data.batch_size
        for i, codes in enumerate(content.mode().float().cpu().numpy()):
            frames = int(mask[i].sum())
            correlations = np.nan_to_num(np.corrcoef(codes[:, :frames]))
            self.codes.append((data.validating.drawn(first + i)[0], correlations[np.triu_indices(len(correlations), 1)]))
        if batch_idx == 0 and shown > 0:
            self._convert(trainer, pl_module, batch, content.mode(), speaker.mode(), shown)

    def on_validation_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """The probe, over all validation items of the speakers that have most of them."""
        accuracy = self._probe()
        self.codes = []
        if accuracy is not None:
            pl_module.log("validation/speaker_probe_on_content", accuracy)

    def _probe(self) -> float | None:
        try:
            from voiceswap.evaluation.disentanglement import HELD_OUT, speaker_probe
        except ImportError:
            return None
        counts = Counter(speaker for speaker, _ in self.codes).most_common(PROBED_SPEAKERS)
        known = {speaker for speaker, count in counts if count >= 4}
        probed = [(speaker, codes) for speaker, codes in self.codes if speaker in known]
        if len(known) < 2 or HELD_OUT * len(probed) < len(known):
            return None
        try:
            return speaker_probe(np.stack([codes for _, codes in probed]), [str(speaker) for speaker, _ in probed])
        except ImportError:  # scikit-learn belongs to another extra
            return None

    def _convert(self, trainer: Any, task: Any, batch: Item, words: Tensor, voices: Tensor, shown: int) -> None:
        """The words of item i in the voice of item i + 1."""
        here, there = slice(0, shown), slice(1, shown + 1)
        source, target = batch["f0_statistics"][here], batch["f0_statistics"][there]
        f0 = batch["f0"][here]
        intonation = ((f0.clamp(min=1).log() - source[:, :1]) / source[:, 1:]).clamp(-4, 4)
        f0 = (target[:, :1] + intonation * target[:, 1:]).exp() * (f0 > 0)
        mask = length_mask(batch["length"][here], f0.shape[-1])
        mel = task.autoencoder.decode(words[here], f0, target, voices[there], mask).float()
        task.log("validation/sv", F.cosine_similarity(self.verifier(mel), self.verifier(batch["mel"][there])).mean())
        for i in range(shown):
            frames = int(batch["length"][i])
            picture = [batch["mel"][i, :, :frames], mel[i, :, :frames], batch["mel"][i + 1, :, :frames]]
            self._show(trainer, task, f"conversion {i + 1}", picture, self._sound(mel[i : i + 1, :, :frames], f0[i : i + 1, :frames], task))

    def _copy_synthesis(self, trainer: Any, task: Any, batch: Item, shown: int) -> None:
        made = task.vocoder(batch["mel"][:shown], batch["f0"][:shown]).float()
        mel = self.log_mel(made)
        task.log("validation/sv", F.cosine_similarity(self.verifier(mel), self.verifier(batch["mel"][:shown])).mean())
        for i in range(shown):
            self._show(trainer, task, f"copy synthesis {i + 1}", [batch["mel"][i], mel[i]], made[i])

    def _sound(self, mel: Tensor, f0: Tensor, task: Any) -> Tensor:
        if self.vocoder is None:
            return griffin_lim(mel, self.log_mel.mel.bank, task.audio)[0]
        return self.vocoder(mel, f0)[0]

    def _show(self, trainer: Any, task: Any, name: str, mels: list[Tensor], samples: Tensor) -> None:
        """Mel pictures one above the other, low frequencies below, and the sound at its own level."""
        rows = [((mel.float() - mel.max() + 10) / 10).clamp(0, 1).flip(0).cpu().numpy() for mel in mels]
        picture = matplotlib.colormaps["magma"](np.concatenate(rows))[..., :3]
        sound = (samples.float() / samples.abs().max().clamp(min=1.0)).cpu()
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                logger.experiment.add_image(name, picture, trainer.global_step, dataformats="HWC")
                logger.experiment.add_audio(name, sound, trainer.global_step, task.audio.sample_rate)
            elif isinstance(logger, WandbLogger):
                logger.log_image(f"{name}, mel", [picture], trainer.global_step)
                logger.log_audio(name, [sound.numpy()], trainer.global_step, sample_rate=[task.audio.sample_rate])
