"""VoiceSwapper: what a Python user holds."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor

from voiceswap.audio import PEAK, AudioWriter, prepare_audio, set_level, stream_audio
from voiceswap.checkpoint import load_checkpoint
from voiceswap.denoise import denoise
from voiceswap.engine import Engine, Progress, Utterance, move_pitch
from voiceswap.errors import AudioError, VoiceswapError
from voiceswap.exemplars import manner
from voiceswap.features import log_f0_statistics
from voiceswap.latent import DiagonalGaussian
from voiceswap.speech import Speech
from voiceswap.verifier import SpeakerVerifier
from voiceswap.voice import Voice, blend, load_voice, save_voice

Recording = str | os.PathLike | np.ndarray | tuple[np.ndarray, int]
References = Recording | Voice | Sequence[Recording | Voice]
VOICE_SECONDS = 60.0


@dataclass(frozen=True)
class FileConversion:
    """A file to be made of another. The options are those of `VoiceSwapper.convert`.

    `rate` in Hz is the output's (the model's own if None), `subtype` its sample format as soundfile names it
    ("PCM_24"; the format's usual one if None).
    """

    source: str | os.PathLike
    references: References
    out: str | os.PathLike
    pitch_shift: float = 0.0
    strength: float = 1.0
    seed: int | None = None
    pitch_range: float = 1.0
    rate: int | None = None
    subtype: str | None = None


class VoiceSwapper(Engine):
    """Puts any words into any voice.

    A recording is a path, an array at `sample_rate`, or a pair of array and rate; arrays are (samples,) or
    (channels, samples), floats with full scale at 1.0 or integers. Everything returned is float32 at `sample_rate`.
    Where a reference is asked for, a Voice or the .safetensors file of one will do as well.
    Bad recordings raise AudioError. Nothing is changed by a call, so one object serves many threads; the same call
    gives the same samples.
    """

    @classmethod
    def load(cls, checkpoint: str | os.PathLike = "default", device: str = "auto", batch_size: int | None = None) -> "VoiceSwapper":
        """The model in the package, or the one in a file. `device`: auto, cpu, cuda, cuda:1, mps; `batch_size` as `Engine` has it."""
        return cls(load_checkpoint(checkpoint), device, batch_size)

    def swap(self, a: Recording, b: Recording) -> tuple[np.ndarray, np.ndarray]:
        """A's words in B's voice, and B's words in A's voice."""
        speeches = self._hear([a, b])
        voices = [self._embed(speech) for speech in speeches]
        a_words, b_words = self._say([Utterance(*pair) for pair in zip(speeches, voices[::-1], strict=True)])
        return a_words, b_words

    def convert(
        self,
        source: Recording,
        references: References,
        pitch_shift: float = 0.0,
        strength: float = 1.0,
        seed: int | None = None,
        pitch_range: float = 1.0,
    ) -> np.ndarray:
        """The words of `source` in the voice of `references`; as long and as loud as the source.

        Several references are averaged. `pitch_shift` is in semitones, above the voice's own pitch; `pitch_range`
        widens (above 1) or flattens the intonation. `strength` is how far to go from the source's voice (0) to the
        references' (1). With a `seed` the content code is drawn from its posterior instead of taken at the mean:
        another reading of the same words.
        """
        (speech,) = self._hear([source])
        voice = self._aim(speech, self.voice(references), strength)
        return self._say([Utterance(speech, voice, pitch_shift, seed, pitch_range)])[0]

    def convert_file(
        self,
        source: str | os.PathLike,
        references: References,
        out: str | os.PathLike,
        pitch_shift: float = 0.0,
        strength: float = 1.0,
        seed: int | None = None,
        pitch_range: float = 1.0,
        rate: int | None = None,
        subtype: str | None = None,
        progress: Progress = lambda done: None,
    ) -> Path:
        """`convert` from file to file, in bounded memory however long the recording. Returns `out`, which appears whole or not at all.

        `rate` and `subtype` are as `FileConversion` has them. `progress` is called with the share done, from 0 to 1;
        what it raises ends the conversion and leaves nothing behind.
        """
        file = FileConversion(source, references, out, pitch_shift, strength, seed, pitch_range, rate, subtype)
        (error,) = self.convert_files([file], progress)
        if error:
            raise error
        return Path(out)

    def convert_files(self, files: Sequence[FileConversion], progress: Progress = lambda done: None) -> list[VoiceswapError | None]:
        """`convert_file` of many: neighbours go through the networks together, padded to one length, as many as fill a batch.

        Give files that are near in length one after another. Memory is bounded whatever their number; a long recording
        is a batch by itself. Returns for every file None, or the error that kept it from being converted; the others
        are not held up.
        """
        errors: dict[int, VoiceswapError] = {}
        done = 0
        for batch in self._read(files, errors):
            until = batch[-1].number + 1
            self._convert_batch(batch, errors, _part(progress, done / len(files), until / len(files)))
            done = until
        return [errors.get(i) for i in range(len(files))]

    def _read(self, files: Sequence[FileConversion], errors: dict[int, VoiceswapError]) -> Iterator[list["_Read"]]:
        """What is needed of the files, in batches; what is wrong with one goes into `errors`."""
        batch: list[_Read] = []
        for number, file in enumerate(files):
            try:
                writer = AudioWriter(file.out, self.sample_rate, file.rate, file.subtype)
                batch.append(_Read(number, file, writer, self._record(file.source), self.voice(file.references)))
            except VoiceswapError as error:
                errors[number] = error
                continue
            if sum(len(read.speech.windows) for read in batch) >= self.batch_size:
                yield batch
                batch = []
        if batch:
            yield batch

    def _convert_batch(self, batch: list["_Read"], errors: dict[int, VoiceswapError], progress: Progress) -> None:
        self.listen([read.speech for read in batch], _part(progress, 0.0, 0.6))
        utterances = []
        for read in batch:
            voice = self._aim(read.speech, read.voice, read.file.strength)
            utterances.append(Utterance(read.speech, voice, read.file.pitch_shift, read.file.seed, read.file.pitch_range))
        for read, spoken in zip(batch, self.speak(utterances, _part(progress, 0.6, 1.0)), strict=True):
            gain = min(spoken.gain(read.speech), PEAK / spoken.peak)
            try:
                with read.writer:
                    for block in spoken.blocks():
                        read.writer.write(block * gain)
            except AudioError as error:
                errors[read.number] = error

    def save_voice(self, voice: Voice, path: str | os.PathLike) -> Path:
        """Keep a voice in a .safetensors file."""
        return save_voice(path, voice, self.fingerprint)

    def load_voice(self, path: str | os.PathLike) -> Voice:
        """A voice kept by `save_voice`, heard by this model. Raises VoiceswapError otherwise."""
        return load_voice(path, self.fingerprint)

    def reconstruct(self, audio: Recording) -> np.ndarray:
        """The recording through both codes and back, in its own voice."""
        (speech,) = self._hear([audio])
        return self._say([Utterance(speech, self._embed(speech))])[0]

    def embed(self, audio: Recording) -> Voice:
        """The voice heard in a recording; of one longer than a minute, in the minute with most speech."""
        (speech,) = self._hear([audio])
        return self._embed(speech)

    def voice(self, references: References) -> Voice:
        """The voice of one reference, or the average of several."""
        several = isinstance(references, (list, tuple)) and not _is_pair(references)
        items = list(cast(Sequence[Recording | Voice], references)) if several else [cast(Recording | Voice, references)]
        if not items:
            raise VoiceswapError("At least one reference is needed.")
        return blend([(self._voice(item), 1.0) for item in items])

    def _voice(self, reference: Recording | Voice) -> Voice:
        if isinstance(reference, Voice):
            return reference
        if isinstance(reference, (str, os.PathLike)) and Path(reference).suffix == ".safetensors":
            return self.load_voice(reference)
        return self.embed(reference)

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
        return self.codes(audio)[0].mode()[0].T.cpu().numpy()

    @torch.inference_mode()
    def codes(self, audio: Recording) -> tuple[DiagonalGaussian, DiagonalGaussian]:
        """Both posteriors: q(content | speech), (1, code, frames), and q(speaker | speech), (1, code)."""
        (speech,) = self._hear([audio])
        return self.words([(speech, 0, speech.frames)])[0], self._speaker(*self._natural(speech))

    @torch.inference_mode()
    def copy_synthesis(self, audio: Recording, log_f0: np.ndarray | None = None) -> np.ndarray:
        """The recording through its own mel spectrogram and the vocoder alone: the ceiling of the sound's quality.

        With `log_f0` (2,), the pitch is moved to a voice's whose ln F0 has that mean and spread.
        """
        (speech,) = self._hear([audio])
        f0 = speech.f0 if log_f0 is None else move_pitch(speech.f0, log_f0)
        mel = self.log_mel(torch.from_numpy(speech.samples())[None].to(self.device))
        wave = self.vocode(mel, torch.from_numpy(f0)[None].to(self.device))[0].cpu().numpy()
        return set_level(wave[: len(speech)], self.sample_rate, speech.level_db)

    def _hear(self, recordings: Sequence[Recording]) -> list[Speech]:
        speeches = [self._record(recording) for recording in recordings]
        self.listen(speeches)
        return speeches

    def _record(self, recording: Recording) -> Speech:
        if isinstance(recording, (str, os.PathLike)):
            return Speech(stream_audio(recording, self.sample_rate), self.audio, str(recording))
        array, rate = recording if _is_pair(recording) else (recording, self.sample_rate)
        return Speech(iter([prepare_audio(np.asarray(array), rate, self.sample_rate)]), self.audio, "The recording")

    def _natural(self, speech: Speech) -> tuple[np.ndarray, Tensor]:
        """Samples (samples,), without steady noise, and log-mel (1, mels, frames) of the stretch in which the voice is heard."""
        samples = denoise(speech.samples(*speech.busiest(VOICE_SECONDS)), self.sample_rate)
        return samples, self.log_mel(torch.from_numpy(samples)[None].to(self.device))

    def _speaker(self, samples: np.ndarray, mel: Tensor) -> DiagonalGaussian:
        at_16_khz = prepare_audio(samples, self.sample_rate, SpeakerVerifier.sample_rate)
        known = self.verifier(torch.from_numpy(at_16_khz).to(self.device))[None]
        return self.autoencoder.encode_speaker(mel, known)

    @torch.inference_mode()
    def _embed(self, speech: Speech) -> Voice:
        samples, mel = self._natural(speech)
        code = self._speaker(samples, mel).mode()
        log_f0 = np.array(log_f0_statistics(speech.f0), np.float32)
        first, last = speech.busiest(VOICE_SECONDS)
        words, _ = self.words([(speech, first, last)])
        f0, statistics = (torch.from_numpy(x)[None].to(self.device) for x in (speech.f0[first:last], log_f0))
        (rebuilt,), (content,), (natural,) = self.autoencoder.decode(words.mode(), f0, statistics, code), words.mode(), mel
        exemplars, calibration = manner(content, rebuilt, natural)
        return Voice(code[0].cpu().numpy(), log_f0, calibration.cpu().numpy(), ((exemplars, 1.0),))

    def _aim(self, speech: Speech, voice: Voice, strength: float) -> Voice:
        """The voice that is `strength` of the way from the speech's own to `voice`."""
        return voice if strength == 1.0 else self._embed(speech).toward(voice, strength)

    def _say(self, utterances: Sequence[Utterance]) -> list[np.ndarray]:
        """What the utterances sound like, as long and as loud as their recordings came."""
        return [
            np.concatenate(list(out.blocks())) * np.float32(out.gain(utterance.speech))
            for utterance, out in zip(utterances, self.speak(utterances), strict=True)
        ]


@dataclass(frozen=True)
class _Read:
    """A file of a batch, and what was read for it."""

    number: int
    file: FileConversion
    writer: AudioWriter
    speech: Speech
    voice: Voice


def _part(progress: Progress, first: float, last: float) -> Progress:
    """Tells of a part of the work, as the shares `first` to `last` of all of it."""
    return lambda done: progress(first + (last - first) * done)


def _is_pair(recording) -> bool:
    return (
        isinstance(recording, tuple)
        and len(recording) == 2
        and isinstance(recording[0], np.ndarray)
        and isinstance(recording[1], (int, np.integer))
    )
