"""The training of an adaptation: a speaker code, and a small change of the decoder."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR

from voiceswap.adaptation.recordings import as_references
from voiceswap.adaptation.voice_features import Batch, RecordingFeatures, draw_batch
from voiceswap.conversion.core import Utterance, VoiceBatch, decode, extract_voice
from voiceswap.conversion.engine import Engine
from voiceswap.conversion.mel_statistics import speech_frames
from voiceswap.conversion.pitch import MAX_PITCH_RANGE, transfer_pitch
from voiceswap.conversion.voice import Voice, join_voices
from voiceswap.errors import VoiceswapError
from voiceswap.learning_rate import rate_share
from voiceswap.models.decoder_delta import DecoderDelta, new_delta
from voiceswap.models.layers import masked_mean
from voiceswap.models.perceptual_losses import ContentLoss, SpeakerLoss

BATCH = 8
CONVERTED = 2  # of a batch, at every second step
RANK = 8
VERIFICATION, RECOGNITION = 1.0, 2.0  # weights of the losses of conversions
RATE, CODE_RATE = 1e-3, 5e-3
WARMUP = 20
AVERAGE = 0.98  # decay of the running mean of weights
STRENGTH = 0.7  # how far to go from the weights before to the mean of those after


class Trainer:
    """Adapts the decoder to the voice of `recordings`.

    The loss is L1 of log-mels rebuilt from drawn content codes; at every second step also the
    losses of conversions, from the same words in another voice, through the vocoder. The weights
    are a running mean, taken STRENGTH of the way from those before (WiSE-FT: Wortsman et al.,
    2022), which keeps more of the sound. The change of matrices is of low rank (LoRA: Hu et al.,
    2022).

    A step depends on the seed, its number and the state alone, so a run that is resumed from
    `state_dict` is the same.
    """

    def __init__(
        self, engine: Engine, recordings: Sequence[RecordingFeatures], steps: int, seed: int = 0
    ):
        if engine.vocoder is None:
            raise VoiceswapError("A model without a vocoder can't be adapted.")
        self.engine, self.steps, self.seed, self.step = engine, steps, seed, 0
        self.vocoder = engine.vocoder.without_high_band()
        decoder = engine.autoencoder.decoder
        self.code = torch.stack([item.code for item in recordings]).mean(0)
        self.recordings = [_with_quiet_pauses(engine, item, self.code) for item in recordings]
        seconds = [item.mel.shape[-1] / engine.audio.frame_rate for item in recordings]
        self.references = as_references([item.encoded for item in recordings], seconds)
        start = new_delta(decoder, RANK, seed).to(engine.device)
        self.parameters = _parameters(self.code, start)
        self.mean = _parameters(self.code, start).requires_grad_(False)
        weights = [p for name, p in self.parameters.items() if name != "code"]
        groups = [
            {"params": [self.parameters["code"]], "lr": CODE_RATE},
            {"params": weights, "lr": RATE},
        ]
        fused = self.code.is_cuda or None  # a few kernels instead of some for every tensor
        self.optimiser = torch.optim.AdamW(groups, betas=(0.8, 0.98), weight_decay=0.0, fused=fused)
        self.schedule = LambdaLR(self.optimiser, lambda step: rate_share(step, steps, WARMUP))
        self.speaker_loss = SpeakerLoss(engine.audio).to(engine.device)
        self.content_loss = ContentLoss(engine.audio).to(engine.device)

    def train_step(self) -> dict[str, float]:
        """One step. Returns the parts of the loss. Raises VoiceswapError when it is not finite."""
        rng = np.random.default_rng((self.seed, self.step))
        batch = draw_batch(self.recordings, self.engine, BATCH, rng)
        delta, code = _delta(self.parameters), self.parameters["code"]
        codes = code.expand(len(batch.mel), -1)
        rebuilt = self.engine.autoencoder.decode(
            batch.drawn, batch.f0, batch.log_f0, codes, batch.mask, delta
        )
        parts = {"reconstruction": masked_mean((rebuilt - batch.mel).abs(), batch.mask)}
        loss = parts["reconstruction"]
        if self.step % 2 == 0:
            parts |= self._conversion_losses(batch, codes, delta, rng)
            loss = loss + VERIFICATION * parts["verification"] + RECOGNITION * parts["recognition"]
        if not torch.isfinite(loss):
            raise VoiceswapError(f"The loss became {loss.item()} at step {self.step}.")
        self.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters.parameters(), 1.0)
        self.optimiser.step()
        self.schedule.step()
        with torch.no_grad():
            keep = min(AVERAGE, (1 + self.step) / (10 + self.step))
            torch._foreach_lerp_([*self.mean.values()], [*self.parameters.values()], 1 - keep)
        self.step += 1
        return {name: value.item() for name, value in parts.items()}

    @torch.no_grad()
    def voice(self) -> Voice:
        """The voice as adapted so far."""
        code = self.code + STRENGTH * (self.mean["code"] - self.code)
        delta = _delta(self.mean)
        delta = DecoderDelta(
            _as_kept(delta.down), _as_kept(delta.up, STRENGTH), _as_kept(delta.added, STRENGTH)
        )
        voices = self.engine.embed(self.references, (code, delta))
        return replace(join_voices(voices), code=code, delta=delta)

    def state_dict(self) -> dict[str, Any]:
        """All that `load_state_dict` needs to go on from here."""
        return {
            "step": self.step,
            "parameters": self.parameters.state_dict(),
            "mean": self.mean.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.step = state["step"]
        for name in ("parameters", "mean", "optimiser", "schedule"):
            getattr(self, name).load_state_dict(state[name])

    def _conversion_losses(
        self, batch: Batch, codes: Tensor, delta: DecoderDelta, rng: np.random.Generator
    ) -> dict[str, Tensor]:
        """Losses of some segments' foreign content, converted as recordings are converted."""
        engine, first = self.engine, slice(0, CONVERTED)
        then = slice(CONVERTED, 2 * CONVERTED)  # other segments, as the references
        voices, _ = extract_voice(
            engine.autoencoder,
            Utterance(batch.own[then], batch.f0[then], batch.log_f0[then]),
            codes[then],
            batch.mel[then],
            batch.mask[then],
            delta,
        )
        log_f0, mask = batch.log_f0[first], batch.mask[first]
        drawn = MAX_PITCH_RANGE ** rng.uniform(-1, 1, (CONVERTED, 1)).astype(np.float32)
        pitch_range = torch.from_numpy(drawn).to(engine.device)
        f0 = transfer_pitch(batch.f0[first], log_f0, log_f0, pitch_range)
        target = VoiceBatch(
            codes[first], log_f0, voices.mel_affine, voices.residuals, (delta,) * CONVERTED
        )
        mel = decode(engine.autoencoder, batch.foreign[first], f0, target, mask)
        wave, natural = self.vocoder(mel, f0, mask), batch.samples[first]
        wanted = F.normalize(self.speaker_loss.embed(batch.samples).mean(0), dim=0)
        similarity = F.cosine_similarity(self.speaker_loss.embed(wave), wanted.detach()[None])
        return {
            "verification": 1 - similarity.mean(),
            "recognition": self.content_loss(wave, natural, mask),
        }


def _parameters(code: Tensor, delta: DecoderDelta) -> nn.ParameterDict:
    tensors = {"code": code, **delta.tensors()}
    return nn.ParameterDict(
        {k.replace(".", "/"): nn.Parameter(x.clone()) for k, x in tensors.items()}
    )


def _delta(parameters: nn.ParameterDict) -> DecoderDelta:
    parts: dict[str, dict[str, Tensor]] = {"down": {}, "up": {}, "added": {}}
    for key, value in parameters.items():
        part, _, name = key.partition("/")
        if part in parts:
            parts[part][name.replace("/", ".")] = value
    return DecoderDelta(**parts)


def _as_kept(values: Mapping[str, Tensor], strength: float = 1.0) -> dict[str, Tensor]:
    """Scaled, and rounded to half precision, as files keep them: a saved voice is the same."""
    return {name: (strength * value).half().float() for name, value in values.items()}


@torch.no_grad()
def _with_quiet_pauses(engine: Engine, item: RecordingFeatures, code: Tensor) -> RecordingFeatures:
    """The recording with pauses as decoded, or as recorded where that is quieter.

    A recording's noise is not the voice, and would be learned.
    """
    decoded = engine.autoencoder.decode(
        item.content[:1], item.f0[None], item.log_f0[None], code[None]
    )[0]
    quiet = torch.minimum(item.mel, decoded)
    mel = torch.where(speech_frames(item.mel[None])[0], item.mel, quiet)
    return replace(item, mel=mel)
