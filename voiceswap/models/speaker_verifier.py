"""A pretrained speaker-verification network, whose vector the speaker encoder is given."""

import torch.nn.functional as F
from torch import Tensor, nn

from voiceswap.features import MelSpectrogram
from voiceswap.precision import FastProducts


class SpeakerVerifier(FastProducts):
    """Waveforms to unit vectors (256,) that are similar for recordings of one speaker.

    The LSTM of Wan et al., "Generalized end-to-end loss for speaker verification" (2018), with the
    weights of Resemblyzer. 16 kHz; an utterance's vector is the mean over windows of 1.6 s, one
    every 0.4 s.
    """

    sample_rate, hop_length = 16000, 160  # of its mel
    frame_rate = sample_rate / hop_length
    size = 256
    window, step = 160, 40  # mel frames
    level_db = -30.0  # RMS level of the recordings that it was trained on

    def __init__(self) -> None:
        super().__init__()
        self.mel = MelSpectrogram(
            self.sample_rate, 400, self.hop_length, 40, 0.0, 8000.0, power=2.0, slaney=True
        )
        self.lstm = nn.LSTM(40, self.size, 3, batch_first=True)
        self.linear = nn.Linear(self.size, self.size)

    def embed_mel(self, mel: Tensor) -> Tensor:
        """Mel powers (batch, 40, frames) to unit vectors (batch, 256)."""
        with self.products():
            _, (hidden, _) = self.lstm(mel.transpose(1, 2))
        return F.normalize(F.relu(self.linear(hidden[-1].float())), dim=-1)

    def windows(self, samples: Tensor) -> Tensor:
        """The vectors (windows, 256) of one recording (samples,); a short one is one window."""
        level = samples.square().mean().clamp(min=1e-12).sqrt()
        mel = self.mel((samples * 10 ** (self.level_db / 20) / level)[None])[0]
        if mel.shape[-1] < self.window:
            return self.embed_mel(mel[None])
        return self.embed_mel(mel.unfold(-1, self.window, self.step).permute(1, 0, 2))

    def forward(self, samples: Tensor) -> Tensor:
        """One recording (samples,) to its vector (256,)."""
        return mean_vector(self.windows(samples))


def mean_vector(windows: Tensor) -> Tensor:
    """The vectors (windows, 256) of a recording to its own (256,)."""
    return F.normalize(windows.mean(0), dim=-1)
