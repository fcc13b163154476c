"""VoiceSwapper: what a Python user holds."""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor

from voiceswap import frozen
from voiceswap.audio import active_level_db, prepare_audio, read_audio, set_level
from voiceswap.calibration import apply_calibration, calibrate
from voiceswap.checkpoint import Checkpoint, load_checkpoint
from voiceswap.errors import VoiceswapError
from voiceswap.features import F0_MAX, F0_MIN, LogMel, extract_f0, log_f0_statistics
from voiceswap.latent import DiagonalGaussian
from voiceswap.verifier import SpeakerVerifier
from voiceswap.vocoder import griffin_lim
from voiceswap.voice import Voice, blend

Recording = str | os.PathLike | np.ndarray | tuple[np.ndarray, int]


@dataclass(frozen=True)
class _Speech:
    """A recording as the models hear it, at the normal level."""

    samples: np.ndarray
    level_db: float  # of the recording as it came
    f0: np.ndarray
    mel: Tensor  # (1, mels, frames), on the model's device, as is all below
    content: DiagonalGaussian


class VoiceSwapper:
    """Puts any words into any voice.

    A recording is a path, an array at `sample_rate`, or a pair of array and rate; arrays are (samples,) or
    (channels, samples), floats with full scale at 1.0 or integers. Everything returned is float32 at `sample_rate`.
    Bad recordings raise AudioError. Nothing is changed by a call, so one object serves many threads; the same call
    gives the same samples.
    """

    def __init__(self, checkpoint: Checkpoint, device: str = "auto"):
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
        try:
            self.device = torch.device(device)
            torch.zeros(1, device=self.device)
        except (RuntimeError, AssertionError) as error:
            raise VoiceswapError(f"The device '{device}' can't be used here; try cpu.") from error
        self.card = checkpoint.card
        self.audio = checkpoint.audio
        self.sample_rate = self.audio.sample_rate
        self.autoencoder = checkpoint.autoencoder.to(self.device).eval()
        self.vocoder = checkpoint.vocoder.to(self.device).eval() if checkpoint.vocoder else None
        self.front_end = frozen.front_end(self.autoencoder.front_end, self.audio).to(self.device)
        self.verifier = frozen.speaker_verifier().to(self.device)
        self.log_mel = LogMel(self.audio).to(self.device)

    @classmethod
    def load(cls, checkpoint: str | os.PathLike = "default", device: str = "auto") -> "VoiceSwapper":
        """The model in the package, or the one in a file. `device`: auto, cpu, cuda, cuda:1, mps."""
        return cls(load_checkpoint(checkpoint), device)

    def swap(self, a: Recording, b: Recording) -> tuple[np.ndarray, np.ndarray]:
        """A's words in B's voice, and B's words in A's voice."""
        speech_a, speech_b = self._hear(a), self._hear(b)
        return self._speak(speech_a, self._embed(speech_b)), self._speak(speech_b, self._embed(speech_a))

    def convert(
        self,
        source: Recording,
        references: Recording | Voice | Sequence[Recording | Voice],
        pitch_shift: float = 0.0,
        strength: float = 1.0,
        seed: int | None = None,
    ) -> np.ndarray:
        """The words of `source` in the voice of `references`; as long and as loud as the source.

        Several references are averaged. `pitch_shift` is in semitones, above the voice's own pitch. `strength` is how
        far to go from the source's voice (0) to the references' (1). With a `seed` the content code is drawn from
        its posterior instead of taken at the mean: another reading of the same words.
        """
        speech = self._hear(source)
        voice = self.voice(references)
        if strength != 1.0:
            voice = self._embed(speech).toward(voice, strength)
        return self._speak(speech, voice, pitch_shift, seed)

    def reconstruct(self, audio: Recording) -> np.ndarray:
        """The recording through both codes and back, in its own voice."""
        speech = self._hear(audio)
        return self._speak(speech, self._embed(speech))

    def embed(self, audio: Recording) -> Voice:
        """The voice heard in a recording."""
        return self._embed(self._hear(audio))

    def voice(self, references: Recording | Voice | Sequence[Recording | Voice]) -> Voice:
        """The voice of one reference, or the average of several."""
        several = isinstance(references, (list, tuple)) and not _is_pair(references)
        items = list(cast(Sequence[Recording | Voice], references)) if several else [cast(Recording | Voice, references)]
        if not items:
            raise VoiceswapError("At least one reference is needed.")
        return blend([(item if isinstance(item, Voice) else self.embed(item), 1.0) for item in items])

    def blend(self, voices: Sequence[tuple[Voice | Recording, float]]) -> Voice:
        """A mix of voices by weight."""
        return blend([(self.voice(voice), weight) for voice, weight in voices])

    @torch.inference_mode()
    def sample(self, seed: int) -> Voice:
        """A voice that nobody has, drawn from the prior N(0, I)."""
        size = self.autoencoder.speaker_encoder.mean.out_features
        code = torch.randn(size, generator=torch.Generator().manual_seed(seed))
        log_f0 = self.autoencoder.speaker_encoder.typical_pitch(code[None].to(self.device))[0]
        nothing_missed = np.stack([np.ones(self.audio.n_mels, np.float32), np.zeros(self.audio.n_mels, np.float32)])
        return Voice(code.numpy(), log_f0.cpu().numpy(), nothing_missed)

    def content(self, audio: Recording) -> np.ndarray:
        """The content code's mean, (frames, code): what is said, for other tasks to use."""
        return self._hear(audio).content.mode()[0].T.cpu().numpy()

    @torch.inference_mode()
    def copy_synthesis(self, audio: Recording) -> np.ndarray:
        """The recording through its own mel spectrogram and the vocoder alone: the ceiling of the sound's quality."""
        speech = self._hear(audio)
        return self._restore(self._vocode(speech.mel, speech.f0), speech)

    @torch.inference_mode()
    def _hear(self, recording: Recording) -> _Speech:
        if isinstance(recording, (str, os.PathLike)):
            samples = read_audio(recording, self.sample_rate)
        else:
            array, rate = recording if _is_pair(recording) else (recording, self.sample_rate)
            samples = prepare_audio(np.asarray(array), rate, self.sample_rate)
        level = active_level_db(samples, self.sample_rate)
        samples = set_level(samples, self.sample_rate)
        wave = torch.from_numpy(samples)[None].to(self.device)
        content = self.autoencoder.encode_content(self.front_end(wave, torch.tensor([len(samples)], device=self.device)))
        return _Speech(samples, level, extract_f0(samples, self.audio), self.log_mel(wave), content)

    @torch.inference_mode()
    def _embed(self, speech: _Speech) -> Voice:
        at_16_khz = prepare_audio(speech.samples, self.sample_rate, SpeakerVerifier.sample_rate)
        known = self.verifier(torch.from_numpy(at_16_khz).to(self.device))[None]
        code = self.autoencoder.encode_speaker(speech.mel, known).mode()
        log_f0 = np.array(log_f0_statistics(speech.f0), np.float32)
        rebuilt = self._decode(speech.content.mode(), speech.f0, log_f0, code)
        calibration = calibrate(rebuilt[0], speech.mel[0])
        return Voice(code[0].cpu().numpy(), log_f0, calibration.cpu().numpy())

    @torch.inference_mode()
    def _speak(self, speech: _Speech, voice: Voice, pitch_shift: float = 0.0, seed: int | None = None) -> np.ndarray:
        content = speech.content
        words = content.mode() if seed is None else content.sample(torch.Generator().manual_seed(seed))
        log_f0 = voice.log_f0 + np.array([pitch_shift * SEMITONE, 0.0], np.float32)
        f0 = move_pitch(speech.f0, log_f0)
        mel = self._decode(words, f0, log_f0, torch.from_numpy(voice.code)[None].to(self.device))
        mel = apply_calibration(mel, torch.from_numpy(voice.calibration).to(self.device))
        return self._restore(self._vocode(mel, f0), speech)

    def _decode(self, words: Tensor, f0: np.ndarray, log_f0: np.ndarray, code: Tensor) -> Tensor:
        f0_, statistics = (torch.from_numpy(array)[None].to(self.device) for array in (f0, log_f0))
        return self.autoencoder.decode(words, f0_, statistics, code)

    def _vocode(self, mel: Tensor, f0: np.ndarray) -> np.ndarray:
        if self.vocoder is None:
            wave = griffin_lim(mel, self.log_mel.mel.bank, self.audio)
        else:
            wave = self.vocoder(mel, torch.from_numpy(f0)[None].to(self.device))
        return wave[0].cpu().numpy()

    def _restore(self, wave: np.ndarray, speech: _Speech) -> np.ndarray:
        """Length and level of the recording as it came."""
        return set_level(wave[: len(speech.samples)], self.sample_rate, speech.level_db)


SEMITONE = math.log(2) / 12


def move_pitch(f0: np.ndarray, log_f0: np.ndarray) -> np.ndarray:
    """An F0 contour in Hz (frames,) moved to a voice whose ln F0 has mean and spread `log_f0` (2,); 0 stays 0.

    The contour's spread becomes the geometric mean of both voices' spreads: wholly the target's would exaggerate what
    a short reference misjudges, wholly the source's would keep one of its habits.
    """
    mean, spread = log_f0_statistics(f0)
    width = math.sqrt(log_f0[1] / spread)
    moved = log_f0[0] + (np.log(np.maximum(f0, 1.0)) - mean) * width
    return np.where(f0 > 0, np.clip(np.exp(moved), F0_MIN, F0_MAX), 0.0).astype(np.float32)


def _is_pair(recording) -> bool:
    return (
        isinstance(recording, tuple)
        and len(recording) == 2
        and isinstance(recording[0], np.ndarray)
        and isinstance(recording[1], (int, np.integer))
    )
