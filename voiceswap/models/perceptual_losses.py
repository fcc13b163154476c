"""Perceptual losses of conversions: does it have the target's voice, and the source's content?

Pretrained networks embed the result, on the decoder's own log-mels or on a vocoder's waveforms.
They were trained on other mels: powers, from shorter windows, in other bins. What they give on ours
is near what they give on the sound, not equal to it, so both sides of a loss are embedded in the
same way.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchaudio.functional import resample

from voiceswap.features import AudioConfig, LogMel, MelSpectrogram
from voiceswap.models import pretrained
from voiceswap.models.cuda_graph import CudaGraph
from voiceswap.models.front_ends import WhisperFrontEnd
from voiceswap.models.layers import instance_norm, masked_mean

MAX_LOG_MEL = 10.0  # above any log-mel of speech
TYPICAL_POWER = 0.009  # mean of the verifier's own mels at its level


class SpeakerLoss(nn.Module):
    """1 - cosine between speaker vectors of conversions and of their targets.

    The loss itself is by a `CudaGraph`; no other thread may use the device when it is first taken.
    """

    def __init__(self, audio: AudioConfig):
        super().__init__()
        self.verifier = pretrained.speaker_verifier()
        # cuDNN computes an LSTM's gradients in training mode only. This network has no dropout, so
        # its output is the same; without cuDNN, each frame would be several kernel launches.
        self.verifier.lstm.train()
        self.power = _MelPower(audio, self.verifier.mel)
        self.embed_mel = CudaGraph(self.verifier.embed_mel)

    def embed(self, speech: Tensor) -> Tensor:
        """Unit vectors (batch, 256) of log-mels (batch, mels, frames) or of waveforms."""
        return self.verifier.embed_mel(self._at_its_level(speech))

    def forward(self, converted: Tensor, target: Tensor) -> Tensor:
        """The mean over a batch of conversions and of recordings of their target voices."""
        # In 16 bits a recurrent network would add up its rounding, for no time saved.
        with torch.autocast(converted.device.type, enabled=False):
            with torch.no_grad():
                wanted = self.embed_mel(self._at_its_level(target)).clone()  # a graph's own tensor
            vectors = self.embed_mel(self._at_its_level(converted))
            return 1 - F.cosine_similarity(vectors, wanted).mean()

    def _at_its_level(self, speech: Tensor) -> Tensor:
        """Mel powers (batch, 40, frames) of the verifier's, at the level that it knows."""
        power = self.power(speech)
        return power * (TYPICAL_POWER / power.mean((1, 2), keepdim=True))


class ContentLoss(nn.Module):
    """1 - cosine, frame by frame, between Whisper's features of conversions and of their sources.

    The features are instance-normed, since what stays the same in time is more of the voice than of
    the words. `mask` (batch, 1, frames) is one inside recordings; at least one frame of each
    must be.

    With `graph`, its network runs as a `CudaGraph`; no other thread may use the device when it is
    first taken.
    """

    def __init__(self, audio: AudioConfig, graph: bool = False):
        super().__init__()
        encoder = pretrained.front_end("whisper-base", audio)
        assert isinstance(encoder, WhisperFrontEnd)
        self.encoder, self.power = encoder, _MelPower(audio, encoder.mel)
        self.encode = CudaGraph(encoder.encode) if graph else encoder.encode

    def embed(self, speech: Tensor, mask: Tensor) -> Tensor:
        """Features (batch, 512, frames / 2) of log-mels (batch, mels, frames) or waveforms."""
        lengths = mask.sum((1, 2)).long() * self.encoder.hop_length
        features = self.encode(self.power(speech).clamp(min=1e-10).log10(), lengths)
        return instance_norm(features.float(), mask[..., ::2])

    def forward(self, converted: Tensor, source: Tensor, mask: Tensor) -> Tensor:
        """The mean over the frames of a batch of conversions and of their source recordings."""
        with torch.no_grad():
            wanted = self.embed(source, mask)
        unlike = 1 - F.cosine_similarity(self.embed(converted, mask), wanted)
        return masked_mean(unlike[:, None], mask[..., ::2])


class _MelPower(nn.Module):
    """Log-mels of ours, or waveforms, to another network's mel powers (batch, its bins, frames).

    Each of our bins is distributed over the linear frequencies it covers and gathered into the
    other's bins.
    """

    def __init__(self, audio: AudioConfig, theirs: MelSpectrogram):
        super().__init__()
        ours = LogMel(audio).mel
        up_to_8_khz = ours.filters[:, : round(8000 * audio.n_fft / audio.sample_rate) + 1]
        bins = theirs.filters.shape[1]
        covered = F.interpolate(up_to_8_khz[None], size=bins, mode="linear", align_corners=True)[0]
        share = covered / covered.sum(0).clamp(min=1e-6)
        energy = [mel.spectrogram.window.square().sum() for mel in (theirs, ours)]
        ours_power = ours.filters.sum(1, keepdim=True).clamp(min=1e-3).square()
        gather = energy[0] / energy[1] * theirs.filters @ (share / ours_power).T
        self.register_buffer("gather", gather, persistent=False)
        self.gather: Tensor
        self.sample_rates, self.theirs = (audio.sample_rate, theirs.sample_rate), theirs

    def forward(self, speech: Tensor) -> Tensor:
        with torch.autocast(speech.device.type, enabled=False):
            if speech.ndim == 2:
                return self.theirs(resample(speech.float(), *self.sample_rates))
            # An untrained decoder's log-mels would overflow.
            return self.gather @ (2 * speech.float().clamp(max=MAX_LOG_MEL)).exp()
