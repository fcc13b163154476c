"""VoiceSwapper: the Python interface."""

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from voiceswap.audio import AudioInput
from voiceswap.audio_io.checks import MIN_RECORDING_SECONDS, shortest_source
from voiceswap.audio_io.resampling import resample_to_length
from voiceswap.conversion.copy_synthesis import copy_synthesis
from voiceswap.conversion.engine import Engine
from voiceswap.conversion.file_conversion import FileConversion, FileConverter
from voiceswap.conversion.latency import Latency
from voiceswap.conversion.options import conversion_options
from voiceswap.conversion.output_windows import Conversion
from voiceswap.conversion.progress import ProgressCallback
from voiceswap.conversion.random_voice import ANY_PITCH, draw_voice
from voiceswap.conversion.reading import one_by_one, read_recording
from voiceswap.conversion.recording import EncodedRecording, Recording
from voiceswap.conversion.recording_notes import note_source, note_two_voices
from voiceswap.conversion.source_statistics import SourceStatistics, enroll, typical
from voiceswap.conversion.streaming import Stream
from voiceswap.conversion.strength import of_strength
from voiceswap.conversion.voice import Voice, blend, join_voices, weighted
from voiceswap.conversion.voice_file import VoiceSizes, is_voice_file, load_voice, save_voice
from voiceswap.dsp.level import set_level
from voiceswap.errors import VoiceswapError
from voiceswap.examples import HELLO
from voiceswap.models.checkpoint import Checkpoint, load_checkpoint
from voiceswap.models.gaussian import DiagonalGaussian

VoiceInput = AudioInput | Voice  # of a path, a .safetensors file is a saved voice
References = VoiceInput | Sequence[VoiceInput]


class VoiceSwapper:
    """Converts the words of any recording to any voice.

    A recording is a path, an array or tensor at `sample_rate`, or a pair of such samples and their
    rate in Hz, in either order. Arrays are (samples,), (channels, samples) or (samples, channels)
    with at most 8 channels; floats with full scale at 1.0, or integers. All samples returned are
    float32 at `sample_rate`. A reference is a recording, a folder of one person's recordings, a
    Voice, or the .safetensors file of a Voice.

    No call changes the object, so many threads may share it, and equal calls give equal samples.

    Raises:
        AudioError: a recording can't be read or used; one sentence tells why.
        VoiceswapError: any other value can't be used.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        device: str = "auto",
        batch_size: int | None = None,
        precision: str = "auto",
    ):
        """Use a model that is loaded; the other arguments are those of `load`."""
        self.engine = Engine(checkpoint, device, batch_size, precision)
        self.card, self.fingerprint = checkpoint.card, checkpoint.fingerprint()
        self.sample_rate = self.engine.output_audio.sample_rate

    @classmethod
    def load(
        cls,
        checkpoint: str | os.PathLike = "default",
        device: str = "auto",
        batch_size: int | None = None,
        precision: str = "auto",
    ) -> "VoiceSwapper":
        """Load a model.

        Args:
            checkpoint: a model file, or "default" for the one in the package.
            device: auto, cpu, cuda, cuda:1 or mps.
            batch_size: windows of at most 20 s that go through the networks at once; None is one on
                a CPU and 16 elsewhere.
            precision: "auto" multiplies in 16 bits where that is quicker, "fp32" never.
        """
        return cls(load_checkpoint(checkpoint), device, batch_size, precision)

    @property
    def device(self) -> torch.device:
        """The device of the networks."""
        return self.engine.device

    def swap(self, a: AudioInput, b: AudioInput) -> tuple[np.ndarray, np.ndarray]:
        """The words of `a` in the voice of `b`, and the words of `b` in the voice of `a`."""
        first, second = self._encode([a, b])
        voice_a, voice_b = self.engine.embed([first, second], noted=True)
        a_words, b_words = self._convert([Conversion(first, voice_b), Conversion(second, voice_a)])
        return a_words, b_words

    def convert(self, source: AudioInput, references: References, **options: Any) -> np.ndarray:
        """The words of `source` in the voice of `references`; as long and as loud as the source.

        Args:
            source: the recording to convert.
            references: one recording or voice, or several; see `voice`.
            options: those of `ConversionOptions`, by keyword.

        Returns:
            Samples (samples,), float32, at `options.rate` or `sample_rate` Hz.
        """
        chosen = conversion_options(options)
        if chosen.subtype is not None:
            raise VoiceswapError("subtype is how a file is written; use convert_file for it.")
        recording = self._read(source, shortest_source(chosen.strength))
        (encoded,) = self.engine.encoder.encode([recording])
        note_source(encoded, self.engine.usual_log_variance, chosen)
        voice = of_strength(self.engine, encoded, self.voice(references), chosen)
        (samples,) = self._convert([Conversion(encoded, voice, chosen)])
        rate = chosen.rate or self.sample_rate
        return resample_to_length(samples, self.sample_rate, rate, recording.seconds)

    def convert_file(
        self,
        source: str | os.PathLike,
        references: References,
        out: str | os.PathLike,
        progress: ProgressCallback = lambda done: None,
        **options: Any,
    ) -> Path:
        """`convert` from file to file; memory does not grow with the recording.

        Args:
            source: the file to convert.
            references: as in `convert`.
            out: the file to write, in the format of its ending; it appears whole or not at all.
            progress: called with the share done, from 0 to 1; an exception of it ends the
                conversion and leaves no file behind.
            options: those of `ConversionOptions`, by keyword.

        Returns:
            The path `out`.
        """
        file = FileConversion(source, references, out, conversion_options(options))
        (error,) = self.convert_files([file], progress)
        if error:
            raise error
        return Path(out)

    def convert_files(
        self, files: Sequence[FileConversion], progress: ProgressCallback = lambda done: None
    ) -> list[VoiceswapError | None]:
        """`convert_file` of many files; neighbours go through the networks together.

        Neighbours are padded to one length, so put files of similar length side by side. Memory is
        bounded; a long recording is a batch by itself. Equal references in a row are embedded once.

        Returns:
            For every file None, or the error that kept it from being converted.
        """
        return FileConverter(self.engine, self.voice).convert(files, progress)

    def stream(
        self,
        references: References,
        source: SourceStatistics | None = None,
        latency: str | Latency = "normal",
        **options: Any,
    ) -> Stream:
        """A conversion while somebody speaks.

        Args:
            references: as in `convert`.
            source: the speaker's statistics, from `enroll`; None starts from average ones.
            latency: "low", "normal", "high", or a `Latency`.
            options: pitch_shift, pitch_range, and rate: that of the samples in and out.
        """
        source = self._typical if source is None else source
        if not isinstance(source, SourceStatistics):
            raise VoiceswapError("source has to be what swapper.enroll(recording) gives.")
        chosen, voice = conversion_options(options), self.voice(references)
        return Stream(self.engine, voice, source.copy(), chosen, Latency.of(latency))

    @cached_property
    def _typical(self) -> SourceStatistics:
        return typical(self.enroll(HELLO))

    def enroll(self, audio: AudioInput) -> SourceStatistics:
        """Statistics of a source speaker from a recording, with which a `stream` can start."""
        return enroll(self.engine, self._encode([audio])[0])

    def reconstruct(self, audio: AudioInput) -> np.ndarray:
        """The recording encoded to both codes and decoded in its own voice."""
        (source,) = self._encode([audio])
        return self._convert([Conversion(source, self.engine.embed([source])[0])])[0]

    def embed(self, audio: AudioInput) -> Voice:
        """The voice of a recording; of a long one, from the minute with most speech."""
        return self.engine.embed(self._encode([audio]), noted=True)[0]

    def voice(self, references: References) -> Voice:
        """The voice of one reference, or of several: recordings are taken for one speaker's.

        Saved voices, and what `embed` gives, are blended with them, each as one recording.
        """
        given = one_by_one(references)
        items = [self.load_voice(item) if is_voice_file(item) else item for item in given]
        voices = [(item, 1) for item in items if isinstance(item, Voice)]
        recordings = [item for item in items if not isinstance(item, Voice)]
        if recordings:
            embedded = self.engine.embed(self._encode(recordings), noted=True)
            voices.append((join_voices(embedded), len(embedded)))
        return voices[0][0] if len(voices) == 1 else blend(voices)

    def adapt(
        self,
        recordings: AudioInput | Sequence[AudioInput],
        progress: ProgressCallback = lambda done: None,
        steps: int | None = None,
        seed: int = 0,
    ) -> Voice:
        """A voice with a decoder of its own, learned from recordings; the model stays as it is.

        Args:
            recordings: one, several or folders, of one voice. Long ones are cut at pauses; those
                that can't be used are left out.
            progress: called with the share done, from 0 to 1.
            steps: most training steps; None depends on the length of speech.
            seed: of the random numbers.

        Returns:
            The voice; its `notes["adapted"]` have what was used, and scores before and after. Where
            adapting did not help, it is that of `voice`. Ctrl-C returns the best so far.
        """
        from voiceswap.adaptation.adapt import adapt  # it builds on this class

        return adapt(self, recordings, steps, seed, None, lambda done, what: progress(done)).voice

    def blend(self, voices: Sequence[tuple[VoiceInput, float]]) -> Voice:
        """A mix of voices by weight; weights are scaled to sum to one."""
        return blend([(self.voice(voice), weight) for voice, weight in weighted(voices)])

    def sample(self, seed: int, hertz: tuple[float, float] = ANY_PITCH) -> Voice:
        """A random voice, which nobody has; `hertz` bounds its mean pitch."""
        return draw_voice(self.engine.autoencoder, self.engine.speaker_distribution, seed, hertz)

    def save_voice(self, voice: Voice, path: str | os.PathLike) -> Path:
        """Save a voice to a .safetensors file, which is a reference for every method."""
        path = Path(path)
        if not is_voice_file(path):
            raise VoiceswapError(f"A voice's file has to end in .safetensors, and {path} does not.")
        return save_voice(path, voice, self.fingerprint)

    def load_voice(self, path: str | os.PathLike) -> Voice:
        """A voice saved by `save_voice`. Raises VoiceswapError for any other file."""
        own = self.engine.autoencoder
        return load_voice(path, self.fingerprint, VoiceSizes.of(own), own.decoder).to(self.device)

    def content(self, audio: AudioInput) -> np.ndarray:
        """The content code's mean (frames, code), `content_rate` frames a second."""
        (encoded,) = self._encode([audio])
        return self._content(encoded).mode()[0].T.cpu().numpy()

    def content_and_voice(self, audio: AudioInput) -> tuple[np.ndarray, Voice]:
        """`content` and `embed` of a recording, which is read once, as a pipe has to be."""
        (encoded,) = self._encode([audio])
        return self._content(encoded).mode()[0].T.cpu().numpy(), self.engine.embed([encoded])[0]

    @property
    def content_rate(self) -> float:
        """Frames a second of the content code."""
        return self.engine.audio.frame_rate / self.engine.autoencoder.stride

    def codes(self, audio: AudioInput) -> tuple[DiagonalGaussian, DiagonalGaussian]:
        """q(content | speech), (1, code, frames), and q(speaker | speech), (1, code)."""
        (encoded,) = self._encode([audio])
        return self._content(encoded), self.engine.speaker([encoded])

    def copy_synthesis(self, audio: AudioInput, voice: Voice | None = None) -> np.ndarray:
        """The vocoder alone on the recording's own log-mel, at the pitch of `voice` if given."""
        recording = read_recording(audio, self.engine.audio, self.sample_rate, noisy=True)
        note_two_voices(recording)
        samples = copy_synthesis(self.engine, recording, voice)
        return set_level(samples, self.sample_rate, recording.level_db)

    def _content(self, encoded: EncodedRecording) -> DiagonalGaussian:
        return self.engine.encoder.content([(encoded, 0, encoded.recording.frames)])[0]

    def _read(self, audio: AudioInput, shortest: float = MIN_RECORDING_SECONDS) -> Recording:
        return read_recording(audio, self.engine.audio, self.sample_rate, shortest=shortest)

    def _encode(self, inputs: Sequence[AudioInput]) -> list[EncodedRecording]:
        """Encode recordings of one person each, or note that two speak."""
        encoded = self.engine.encoder.encode([self._read(audio) for audio in inputs])
        for item in encoded:
            note_two_voices(item.recording)
        return encoded

    def _convert(self, conversions: Sequence[Conversion]) -> list[np.ndarray]:
        """Samples of conversions, as long and as loud as their sources."""
        return [np.concatenate(list(out.blocks())) for out in self.engine.convert(conversions)]
