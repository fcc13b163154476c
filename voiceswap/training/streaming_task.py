"""Training of the streaming encoder."""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from voiceswap.conversion.pitch import transfer_pitch
from voiceswap.conversion.source_statistics import PAUSE_BELOW_DB, TYPICAL_SECONDS
from voiceswap.errors import TrainingError
from voiceswap.features import AudioConfig
from voiceswap.models import pretrained
from voiceswap.models.autoencoder import Autoencoder
from voiceswap.models.front_ends import WhisperFrontEnd
from voiceswap.models.layers import instance_norm, length_mask, masked_mean
from voiceswap.models.streaming_encoder import StreamingEncoder
from voiceswap.training.base_task import BaseTask
from voiceswap.training.conversions import reference_speaker, segment_mask
from voiceswap.training.export import load_network
from voiceswap.training.segments import Item

FRAME_RATE = 50  # of the content code, Hz
SHORTEST, LONGEST = 0.4, 2.6  # seconds of a window
NEAREST, FARTHEST = 2, 44  # code frames from a window's end that streams take
LEVEL_ERROR_DB = 1.5  # standard deviation of what a stream's level is off by
SETTLED_WEIGHT = 8.0  # how much longer than the segment a stream has lasted, half of the time


@dataclass(frozen=True)
class Windows:
    """Windows of the segments `item` (windows,) of a batch.

    They begin at `first` (windows,) and are `size` long, in frames of the content code.
    """

    item: Tensor
    first: Tensor
    size: int

    def of(self, x: Tensor, scale: int = 1) -> Tensor:
        """The windows of x (batch, ..., frames * scale), (windows, ..., size * scale)."""
        at = scale * self.first[:, None] + torch.arange(scale * self.size, device=x.device)
        rows = x[self.item]
        return rows.gather(-1, at if x.ndim == 2 else at[:, None].expand(-1, x.shape[1], -1))

    @property
    def taken(self) -> Tensor:
        """One for the frames (size,) that streams take."""
        from_end = torch.arange(self.size - 1, -1, -1, device=self.first.device)
        return ((from_end >= NEAREST) & (from_end <= FARTHEST)).float()


class StreamingTask(BaseTask):
    """Teaches a window's end the code that the encoder finds with what follows.

    Minimises the squared error of the code + `decoded` * L1 of the log-mels decoded from it in
    another voice + `matching` * squared error of the front end's features. Statistics for instance
    norm are those of a stream: typical ones and the segment's up to the window's end, or, half of
    the time, up to its own.

    Args:
        audio: audio settings; the data module's.
        teacher: a checkpoint, or "default", with the autoencoder whose code is taught.
        initial: a checkpoint whose streaming encoder to start from; None starts from the teacher.
        rank: of the change of each of Whisper's matrices.
        windows: windows that are cut out of every segment.
        decoded, matching: weights of the other losses.
        learning_rate: the highest; see `configure_optimizers`.
        steps: length of its schedule; None is trainer.max_steps.
    """

    network_name = "streaming"

    def __init__(
        self,
        audio: AudioConfig,
        teacher: str = "default",
        initial: str | None = None,
        rank: int = 32,
        windows: int = 2,
        decoded: float = 1.0,
        matching: float = 0.1,
        learning_rate: float = 5e-4,
        steps: int | None = None,
    ):
        super().__init__(audio, learning_rate, steps)
        self.save_hyperparameters(ignore="audio")
        autoencoder: Autoencoder = load_network(teacher, "autoencoder", audio)
        front_end = pretrained.front_end(autoencoder.front_end, audio)
        if not isinstance(front_end, WhisperFrontEnd):
            raise TrainingError(
                f"The autoencoder of {teacher} has no Whisper, so it serves streams as it is."
            )
        if initial:
            self.streaming: StreamingEncoder = load_network(initial, "streaming", audio)
        else:
            own: dict[str, Any] = autoencoder.architecture
            sizes = {name: own[f"content_{name}"] for name in ("width", "blocks", "code")}
            self.streaming = StreamingEncoder(audio, autoencoder.front_end, rank=rank, **sizes)
            self.streaming.content_encoder.load_state_dict(autoencoder.content_encoder.state_dict())
        self.streaming.content_encoder.log_variance.requires_grad_(False)  # a stream uses means
        autoencoder.eval().requires_grad_(False)
        self.fixed = {"autoencoder": autoencoder, "front_end": front_end}

    def training_step(self, batch: Item, batch_idx: int) -> None:
        """One step of the streaming encoder."""
        seconds = float(torch.empty(()).uniform_(SHORTEST, LONGEST))
        self.minimise(self._losses(batch, seconds))

    def validation_step(self, batch: Item, batch_idx: int) -> None:
        """The code's error in windows of one length."""
        torch.manual_seed(batch_idx)
        self.log("validation/code", self._losses(batch, 2.0)["code"], prog_bar=True)

    def _losses(self, batch: Item, seconds: float) -> dict[str, Tensor]:
        """The losses of windows of so many seconds."""
        autoencoder, front_end = self.fixed_here().values()
        taught = self._teach(batch, autoencoder, front_end)
        windows = self._draw(batch, round(seconds * FRAME_RATE))
        item, end = windows.item, windows.first + windows.size - NEAREST
        settled = torch.rand(len(item), device=self.device) < 0.5
        end = torch.where(settled, taught["code"].shape[-1] - 1, end)
        weight = torch.where(settled, SETTLED_WEIGHT, 1.0)
        known = {
            name: _known(taught[name], taught["speech"], item, end, weight)
            for name in ("features", "mean")
        }
        level = LEVEL_ERROR_DB / 10 * torch.randn(len(item), device=self.device)
        wave = windows.of(batch["samples"], 2 * self.audio.hop_length)
        spectrum = front_end.spectrum(wave) + level[:, None, None]
        peak = taught["peak"][item, end] + level
        features = self.streaming.features(front_end, spectrum, None, peak).float()
        encoder = self.streaming.content_encoder
        mean, _ = encoder.encode_unnormalized(features, None, known["features"])
        code = instance_norm(mean.float(), None, known["mean"])
        inside = windows.taken * windows.of(taught["mask"])
        drift = (features - windows.of(taught["features"])) / taught["deviation"]
        parts = {
            "code": masked_mean((code - windows.of(taught["code"])).square(), inside),
            "matching": masked_mean(drift.square(), inside),
        }
        if self.hparams["decoded"]:
            error = self._decoding_error(batch, autoencoder, taught["code"], code, windows)
            parts["decoded"] = masked_mean(error, inside.repeat_interleave(2, -1))
        return parts

    @torch.no_grad()
    def _teach(
        self, batch: Item, autoencoder: Autoencoder, front_end: WhisperFrontEnd
    ) -> dict[str, Tensor]:
        """What the encoder finds in whole segments, and the peak up to each frame."""
        spectrum = front_end.spectrum(batch["samples"])
        mask = length_mask(batch["length"], spectrum.shape[-1])
        spectrum = spectrum.masked_fill(mask == 0, -10.0)
        peak = spectrum.amax(1).cummax(-1).values
        features = front_end.window(spectrum, mask, peak[:, -1]).float()
        mask = mask[..., ::2]
        mean, _ = autoencoder.content_encoder.encode_unnormalized(features, mask)
        mean = mean.float()
        power = F.avg_pool1d((10.0**spectrum).sum(1), 8, 1, padding=4)[:, None, :-1:2]
        usual = (power * mask).sum(-1, keepdim=True) / mask.sum(-1, keepdim=True).clamp(min=1)
        return {
            "features": features,
            "mean": mean,
            "code": instance_norm(mean, mask),
            "mask": mask,
            "speech": mask * (power > usual * 10 ** (-PAUSE_BELOW_DB / 10)),
            "peak": peak[:, 1::2],
            "deviation": features.std((0, 2), keepdim=True),
        }

    def _draw(self, batch: Item, size: int) -> Windows:
        """Windows at random places of segments."""
        count, frames = len(batch["samples"]), batch["mel"].shape[-1] // 2
        size = min(size, frames)
        item = torch.arange(count, device=self.device).repeat(self.hparams["windows"])
        last = (batch["length"][item] // 2 - size).clamp(0, frames - size)
        first = (torch.rand(len(item), device=self.device) * (last + 1)).long()
        return Windows(item, first, size)

    def _decoding_error(
        self, batch: Item, autoencoder: Autoencoder, taught: Tensor, code: Tensor, windows: Windows
    ) -> Tensor:
        """How far log-mels decoded from windows are from those of segments, in other voices."""
        with torch.no_grad():
            speaker = reference_speaker(autoencoder, batch).mode().roll(1, 0)
            target = batch["f0_statistics"].roll(1, 0)
            f0 = transfer_pitch(batch["f0"], batch["f0_statistics"], target)
            whole = autoencoder.decode(taught, f0, target, speaker, segment_mask(batch)).float()
        item, window_f0 = windows.item, windows.of(f0, 2)
        made = autoencoder.decode(code, window_f0, target[item], speaker[item]).float()
        return (made - windows.of(whole, 2)).abs()


def _known(
    x: Tensor, speech: Tensor, item: Tensor, end: Tensor, weight: Tensor
) -> tuple[Tensor, Tensor]:
    """What a stream knows of x (batch, channels, frames) at frames `end` (windows,).

    Its frames so far count `weight` (windows,) times, typical ones as TYPICAL_SECONDS of them.

    Returns:
        Mean and deviation, (windows, channels, 1) each.
    """
    both = torch.cat([x, x.square()], 1) * speech
    typical = both.sum((0, 2))[:, None] / speech.sum().clamp(min=1)
    at, weight, usual = end[:, None, None], weight[:, None, None], TYPICAL_SECONDS * FRAME_RATE
    so_far = both.cumsum(-1)[item].gather(-1, at.expand(-1, both.shape[1], 1))
    frames = speech.cumsum(-1)[item].gather(-1, at)
    mean, square = ((weight * so_far + usual * typical) / (weight * frames + usual)).chunk(2, 1)
    return mean, ((square - mean.square()).clamp(min=0) + 1e-5).sqrt()
