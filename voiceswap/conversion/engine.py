"""The networks of a model on a device: recordings to voices, and conversions, in batches."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import NoReturn

import numpy as np
import torch
from torch import Tensor

from voiceswap.audio import prepare_audio
from voiceswap.conversion.batching import batches, on_device, stack, usual_batch_size
from voiceswap.conversion.core import Utterance, decode, extract_voice
from voiceswap.conversion.encoder import RecordingEncoder
from voiceswap.conversion.held_notes import average_content, sung
from voiceswap.conversion.mel_statistics import speech_frames
from voiceswap.conversion.missing_bands import with_all_bands
from voiceswap.conversion.nonverbal import Envelope, difference, follow_source, unsure
from voiceswap.conversion.options import number
from voiceswap.conversion.output import Output
from voiceswap.conversion.output_windows import Conversion, OutputWindow, output_windows
from voiceswap.conversion.posterior_noise import draw_content
from voiceswap.conversion.progress import ProgressCallback
from voiceswap.conversion.recording import EncodedRecording
from voiceswap.conversion.recording_notes import note_reference
from voiceswap.conversion.references import (
    ReferenceBatch,
    densest_minute,
    read_references,
    without_long_pauses,
)
from voiceswap.conversion.voice import Voice, stack_voices, unstack_voices
from voiceswap.features import AudioConfig, LogMel, log_f0_statistics
from voiceswap.models import pretrained
from voiceswap.models.checkpoint import Checkpoint
from voiceswap.models.content_encoder import ContentEncoder
from voiceswap.models.decoder_delta import DecoderDelta
from voiceswap.models.excitation import ExcitationState
from voiceswap.models.gaussian import DiagonalGaussian
from voiceswap.models.griffin_lim import griffin_lim
from voiceswap.models.high_band import HIGH_BANDS
from voiceswap.models.pretrained import FrontEnd
from voiceswap.models.speaker_verifier import mean_vector
from voiceswap.precision import inference, products_type, torch_defaults, use_fast_products
from voiceswap.transfer import HostCopy, find_device, overlapped, to_device


class Engine:
    """The core on a device. No call changes it, so one object serves many threads.

    Args:
        checkpoint: the model, whose networks are moved to the device and changed: no other engine
            can use them.
        device, batch_size, precision: as `VoiceSwapper.load` has them.

    Raises:
        VoiceswapError: the device can't be used here, or there is no such precision.
    """

    @torch_defaults()
    def __init__(self, checkpoint: Checkpoint, device: str, batch_size: int | None, precision: str):
        self.device, self.precision = find_device(device), precision
        self.audio = checkpoint.audio
        self.autoencoder, self.vocoder = checkpoint.autoencoder, checkpoint.vocoder
        self.usual_log_variance = checkpoint.content_log_variance
        self.streaming, self.denoiser = checkpoint.streaming, checkpoint.denoiser
        self.speaker_distribution = checkpoint.speaker_distribution
        self.verifier = pretrained.speaker_verifier()
        dtype = products_type(precision, self.device)
        self._fast_products = None if dtype is None else (self.device.type, dtype)
        networks = (self.autoencoder, self.vocoder, self.streaming, self.denoiser, self.verifier)
        for network in networks:
            if network is not None:
                network.to(self.device).eval().requires_grad_(False)
                use_fast_products(network, self._fast_products)
        self.log_mel = LogMel(self.audio).to(self.device)
        self.envelope = Envelope(self.audio).to(self.device)
        usual = usual_batch_size(self.device.type)
        self.batch_size = usual if batch_size is None else number("batch_size", batch_size)
        self.front_end_adapter = adapter = checkpoint.front_end_adapter
        front_end = self._ready(
            pretrained.front_end(self.autoencoder.front_end, self.audio)
            if adapter is None
            else adapter.to(self.device).adapted_front_end()
        )
        self.encoder = RecordingEncoder(
            self.autoencoder, front_end, self.device, self.batch_size, noisy=adapter is not None
        )

    def _ready(self, front_end: FrontEnd) -> FrontEnd:
        front_end = front_end.to(self.device)
        use_fast_products(front_end, self._fast_products, keep=False)  # which nothing else has
        return front_end

    def __reduce__(self) -> NoReturn:
        raise TypeError("A loaded model can't be pickled; load a VoiceSwapper in each process.")

    @cached_property
    def streaming_encoder(self) -> tuple[FrontEnd, ContentEncoder]:
        """Front end and content encoder of streams; without own ones, those of recordings."""
        if self.streaming is None:
            return self.encoder.front_end, self.autoencoder.content_encoder
        return self._ready(self.streaming.adapted_front_end()), self.streaming.content_encoder

    @property
    def output_audio(self) -> AudioConfig:
        """The audio settings at the rate of what is synthesized, with as many frames a second."""
        return self.audio if self.vocoder is None else self.vocoder.output_audio

    @inference
    def speaker(self, recordings: Sequence[EncodedRecording]) -> DiagonalGaussian:
        """q(speaker | speech) of recordings, (batch, code)."""
        samples, mel, mask, _ = self.references(recordings)
        return self._speaker(samples, self._windows(samples), mel, mask)

    @inference
    def embed(
        self,
        recordings: Sequence[EncodedRecording],
        adapted: tuple[Tensor, DecoderDelta] | None = None,
        noted: bool = False,
    ) -> list[Voice]:
        """The voice of each recording; of a long one, from the minute with most speech.

        With `adapted`, all have that speaker code and that change of the decoder; otherwise, with
        `noted`, notes tell what is wrong with a recording as a reference.
        """
        several = batches(recordings, self.batch_size)
        return [voice for batch in several for voice in self._embed(batch, adapted, noted)]

    def _embed(
        self,
        recordings: Sequence[EncodedRecording],
        adapted: tuple[Tensor, DecoderDelta] | None,
        noted: bool,
    ) -> list[Voice]:
        samples, mel, mask, reliability = self.references(recordings)
        spans = [densest_minute(item.recording) for item in recordings]
        content, _ = self.encoder.content(
            [(r, *span) for r, span in zip(recordings, spans, strict=True)]
        )
        f0, _ = stack(
            [
                torch.from_numpy(item.recording.f0[first:last])
                for item, (first, last) in zip(recordings, spans, strict=True)
            ]
        )
        log_f0 = torch.tensor([log_f0_statistics(item.recording.f0) for item in recordings])
        utterance = Utterance(content.mode(), f0.to(self.device), log_f0.to(self.device))
        mel, recorded = with_all_bands(self.autoencoder, utterance, mel, mask)
        if adapted is None:  # whose decoder would not know what is missing
            reliability = recorded if reliability is None else reliability * recorded
        windows = [] if adapted else self._windows(samples)
        code, delta = adapted or (self._speaker(samples, windows, mel, mask).mode(), None)
        if noted and not adapted:
            whole = (recorded == 1).flatten(1).all(1).tolist()
            for item, span, vectors, bands in zip(recordings, spans, windows, whole, strict=True):
                known = vectors.cpu().numpy(), self.usual_log_variance
                note_reference(item, span, *known, whole=bands)
        code = code.expand(len(recordings), -1)
        voices, decoded = extract_voice(
            self.autoencoder, utterance, code, mel, mask, delta, reliability
        )
        stride = self.autoencoder.stride
        embedded = unstack_voices(voices, [-(-(last - first) // stride) for first, last in spans])
        return [
            replace(voice, high_gain=self._high_gain(item, span, decoded[i : i + 1]))
            for i, (voice, item, span) in enumerate(zip(embedded, recordings, spans, strict=True))
        ]

    def _high_gain(self, item: EncodedRecording, span: tuple[int, int], mel: Tensor) -> Tensor:
        """Log-gains by which a reference's high band exceeds the vocoder's prediction.

        (HIGH_BANDS,); zero where the reference has none.
        """
        unknown = torch.zeros(HIGH_BANDS, device=self.device)
        if self.vocoder is None or self.vocoder.high_band is None:
            return unknown
        natural = item.recording.full_band(*span, self.output_audio)
        if natural is None:
            return unknown
        f0 = torch.from_numpy(item.recording.f0[slice(*span)])[None].to(self.device)
        mel, wave = mel[..., : f0.shape[-1]], torch.from_numpy(natural)[None].to(self.device)
        return self.vocoder.high_band_gain(wave, mel, f0, speech_frames(mel))[0]

    def references(self, recordings: Sequence[EncodedRecording]) -> ReferenceBatch:
        """Recordings as references of voices; see `read_references`."""
        return read_references([r.recording for r in recordings], self.log_mel, self.denoiser)

    def _speaker(
        self,
        samples: Sequence[np.ndarray],
        windows: Sequence[Tensor],
        mel: Tensor,
        mask: Tensor | None,
    ) -> DiagonalGaussian:
        """Without long pauses; `windows` are the verifier's vectors of everything."""
        kept, hop = without_long_pauses(mel, mask, self.audio.frame_rate), self.audio.hop_length
        if not kept.equal(torch.ones_like(kept) if mask is None else mask):
            rows = kept[:, 0].bool().repeat_interleave(hop, 1).cpu().numpy()
            pairs = zip(samples, rows, strict=True)
            windows, mask = self._windows([wave[row[: len(wave)]] for wave, row in pairs]), kept
        vectors = torch.stack([mean_vector(vectors) for vectors in windows])
        return self.autoencoder.encode_speaker(mel, vectors, mask)

    def _windows(self, samples: Sequence[np.ndarray]) -> list[Tensor]:
        """The pretrained verifier's vectors (windows, 256) of samples at the model's rate."""
        rates = self.audio.sample_rate, self.verifier.sample_rate
        waves = (torch.from_numpy(prepare_audio(wave, *rates)) for wave in samples)
        return [self.verifier.windows(wave.to(self.device)) for wave in waves]

    @inference
    def speaker_vector(self, samples: np.ndarray) -> Tensor:
        """The pretrained verifier's vector (256,) of samples (samples,) at the model's rate."""
        return mean_vector(self._windows([samples])[0])

    @inference
    def convert(
        self, conversions: Sequence[Conversion], progress: ProgressCallback = lambda done: None
    ) -> list[Output]:
        """The samples of conversions, all windows of all of them in batches."""
        if not conversions:
            return []
        outputs = [Output(item.source.recording, self.output_audio) for item in conversions]
        known = HostCopy(torch.stack([item.voice.log_f0.to(self.device) for item in conversions]))
        log_f0 = torch.from_numpy(known.numpy())
        todo = []
        for parts in zip(conversions, log_f0, outputs, strict=True):
            todo += output_windows(*parts, self.output_audio)
        done, hop = 0, self.output_audio.hop_length

        def start(batch: Sequence[OutputWindow]) -> HostCopy:
            return HostCopy(self._render(batch))

        def finish(batch: Sequence[OutputWindow], waves: HostCopy) -> None:
            nonlocal done
            for item, wave in zip(batch, waves.numpy(), strict=True):
                window = item.window
                first, last = window.first - window.left, window.last - window.left
                item.output.append(wave[first * hop : last * hop])
            done += len(batch)
            progress(done / len(todo))

        overlapped(batches(todo, self.batch_size), start, finish)
        return outputs

    def _render(self, items: Sequence[OutputWindow]) -> Tensor:
        """Waveforms (batch, samples) of windows, context and all."""
        posterior, _ = self.encoder.content([item.segment for item in items])
        content, stride = posterior.mode(), self.autoencoder.stride
        for i, item in enumerate(items):
            if (seed := item.conversion.options.seed) is not None:
                draw_content(content[i], posterior.log_variance[i], seed, item.window, stride)
        f0, mask = stack([item.f0 for item in items])
        f0, mask = to_device(f0, self.device), on_device(mask, self.device)
        log_f0 = to_device(torch.stack([item.log_f0 for item in items]), self.device)
        voice = stack_voices([item.conversion.voice for item in items], self.device)
        voice = replace(voice, log_f0=log_f0)
        if self.usual_log_variance is None:
            mel = decode(self.autoencoder, content, f0, voice, mask)
        else:
            waves, _ = stack([torch.from_numpy(item.samples()) for item in items])
            source = self.log_mel(to_device(waves, self.device))
            share = unsure(posterior.log_variance, self.usual_log_variance, source, mask)
            held = share * sung(items, f0)
            content, share = average_content(content, held, stride, mask), share - held
            mel = decode(self.autoencoder, content, f0, voice, mask)
            own_f0, _ = stack([item.own_f0 for item in items])
            source = self.envelope(source, to_device(own_f0, self.device))
            mel = follow_source(mel, source, share, difference(mel, source, share, mask))
        fields = zip(*(item.excitation for item in items), strict=True)
        state = ExcitationState(*(to_device(torch.cat(field), self.device) for field in fields))
        return self.vocode(mel, f0, mask, state, voice.high_gain)

    @inference
    def vocode(
        self,
        mel: Tensor,
        f0: Tensor,
        mask: Tensor | None = None,
        state: ExcitationState | None = None,
        high_gain: Tensor | None = None,
    ) -> Tensor:
        """Waveforms, at `output_audio`'s rate, of log-mels and F0 in Hz.

        By the vocoder, or by Griffin-Lim without one.
        """
        if self.vocoder is None:
            return griffin_lim(mel, self.audio)
        return self.vocoder(mel, f0, mask, state, high_gain)
