"""The frozen networks that judge speech, with a gradient: on the decoder's own log-mels, or on a vocoder's waveforms.

They were trained on other mels than the models make: of power, from shorter windows, in other bins. What they say of ours
comes near what they say of the sound, not onto it, so compare it with itself only.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchaudio.functional import resample

from voiceswap.models import pretrained
from voiceswap.features import AudioConfig, LogMel, MelSpectrogram
from voiceswap.models.front_ends import WhisperFrontEnd
from voiceswap.models.layers import instance_norm


class SpeakerLoss(nn.Module):
    """Who is heard: log-mels (batch, mels, frames), or waveforms (batch, samples), to unit vectors (batch, 256)."""

    def __init__(self, audio: AudioConfig):
        super().__init__()
        self.verifier = pretrained.speaker_verifier()
        self.power = _Power(audio, self.verifier.mel)

    def forward(self, speech: Tensor) -> Tensor:
        power = self.power(speech)
        return self.verifier.embed_mel(power * (TYPICAL_POWER / power.mean((1, 2), keepdim=True)))


class ContentLoss(nn.Module):
    """What is heard: log-mels (batch, mels, frames at 100 Hz), or waveforms, to Whisper's features (batch, 512, frames / 2).

    Instance-normed, since what stays the same in time says more of the voice than of the words. `mask` (batch, 1,
    frames) is one inside the recordings; at least one frame of each must be.
    """

    def __init__(self, audio: AudioConfig):
        super().__init__()
        encoder = pretrained.front_end("whisper-base", audio)
        assert isinstance(encoder, WhisperFrontEnd)
        self.encoder, self.power = encoder, _Power(audio, encoder.mel)

    def forward(self, speech: Tensor, mask: Tensor) -> Tensor:
        lengths = mask.sum((1, 2)).long() * self.encoder.hop_length
        heard = self.encoder.encode(self.power(speech).clamp(min=1e-10).log10(), lengths)
        return instance_norm(heard.float(), mask[..., ::2])


class _Power(nn.Module):
    """Our log-mels (batch, mels, frames) or waveforms (batch, samples) to another network's mel powers, (batch, its bins, frames).

    Each of our bins is spread over the linear frequencies it covers and gathered into the other's bins.
    """

    def __init__(self, audio: AudioConfig, theirs: MelSpectrogram):
        super().__init__()
        ours = LogMel(audio).mel
        up_to_8_khz = ours.bank[:, : round(8000 * audio.n_fft / audio.sample_rate) + 1]  # (bins, linear frequencies)
        covered = F.interpolate(up_to_8_khz[None], size=theirs.bank.shape[1], mode="linear", align_corners=True)[0]
        share = covered / covered.sum(0).clamp(min=1e-6)
        window = theirs.window.square().sum() / ours.window.square().sum()
        gather = window * theirs.bank @ (share / ours.bank.sum(1, keepdim=True).clamp(min=1e-3).square()).T
        self.register_buffer("gather", gather, persistent=False)
        self.gather: Tensor
        self.ours, self.theirs = ours, theirs

    def forward(self, speech: Tensor) -> Tensor:
        with torch.autocast(speech.device.type, enabled=False):
            if speech.ndim == 2:
                return self.theirs(resample(speech.float(), self.ours.sample_rate, self.theirs.sample_rate))
            return self.gather @ (2 * speech.float().clamp(max=LOUDEST)).exp()  # an untrained decoder's would overflow


LOUDEST = 10.0  # above any log-mel of speech
TYPICAL_POWER = 0.009  # mean of the verifier's own mels at its level
