"""The frozen speaker verifier on the decoder's own log-mels, so that its opinion has a gradient."""

import torch.nn.functional as F
from torch import Tensor, nn

from voiceswap import frozen
from voiceswap.features import AudioConfig, LogMel


class MelVerifier(nn.Module):
    """Log-mels (batch, mels, frames) to unit vectors (batch, 256).

    The verifier was trained on other mels than the models make: 40 bins of power, from shorter windows. Each of our
    bins is spread over the linear frequencies it covers and gathered into the verifier's bins. The vectors
    come near those of its own mels, not onto them, so compare them with each other only.
    """

    def __init__(self, audio: AudioConfig):
        super().__init__()
        self.verifier = frozen.speaker_verifier()
        ours, theirs = LogMel(audio).mel.bank, self.verifier.mel.bank  # (bins, linear frequencies)
        up_to_8_khz = ours[:, : round(8000 * audio.n_fft / audio.sample_rate) + 1]
        covered = F.interpolate(up_to_8_khz[None], size=theirs.shape[1], mode="linear", align_corners=True)[0]
        share = covered / covered.sum(0).clamp(min=1e-6)
        self.register_buffer("gather", theirs @ (share / ours.sum(1, keepdim=True).clamp(min=1e-3).square()).T, persistent=False)
        self.gather: Tensor

    def forward(self, log_mel: Tensor) -> Tensor:
        power = self.gather @ (2 * log_mel.float()).exp()
        return self.verifier.embed_mel(power * (TYPICAL_POWER / power.mean((1, 2), keepdim=True)))


TYPICAL_POWER = 0.009  # mean of the verifier's own mels at its level
