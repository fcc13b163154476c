"""The vocoder alone: the ceiling of the sound's quality."""

import numpy as np
import torch

from voiceswap.conversion.engine import Engine
from voiceswap.conversion.output import output_length
from voiceswap.conversion.pitch import transfer_pitch
from voiceswap.conversion.recording import Recording
from voiceswap.conversion.voice import Voice, require_voice
from voiceswap.features import log_f0_statistics
from voiceswap.precision import inference


@inference
def copy_synthesis(engine: Engine, recording: Recording, voice: Voice | None = None) -> np.ndarray:
    """Samples (samples,) of the vocoder on a recording's own log-mel and F0.

    With a voice, the pitch is transferred to it.
    """
    f0 = torch.from_numpy(recording.f0)[None]
    if voice is not None:
        log_f0 = require_voice(voice).log_f0
        own = torch.tensor([log_f0_statistics(recording.f0)])
        f0 = transfer_pitch(f0, own, log_f0.cpu()[None])
    mel = engine.log_mel(torch.from_numpy(recording.samples())[None].to(engine.device))
    samples = engine.vocode(mel, f0.to(engine.device))[0].cpu().numpy()
    return samples[: output_length(recording, engine.output_audio)]
