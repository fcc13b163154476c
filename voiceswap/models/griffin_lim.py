"""Waveforms of log-mels without a vocoder."""

import torch
import torch.nn.functional as F
import torchaudio.functional
from torch import Tensor

from voiceswap.features import AudioConfig, mel_filters

ITERATIONS = 60


@torch.inference_mode()
def griffin_lim(log_mel: Tensor, config: AudioConfig) -> Tensor:
    """Waveforms (batch, frames * hop) of log-mels without a vocoder: intelligible, not natural.

    Griffin and Lim (1984) with momentum (Perraudin et al., 2013), from phase zero, so that the
    result is always the same.
    """
    filters = mel_filters(config).to(log_mel.device)
    magnitude = (torch.linalg.pinv(filters) @ log_mel.exp()).clamp(min=0)
    return torchaudio.functional.griffinlim(
        F.pad(magnitude, (0, 1)),  # one frame more, so that the last hop is whole
        window=torch.hann_window(config.n_fft, device=log_mel.device),
        n_fft=config.n_fft,
        hop_length=config.hop_length,
        win_length=config.n_fft,
        power=1.0,
        n_iter=ITERATIONS,
        momentum=0.99,
        length=log_mel.shape[-1] * config.hop_length,
        rand_init=False,
    )
