"""Conversion while somebody speaks: blocks of samples in, blocks of samples out."""

from dataclasses import replace

import numpy as np
import torch

from voiceswap.audio import as_floats
from voiceswap.audio_io.checks import require_finite
from voiceswap.conversion.batching import stack_pairs
from voiceswap.conversion.core import decode
from voiceswap.conversion.engine import Engine
from voiceswap.conversion.latency import LATENCIES, LEAST_PAST, Latency
from voiceswap.conversion.loudness import LoudnessGain, output_contours, power_contours
from voiceswap.conversion.options import DEFAULTS, ConversionOptions
from voiceswap.conversion.pitch import SEMITONE, transfer_pitch
from voiceswap.conversion.running_f0 import RunningF0
from voiceswap.conversion.running_hum import RunningHum
from voiceswap.conversion.running_noise import RunningNoise
from voiceswap.conversion.running_nonverbal import RunningNonverbal
from voiceswap.conversion.source_statistics import SourceStatistics
from voiceswap.conversion.stream_resampler import StreamResampler
from voiceswap.conversion.voice import Voice, require_voice, stack_voices
from voiceswap.dsp.filters import high_pass
from voiceswap.dsp.level import ACTIVE_LEVEL_DB
from voiceswap.dsp.limiter import limited_gain, true_peaks
from voiceswap.errors import AudioError, VoiceswapError
from voiceswap.features import DEFAULT_F0
from voiceswap.models.excitation import ExcitationState, excitation_states
from voiceswap.models.layers import instance_norm
from voiceswap.precision import inference

CROSSFADE = 0.01  # seconds of cross-fade from one block to the next
RECENT = 0.3  # seconds before a block that decoder and vocoder see; the front end sees all the past
CHUNK_SECONDS = 0.005  # that are resampled at once, so that the result does not depend on blocks


class Stream:
    """A conversion in progress. One thread pushes; another may set voice and pitch meanwhile.

    Several streams may run at once. `VoiceSwapper.stream` makes them.

    A stream decodes every block with the past and the lookahead around it. It carries the
    excitation's phase, the source's statistics and a short fade from block to block, so the result
    does not depend on how the samples are cut.

    Args:
        engine: the networks on a device.
        voice: the target.
        statistics: of the source; the stream updates them.
        options: pitch_shift and pitch_range; `rate` is that of the samples in and out.
        latency: block, lookahead and past.

    Raises:
        VoiceswapError: an option that needs the whole recording, or a model without a vocoder.
    """

    def __init__(
        self,
        engine: Engine,
        voice: Voice,
        statistics: SourceStatistics,
        options: ConversionOptions = DEFAULTS,
        latency: Latency = LATENCIES["normal"],
    ):
        if options.strength != 1.0 or options.seed is not None or options.subtype is not None:
            raise VoiceswapError("A stream has no strength, seed or subtype; blend voices instead.")
        if options.exact_pitch:
            raise VoiceswapError("A stream can't know a song's octave; use pitch_shift instead.")
        if options.source_pitch is not None:
            raise VoiceswapError(
                "A stream takes no source_pitch; swapper.enroll(recording) tells it who speaks."
            )
        if engine.vocoder is None:
            raise VoiceswapError("A model without a vocoder can't convert a stream.")
        self.engine, self.options, self.statistics = engine, options, statistics
        self.device = engine.device  # which `inference` needs
        self.rate = options.rate or engine.output_audio.sample_rate
        self._front_end, self._encoder = engine.streaming_encoder  # read before a block is due
        self.set_voice(voice)
        self._take_voice()
        audio = engine.audio
        self._block, self._ahead, self._past = (
            round(seconds * audio.frame_rate / 2) * 2
            for seconds in (latency.block, latency.lookahead, latency.past)
        )
        self._waiting = np.zeros(0, np.float32)  # samples in, shorter than a chunk
        self._analysed = np.zeros(0, np.float32)  # from mel frame `_left` on
        self._left = self._at = 0  # mel frames: the window's first, and the next block's
        self._f0, self._phase = RunningF0(audio), 0.0
        self._hum = RunningHum(audio.sample_rate)
        self._noise = RunningNoise(audio.sample_rate)
        self._recent_output = np.zeros(0, np.float32)  # before a block, without the loudness gain
        self._tail = np.zeros(round(CROSSFADE * engine.output_audio.sample_rate), np.float32)
        self._samples_in = self._samples_out = 0
        self._down = StreamResampler(self.rate, audio.sample_rate)
        self._up = StreamResampler(engine.output_audio.sample_rate, self.rate)

    @property
    def block_seconds(self) -> float:
        """Length of what is converted at a time."""
        return self._block / self.engine.audio.frame_rate

    @property
    def latency(self) -> float:
        """Seconds from a sample to its conversion, at most, without the time of computing."""
        frames = self._block + self._ahead
        resamplers = self._down.delay + self._up.delay
        return frames / self.engine.audio.frame_rate + CHUNK_SECONDS + resamplers

    def set_voice(self, voice: Voice) -> None:
        """Go on in another voice, from the next block. Raises VoiceswapError if it is none."""
        self._next_voice = stack_voices([require_voice(voice)], self.device)

    def _take_voice(self) -> None:
        """The voice that was set last, which a block keeps from its beginning to its end."""
        self._voice = self._next_voice
        self._nonverbal = RunningNonverbal(self.engine)
        self._loudness = LoudnessGain(self.engine.audio.frame_rate)

    def set_pitch_shift(self, semitones: float) -> None:
        """Go on at another pitch, from the next block.

        Raises VoiceswapError if `semitones` is not from -24 to 24.
        """
        self.options = replace(self.options, pitch_shift=semitones)

    def push(self, samples: np.ndarray | torch.Tensor) -> np.ndarray:
        """Take samples (samples,) at `rate`, and return those converted by now: any number.

        Integers are scaled by their type's full scale. Raises AudioError for samples that are not
        finite, and for another shape.
        """
        samples = as_floats(samples, "The block")
        if samples.ndim == 2 and 1 in samples.shape:  # as sound devices give one channel
            samples = samples.reshape(-1)
        if samples.ndim != 1:
            raise AudioError(f"The block has the shape {samples.shape}; give one of (samples,).")
        require_finite(samples, "The block")
        self._samples_in += len(samples)
        self._waiting = np.concatenate([self._waiting, samples])
        chunk, ready = round(CHUNK_SECONDS * self.rate), []
        while len(self._waiting) >= chunk:
            ready += self._analyse(self._down.push(self._waiting[:chunk]))
            self._waiting = self._waiting[chunk:]
        output = np.concatenate([np.zeros(0, np.float32), *ready])
        self._samples_out += len(output)
        return output

    def flush(self) -> np.ndarray:
        """The rest (samples,), so that as many came out as went in. Push nothing after it."""
        rest = [self._down.push(self._waiting), self._down.flush()]
        ready = self._analyse(np.concatenate(rest))
        hop = self.engine.audio.hop_length
        missing = -(-self._samples_in * self.engine.audio.sample_rate // self.rate)
        silence = np.zeros((self._block + self._ahead + 2) * hop, np.float32)
        while self._at * hop < missing:
            ready += self._analyse(silence)
        output = np.concatenate([*ready, self._up.flush()])
        return output[: self._samples_in - self._samples_out]

    def _analyse(self, samples: np.ndarray) -> list[np.ndarray]:
        """Add samples at the rate of what is analysed, and convert the blocks that are complete."""
        self._analysed = np.concatenate([self._analysed, samples])
        hop, done = self.engine.audio.hop_length, []
        while len(self._analysed) >= (self._at + self._block + self._ahead - self._left) * hop:
            done.append(self._convert())
            self._at += self._block
            left = max(0, self._at - self._past)
            self._analysed = self._analysed[(left - self._left) * hop :]
            self._left = left
        return [self._up.push(block) for block in done]

    @inference
    def _convert(self) -> np.ndarray:
        """Samples of the next block, at the vocoder's rate."""
        if self._next_voice is not self._voice:
            self._take_voice()
        engine, statistics = self.engine, self.statistics
        audio, out_audio = engine.audio, engine.output_audio
        first, last = self._at - self._left, self._at + self._block - self._left
        window, speaks = self._cleaned(first, last)
        wave = window * np.float32(10 ** ((ACTIVE_LEVEL_DB - statistics.level_db) / 20))
        stride = engine.autoencoder.stride
        coded = slice(first // stride, last // stride)
        content, log_variance = self._content(wave, coded, speaks)
        f0 = self._f0.track(wave, self._left)
        if speaks:
            statistics.add_f0(f0[first:last])
        cut = max(0, first - round(RECENT * audio.frame_rate / 2) * 2)
        content, f0 = content[..., cut // stride :], f0[cut:]
        left, first, last = self._left + cut, first - cut, last - cut
        own_f0, target = torch.tensor([statistics.log_f0]), self._voice.log_f0.cpu()
        shift = torch.tensor([[self.options.pitch_shift * SEMITONE, 0.0]])
        contour_f0 = torch.from_numpy(f0)[None]
        moved = transfer_pitch(contour_f0, own_f0, target + shift, self.options.pitch_range).float()
        state = self._excitation(moved[0], left, first, last)
        moved = moved.to(engine.device)
        mel = decode(engine.autoencoder, content, moved, self._voice)
        block = slice(first, last) if speaks else slice(0)
        mel = self._nonverbal.follow_source(mel, wave, contour_f0, log_variance, block)
        output = engine.vocode(mel, moved, None, state, self._voice.high_gain)[0].cpu().numpy()
        return self._block_of(window, output[first * out_audio.hop_length :])

    def _cleaned(self, first: int, last: int) -> tuple[np.ndarray, bool]:
        """The window without hum and noise, and whether somebody speaks in its block.

        `first` and `last` are the block's mel frames in the window. Its level is added to the
        statistics.
        """
        statistics, audio = self.statistics, self.engine.audio
        hop = audio.hop_length
        window = self._analysed[: (last + self._ahead) * hop]
        window = self._hum.remove_from(window - window.mean(), self._left * hop)
        statistics.forget_f0(self._hum.new)  # which were taken for a voice until now
        block = slice(first * hop, last * hop)
        new = window[block] if self._at else window  # the first block counts with its lookahead
        statistics.add_samples(new, audio.sample_rate)
        speaks = statistics.is_speech(window[block])
        return self._noise.remove_from(window, block, statistics.level_db), speaks

    def _block_of(self, window: np.ndarray, output: np.ndarray) -> np.ndarray:
        """Samples of a block, from what was synthesized of it and its lookahead."""
        hop, out_hop = self.engine.audio.hop_length, self.engine.output_audio.hop_length
        output, start = np.concatenate([self._recent_output, output]), len(self._recent_output)
        stop, fade = start + self._block * out_hop, len(self._tail)
        recent = window[len(window) - len(output) // out_hop * hop :]
        before = round(LEAST_PAST * self.engine.output_audio.sample_rate)
        self._recent_output = output[:stop][-before:]
        output = self._as_loud(recent, output)
        block = output[start:stop].copy()
        if self._at:
            rising = np.linspace(0, 1, fade, dtype=np.float32)
            block[:fade] = rising * block[:fade] + (1 - rising) * self._tail
        self._tail = output[stop : stop + fade]
        return block

    def _content(
        self, wave: np.ndarray, block: slice, speaks: bool
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Content code and log-variance of a window.

        Where somebody speaks, its block is added to the statistics.
        """
        engine, statistics = self.engine, self.statistics
        front_end, encoder = self._front_end, self._encoder
        spectrum = front_end.spectrum(torch.from_numpy(wave)[None].to(engine.device))
        statistics.peak = max(statistics.peak, float(spectrum.max()))
        peak = torch.tensor([statistics.peak], device=engine.device)
        features = front_end.window(spectrum, None, peak).float()
        if speaks:
            statistics.features.add(features[0, :, block])
        known = stack_pairs([statistics.features.result()], engine.device)
        mean, log_variance = encoder.encode_unnormalized(features, None, known)
        if speaks:
            statistics.content.add(mean[0, :, block])
        known = stack_pairs([statistics.content.result()], engine.device)
        return instance_norm(mean, None, known), log_variance

    def _excitation(self, f0: torch.Tensor, left: int, first: int, last: int) -> ExcitationState:
        """The excitation at mel frame `left`, such that its phase goes on at the block's start.

        `first` and `last` are where the block begins and ends in `f0`, which begins at `left`.
        """
        state = ExcitationState(
            torch.tensor([self._phase]),
            torch.tensor([DEFAULT_F0]),
            torch.tensor([left]),
            torch.tensor([first]),
        )
        (at_last,) = excitation_states(f0, [last], self.engine.output_audio, state)
        self._phase = float(at_last.phase)
        return ExcitationState(*(field.to(self.device) for field in state))

    def _as_loud(self, window: np.ndarray, output: np.ndarray) -> np.ndarray:
        """What was synthesized of a window, as loud over time as the window."""
        audio, out_audio = self.engine.audio, self.engine.output_audio
        of_window = power_contours(high_pass(iter([window]), audio.sample_rate), audio)
        gain_db = self._loudness.next(of_window, output_contours(iter([output]), out_audio, audio))
        gain = limited_gain(gain_db, true_peaks(output, out_audio.hop_length))
        edges = np.arange(len(gain)) * out_audio.hop_length
        return (output * np.interp(np.arange(len(output)), edges, gain)).astype(np.float32)
