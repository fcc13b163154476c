"""Recordings from files and arrays, as samples of one channel."""

import os
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

import numpy as np

from voiceswap.audio_io.channels import ChannelMix
from voiceswap.audio_io.checks import (
    MIN_RECORDING_SECONDS,
    check_audio,
    require_finite,
    require_full_scale,
)
from voiceswap.audio_io.decoding import (
    MAX_CHANNELS,
    MAX_RATE,
    MIN_RATE,
    decode_file,
    regular_file,
    sound_info,
)
from voiceswap.audio_io.resampling import resample, resample_blocks
from voiceswap.errors import AudioError
from voiceswap.notes import notes_to

if TYPE_CHECKING:
    import torch

AudioInput = Union[str, os.PathLike, np.ndarray, tuple, "torch.Tensor"]  # see `read_input`


def read_audio(path: str | os.PathLike, sample_rate: int, name: str | None = None) -> np.ndarray:
    """Read a file of any kind, mixed down to one channel at `sample_rate` Hz.

    `name` is what errors and notes call it, in place of its path.

    Returns float32 samples, shape (samples,), full scale at 1.0. Raises AudioError when the file is
    missing, is not audio, or fails `check_audio`.
    """
    blocks = AudioStream(path, sample_rate, name)
    samples = np.concatenate([np.zeros(0, np.float32), *blocks])
    check_audio(samples, sample_rate, name or str(path))
    return samples - samples.mean()  # an offset is no sound, but would count as level


def read_audio_up_to(path: str | os.PathLike, highest: int) -> tuple[np.ndarray, int]:
    """`read_audio` at the file's own rate, or at `highest` Hz where that is lower; and the rate.

    Samples of 16 kHz that went through 24 kHz have less just below 8 kHz than before.
    """
    with regular_file(Path(path)) as file:
        rate = min(sound_info(file).rate, highest)
        return read_audio(file, rate, str(path)), rate


class AudioStream:
    """A file's samples as `read_audio` gives them, in blocks, with what offset they have.

    Raises AudioError when the file is missing, is not audio, or holds NaN.

    Attributes:
        seconds: length of what was read so far, exactly; resampling rounds it.
    """

    def __init__(self, path: str | os.PathLike, sample_rate: int, name: str | None = None):
        self.path, self.sample_rate, self.name = Path(path), sample_rate, name or str(path)
        self.seconds = 0.0

    def __iter__(self) -> Iterator[np.ndarray]:
        with regular_file(self.path) as file:
            yield from _resampled(self._counted(_mixed(file, self.name)), self.sample_rate)

    def _counted(
        self, blocks: Iterator[tuple[int, np.ndarray]]
    ) -> Iterator[tuple[int, np.ndarray]]:
        frames = 0
        for rate, block in blocks:
            frames += len(block)
            self.seconds = frames / rate
            yield rate, block


def _mixed(file: Path, name: str) -> Iterator[tuple[int, np.ndarray]]:
    """A file's rate in Hz with each of its blocks (samples,), mixed as `ChannelMix` tells."""
    info = sound_info(file)
    kept: list[int] | slice = slice(None)
    if info.channels > 1:
        mix = ChannelMix(info.channels, info.rate)
        with notes_to(lambda sentence: None):  # the second reading gives the same
            for _, samples in decode_file(file):
                mix.add(samples)
        kept = mix.kept(name)
    for rate, samples in decode_file(file, name):
        block = samples[:, 0] if samples.shape[1] == 1 else samples[:, kept].mean(1)
        require_finite(block, name)
        yield rate, block


def _resampled(blocks: Iterator[tuple[int, np.ndarray]], sample_rate: int) -> Iterator[np.ndarray]:
    for rate, first in blocks:  # once: the others are taken below
        # With an offset, resampling would begin and end with a click.
        offset = np.float32(0) if rate == sample_rate else first.mean()
        every = chain([first], (block for _, block in blocks))
        yield from resample_blocks((block - offset for block in every), rate, sample_rate)


def is_pair(value: object) -> bool:
    """Whether `value` is a recording as a pair: samples and their rate, in either order."""
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        return False
    return sum(_is_number(item) for item in value) == 1 and sum(_is_array(x) for x in value) == 1


def read_input(audio: Any, sample_rate: int) -> tuple[Any, float]:
    """The array or tensor of a recording given as one or as a pair, and its rate in Hz.

    A pair is samples and rate, in either order. Without a rate, the samples are at `sample_rate`.
    Raises AudioError for anything else.
    """
    samples, rate = audio, float(sample_rate)
    if is_pair(audio):
        samples, rate = audio if _is_array(audio[0]) else audio[::-1]
    elif not _is_array(audio):
        raise AudioError(
            "A recording must be a path, an array, or a pair of an array and its sample rate, "
            f"not {type(audio).__name__}."
        )
    return samples, float(rate)


def prepare_audio(
    samples: Any,
    rate: float,
    sample_rate: int,
    name: str = "The recording",
    shortest: float = MIN_RECORDING_SECONDS,
) -> np.ndarray:
    """Samples at any rate, of any kind of number, to checked float32 mono.

    Args:
        samples: (samples,), (channels, samples) or (samples, channels) with at most MAX_CHANNELS;
            integers of at most 32 bits are scaled by their type's full scale.
        rate: Hz, from MIN_RATE to MAX_RATE; that of `samples`.
        sample_rate: Hz; that of the result.
        name: what errors call the recording.
        shortest: seconds that it may have.

    Raises:
        AudioError: as `check_audio` does, and for another rate, shape or kind of array.
    """
    samples = as_floats(samples, name)
    if not MIN_RATE <= rate <= MAX_RATE:
        raise AudioError(
            f"{name} has a sample rate of {rate:g} Hz; {MIN_RATE} to {MAX_RATE} can be read."
        )
    if samples.ndim == 2:
        samples = np.moveaxis(samples, _channel_axis(samples.shape, name), 1)
        mix = ChannelMix(samples.shape[1], rate)
        mix.add(samples)
        samples = samples[:, mix.kept(name)].mean(1)
    check_audio(samples, rate, name, shortest)
    samples = samples - samples.mean()  # an offset is no sound, but would count as level
    if rate != sample_rate:
        samples = resample(samples, rate, sample_rate)
    return np.ascontiguousarray(samples, dtype=np.float32)


def as_floats(samples: Any, name: str) -> np.ndarray:
    """Samples of any kind of number as float32; integers are scaled by their type's full scale.

    Raises AudioError for what is no array of numbers with one or two axes, has 64-bit
    integers, or floats far above full scale.
    """
    if hasattr(samples, "detach"):  # a tensor
        try:
            floats = samples.is_floating_point()
            samples = (samples.float() if floats else samples).numpy(force=True)
        except (TypeError, NotImplementedError) as error:  # sparse, quantized or on no device
            raise AudioError(
                f"{name} must be a plain tensor of numbers, not {samples.layout} of "
                f"{samples.dtype} on {samples.device}."
            ) from error
    samples = np.asarray(samples)
    if samples.dtype.kind not in "fiu" or samples.ndim not in (1, 2):
        raise AudioError(
            f"{name} must be an array of numbers of shape (samples,) or (channels, samples)."
        )
    if samples.dtype.kind in "iu" and samples.dtype.itemsize > 4:
        raise AudioError(
            f"{name} holds integers of 64 bits, whose full scale is not known; give them as int16 "
            "or int32, or as floats with full scale at 1.0."
        )
    if samples.dtype.kind == "f":
        require_full_scale(samples, name)
    if samples.dtype.kind == "u":  # unsigned PCM is centred on half its range
        samples = samples / ((np.iinfo(samples.dtype).max + 1) / 2) - 1
    elif samples.dtype.kind == "i":
        samples = samples / (np.iinfo(samples.dtype).max + 1)
    return samples.astype(np.float32)


def _channel_axis(shape: tuple[int, ...], name: str) -> int:
    """The axis of a two-dimensional recording that counts channels: the short one."""
    short = [axis for axis in (0, 1) if shape[axis] <= MAX_CHANNELS]
    if len(short) != 1:
        raise AudioError(
            f"{name} has the shape {shape}, in which one axis must be channels (at most "
            f"{MAX_CHANNELS}) and the other samples (more than {MAX_CHANNELS})."
        )
    return short[0]


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def _is_array(value: object) -> bool:
    # A tensor, without importing torch, has `detach` and `cpu`; an open file has `detach` too.
    return isinstance(value, np.ndarray) or (hasattr(value, "detach") and hasattr(value, "cpu"))
