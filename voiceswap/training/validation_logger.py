"""Logs a run at every validation: metrics, mel plots and sound."""

from collections import Counter
from typing import Any

import matplotlib
import numpy as np
import torch.nn.functional as F
from lightning.pytorch import Callback
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor
from torchaudio.functional import resample

from voiceswap.errors import CheckpointError, TrainingError
from voiceswap.evaluation.disentanglement import HELD_OUT, channel_correlations, speaker_probe
from voiceswap.features import LogMel
from voiceswap.models.griffin_lim import griffin_lim
from voiceswap.models.perceptual_losses import SpeakerLoss
from voiceswap.training.conversions import (
    content_mask,
    convert_segments,
    encode,
    segment_mask,
    segment_voices,
    with_silence,
)
from voiceswap.training.export import load_network
from voiceswap.training.segments import Item

PROBED_SPEAKERS = 5


class ValidationLogger(Callback):
    """Logs to TensorBoard at every validation, with averaged weights where a run averages.

    Of an autoencoder: KL of both codes in nats, without free bits; the accuracy of a linear probe
    that reads the speaker from content codes (needs scikit-learn); and fixed conversions between
    validation voices, made as recordings are converted, as sound, as mel plots of source, result
    and target, and as SV, the verifier's cosine between result and target. Of a vocoder: the same
    of copy synthesis. SV is taken on mels (`SpeakerLoss.embed`): compare it within a run only.

    Args:
        conversions: how many conversions to log.
        vocoder: the checkpoint that conversions are synthesized by; Griffin-Lim where "default",
            the one in the package, has other audio settings.
    """

    def __init__(self, conversions: int = 4, vocoder: str = "default"):
        self.conversions, self.origin = conversions, vocoder
        # Speaker and correlations of the content code, of each item validated.
        self.codes: list[tuple[int, np.ndarray]] = []

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        """Networks that are not trained stay out of the task, and so out of its checkpoints.

        Raises TrainingError for a task that trains neither an autoencoder nor a vocoder.
        """
        if pl_module.network_name not in ("autoencoder", "vocoder"):
            raise TrainingError(
                "ValidationLogger is for the training of an autoencoder or a vocoder; leave it out "
                "of trainer.callbacks."
            )
        audio = pl_module.audio
        self.speaker_loss = SpeakerLoss(audio).to(pl_module.device)
        self.log_mel = LogMel(audio).to(pl_module.device)
        self.vocoder = None
        try:
            vocoder = load_network(self.origin, "vocoder", audio).without_high_band()
            self.vocoder = vocoder.to(pl_module.device).eval()
        except CheckpointError:
            if self.origin != "default":
                raise

    def on_validation_batch_end(
        self,
        trainer: Any,
        pl_module: Any,
        outputs: Any,
        batch: Item,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Here and not at the end, so that averaged weights are still in place."""
        if trainer.sanity_checking:
            return
        shown = min(self.conversions, len(batch["mel"]) - 1)
        if hasattr(pl_module, "vocoder"):
            if batch_idx == 0 and shown > 0:
                self._copy_synthesis(trainer, pl_module, batch, shown)
            return
        content, speaker, _ = encode(pl_module.autoencoder, batch)
        mask = content_mask(batch, pl_module.autoencoder.stride)
        seconds = mask.sum() * pl_module.autoencoder.stride / pl_module.audio.frame_rate
        pl_module.log("validation/content_kl_nats_a_second", (content.kl() * mask).sum() / seconds)
        pl_module.log("validation/speaker_kl_nats_a_voice", speaker.kl().sum(1).mean())
        data = trainer.datamodule
        first = batch_idx * data.batch_size
        for i, codes in enumerate(content.mode().float().cpu().numpy()):
            person, frames = data.validating.drawn(first + i)[0], int(mask[i].sum())
            self.codes.append((person, channel_correlations(codes[:, :frames].T)))
        if batch_idx == 0 and shown > 0:
            self._convert(trainer, pl_module, batch, content.mode(), speaker.mode(), shown)

    def on_validation_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """The probe, over all validation items of the speakers that have most of them."""
        accuracy = self._probe()
        self.codes = []
        if accuracy is not None:
            pl_module.log("validation/speaker_probe_on_content", accuracy)

    def _probe(self) -> float | None:
        counts = Counter(speaker for speaker, _ in self.codes).most_common(PROBED_SPEAKERS)
        known = {speaker for speaker, count in counts if count >= 4}
        probed = [(speaker, codes) for speaker, codes in self.codes if speaker in known]
        if len(known) < 2 or HELD_OUT * len(probed) < len(known):
            return None
        try:
            return speaker_probe(
                np.stack([codes for _, codes in probed]), [str(speaker) for speaker, _ in probed]
            )
        except ImportError:  # scikit-learn belongs to another extra
            return None

    def _convert(
        self, trainer: Any, task: Any, batch: Item, content: Tensor, codes: Tensor, shown: int
    ) -> None:
        """The content of item i in the voice of item i + 1."""
        sources, targets = slice(0, shown), slice(1, shown + 1)
        voices = segment_voices(task.autoencoder, batch, content, codes, targets)
        mel, f0 = convert_segments(task.autoencoder, batch, content, voices, sources)
        masks = segment_mask(batch)
        made, wanted = (
            self.speaker_loss.embed(with_silence(x, masks[items], task.audio))
            for x, items in ((mel, sources), (batch["mel"][targets], targets))
        )
        similarity = F.cosine_similarity(made, wanted)
        task.log("validation/sv", similarity.mean())
        for i in range(shown):
            frames = int(batch["length"][i])
            mels = [
                batch["mel"][i, :, :frames],
                mel[i, :, :frames],
                batch["mel"][i + 1, :, :frames],
            ]
            sound = self._synthesize(mel[i : i + 1, :, :frames], f0[i : i + 1, :frames], task)
            self._show(trainer, f"conversion {i + 1}", mels, sound, task.audio.sample_rate)

    def _copy_synthesis(self, trainer: Any, task: Any, batch: Item, shown: int) -> None:
        mask = segment_mask(batch)[:shown]
        made = task.vocoder(batch["mel"][:shown], batch["f0"][:shown], mask).float()
        made_rate = task.vocoder.output_audio.sample_rate
        mel = self.log_mel(resample(made, made_rate, task.audio.sample_rate))
        wanted = self.speaker_loss.embed(with_silence(batch["mel"][:shown], mask, task.audio))
        similarity = F.cosine_similarity(self.speaker_loss.embed(mel), wanted)
        task.log("validation/sv", similarity.mean())
        for i in range(shown):
            mels = [batch["mel"][i], mel[i]]
            self._show(trainer, f"copy synthesis {i + 1}", mels, made[i], made_rate)

    def _synthesize(self, mel: Tensor, f0: Tensor, task: Any) -> Tensor:
        if self.vocoder is None:
            return griffin_lim(mel, task.audio)[0]
        return self.vocoder(mel, f0)[0]

    def _show(
        self, trainer: Any, name: str, mels: list[Tensor], samples: Tensor, rate: int
    ) -> None:
        """Mel plots one above the other, low frequencies below, and the sound at its own level."""
        rows = [((mel.float() - mel.max() + 10) / 10).clamp(0, 1).flip(0) for mel in mels]
        stacked = np.concatenate([row.cpu().numpy() for row in rows])
        picture = matplotlib.colormaps["magma"](stacked)[..., :3]
        sound = (samples.float() / samples.abs().max().clamp(min=1.0)).cpu()
        step = trainer.global_step
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                logger.experiment.add_image(name, picture, step, dataformats="HWC")
                logger.experiment.add_audio(name, sound, step, rate)
