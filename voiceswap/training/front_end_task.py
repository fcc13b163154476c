"""Training of the front-end adapter, for speech in bad conditions."""

import torch
from torch import Tensor

from voiceswap.errors import TrainingError
from voiceswap.features import AudioConfig
from voiceswap.models import pretrained
from voiceswap.models.content_encoder import ContentEncoder
from voiceswap.models.front_end_adapter import FrontEndAdapter
from voiceswap.models.front_ends import WhisperFrontEnd
from voiceswap.models.layers import instance_norm, masked_mean
from voiceswap.training.base_task import BaseTask
from voiceswap.training.conversions import segment_mask
from voiceswap.training.degrade import degrade
from voiceswap.training.export import load_network
from voiceswap.training.segments import Item

LEVEL_ERROR_DB = 1.5  # standard deviation of what a noisy recording's level is off by


class FrontEndTask(BaseTask):
    """Trains an adapted Whisper to give the features of clean speech for degraded speech.

    The pretrained Whisper gives the clean ones, `degrade` makes degraded speech. Minimises the
    squared error of the content code + `unsure` * that of the posterior's log-variance + `matching`
    * that of the features, relative to their deviations. The content encoder is not trained, so
    decoders and voices stay valid.

    Args:
        audio: audio settings; the data module's.
        teacher: a checkpoint, or "default", with the autoencoder whose front end is adapted.
        initial: a checkpoint whose adapter to start from; None starts from zero.
        rank: of the adapter's products.
        unsure, matching: weights of the other losses.
        learning_rate: the highest; see `configure_optimizers`.
        steps: length of its schedule; None is trainer.max_steps.

    Raises:
        TrainingError: the autoencoder has another front end.
    """

    network_name = "front_end_adapter"

    def __init__(
        self,
        audio: AudioConfig,
        teacher: str = "default",
        initial: str | None = None,
        rank: int = 16,
        unsure: float = 0.3,
        matching: float = 0.1,
        learning_rate: float = 8e-4,
        steps: int | None = None,
    ):
        super().__init__(audio, learning_rate, steps)
        self.save_hyperparameters(ignore="audio")
        autoencoder = load_network(teacher, "autoencoder", audio)
        front_end = pretrained.front_end(autoencoder.front_end, audio)
        if not isinstance(front_end, WhisperFrontEnd):
            raise TrainingError(f"The autoencoder of {teacher} has no Whisper to adapt.")
        self.front_end_adapter: FrontEndAdapter = (
            load_network(initial, "front_end_adapter", audio)
            if initial
            else FrontEndAdapter(audio, autoencoder.front_end, rank)
        )
        encoder = autoencoder.content_encoder.eval().requires_grad_(False)
        self.fixed = {"content_encoder": encoder, "front_end": front_end}

    def training_step(self, batch: Item, batch_idx: int) -> None:
        """One step of the adapter."""
        self.minimise(self._losses(batch))

    def validation_step(self, batch: Item, batch_idx: int) -> None:
        """The code's error."""
        torch.manual_seed(batch_idx)
        self.log("validation/code", self._losses(batch)["code"], prog_bar=True)

    def _losses(self, batch: Item) -> dict[str, Tensor]:
        """The losses of a batch's segments."""
        encoder, front_end = self.fixed_here().values()
        mask = segment_mask(batch)
        inside = mask[..., ::2]
        with torch.no_grad():
            features = front_end.window(*_seen(front_end, batch["samples"], mask)).float()
            code, log_variance = _code(encoder, features, inside)
            deviation = features.std((0, 2), keepdim=True)
        level = LEVEL_ERROR_DB / 20 * torch.randn(len(mask), 1, device=self.device)
        worse = 10**level * degrade(batch["samples"], self.audio.sample_rate)
        found = self.front_end_adapter.features(front_end, *_seen(front_end, worse, mask)).float()
        found_code, found_log_variance = _code(encoder, found, inside)
        errors = {
            "code": found_code - code,
            "unsure": found_log_variance - log_variance,
            "matching": (found - features) / deviation,
        }
        return {name: masked_mean(error.square(), inside) for name, error in errors.items()}


def _seen(
    front_end: WhisperFrontEnd, samples: Tensor, mask: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The spectra of segments, their mask and peaks, as `FrontEnd.window` takes them."""
    spectrum = front_end.spectrum(samples)
    return spectrum, mask, spectrum.masked_fill(mask == 0, -10.0).amax((1, 2))


def _code(encoder: ContentEncoder, features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Content code and log-variance of segments."""
    mean, log_variance = encoder.encode_unnormalized(features, mask)
    return instance_norm(mean.float(), mask), log_variance
