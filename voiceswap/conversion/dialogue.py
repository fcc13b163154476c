"""Recordings in which people speak in turns: each gets a voice of their own."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import soundfile

from voiceswap.audio import AudioStream
from voiceswap.audio_io.channels import ONE_ON_EACH
from voiceswap.audio_io.checks import MIN_RECORDING_SECONDS, require_length
from voiceswap.audio_io.decoding import regular_file, sound_info
from voiceswap.audio_io.resampling import of_length, resample_blocks
from voiceswap.audio_io.subtypes import fine_subtype
from voiceswap.audio_io.writing import AudioWriter
from voiceswap.conversion.diarization import find_turns
from voiceswap.conversion.disk_array import DiskArray
from voiceswap.conversion.file_conversion import FileConversion
from voiceswap.conversion.options import ConversionOptions, conversion_options
from voiceswap.conversion.progress import ProgressCallback, part_of
from voiceswap.conversion.recording_notes import TWO_SPEAK
from voiceswap.conversion.speaker_changes import PLACE_SECONDS, turns_of
from voiceswap.conversion.swapper import References, VoiceSwapper
from voiceswap.conversion.turns import Turn, covering
from voiceswap.conversion.two_channels import TwoChannels
from voiceswap.errors import AudioError, VoiceswapError
from voiceswap.notes import Note, note, notes_to

MOST_RATE = 48000  # Hz, of a recording
FADE_SECONDS = 0.003  # on either side of where turns part
BLOCK_SECONDS = 10
FINDING = 0.5  # share of the work that it is to find out who speaks when

OWN_CHANNELS = (
    ": each of the two has a channel of their own, so each channel is converted by itself, and the "
    "result is a mix of both (--turns with a list that is there converts a mix)."
)
OF_BOTH = ": these turns seem to be of two people; correct who speaks when (--turns)."

Parts = dict[int, Path]  # recordings of one person each, by speaker


def convert_dialogue(
    swapper: VoiceSwapper,
    source: str | os.PathLike,
    out: str | os.PathLike,
    voices: Mapping[int, References] | None = None,
    turns: Sequence[Turn] | None = None,
    progress: ProgressCallback = lambda done: None,
    **options: Any,
) -> list[Turn]:
    """Convert a recording of two people who speak in turns, each to a voice of their own.

    A person's turns, joined, are one source: pitch, level and content have statistics of their own.
    Where each has a channel, as in a call, that is the source, and what both speak at once is kept.
    Memory does not grow with the recording.

    Args:
        swapper: the model.
        source: the file to convert.
        out: the file to write, as in `VoiceSwapper.convert_file`.
        voices: the references for speakers 1, who speaks first, and 2; who has none stays as
            recorded. None swaps the voices of both.
        turns: who speaks when in the mix of the channels; speakers may be more than two. None finds
            it out.
        progress: as in `VoiceSwapper.convert_file`.
        options: those of `ConversionOptions`, by keyword.

    Returns:
        The turns, which cover the recording.

    Raises:
        AudioError: no two people can be told apart in it, or a recording can't be used.
        VoiceswapError: any other value can't be used.
    """
    source, out, chosen = Path(source), Path(out), conversion_options(options)
    name, verifier = str(source), swapper.engine.verifier
    with regular_file(source) as file, TemporaryDirectory(prefix="voiceswap-") as folder:
        # At its own rate: up to the model's and down to that of its networks would cost highs.
        own_rate = min(sound_info(file).rate, MOST_RATE)
        highs = voices is not None and own_rate > swapper.sample_rate  # of who is not converted
        rate = MOST_RATE if highs else swapper.sample_rate
        subtype = chosen.subtype or fine_subtype(out, file)
        writer = AudioWriter(out, rate, chosen.rate, subtype, file, tags=chosen.tags)
        whole, writer.seconds, own_channels = _read(file, own_rate, name, progress)
        channels = TwoChannels(file, own_rate) if own_channels and turns is None else None
        if turns is None:
            samples = _resampled(whole, own_rate, verifier.sample_rate)
            if channels:
                second = channels.second()
                turns = turns_of(second, samples, verifier.sample_rate)
                note(Note(name, OWN_CHANNELS))
            else:
                finding = part_of(progress, 0.0, FINDING)
                turns = find_turns(samples, verifier, name, finding)
                progress = part_of(progress, FINDING, 1.0)
        turns = covering(turns, len(whole) / own_rate, name)
        with _named(Path(folder), name):
            if channels:
                begins = second[int(turns[0].end / 2 / PLACE_SECONDS)]  # who speaks first
                parts = _of_channels(channels, (2, 1) if begins else (1, 2), Path(folder))
            else:
                parts = _split(whole, own_rate, turns, Path(folder))
            targets = _targets(voices, parts, name)
            files = _converted(swapper, parts, targets, replace(chosen, rate=rate), progress)
            for speaker in set(parts) - set(files):
                files[speaker] = _resampled_file(parts[speaker], rate)
        with writer:
            for block in _mixed(files, rate) if channels else _joined(files, turns, rate):
                writer.write(block)
    return turns


def _read(
    file: Path, rate: int, name: str, progress: ProgressCallback
) -> tuple[DiskArray, float, bool]:
    """A file's samples at `rate`, its length in seconds, and whether each person has a channel."""
    stream, whole, notes = AudioStream(file, rate, name), DiskArray(np.float32), list[Note]()
    with notes_to(notes.append):
        for block in stream:
            progress(0.0)
            whole.append(block)
    for sentence in notes:
        if sentence.text != ONE_ON_EACH:  # as expected
            note(sentence)
    require_length(len(whole), rate, name, MIN_RECORDING_SECONDS)
    own_channels = any(sentence.text == ONE_ON_EACH for sentence in notes)
    return whole, stream.seconds, own_channels


def _resampled(whole: DiskArray, rate: int, new_rate: int) -> DiskArray:
    blocks = whole.blocks(BLOCK_SECONDS * rate)
    return DiskArray.of(resample_blocks(blocks, rate, new_rate), np.float32)


def _samples(turn: Turn, rate: int) -> tuple[int, int]:
    """First and last sample of a turn."""
    return round(turn.start * rate), round(turn.end * rate)


def _split(whole: DiskArray, rate: int, turns: Sequence[Turn], folder: Path) -> Parts:
    """Each person's turns, joined."""
    parts = {turn.speaker: folder / f"speaker {turn.speaker}.wav" for turn in turns}
    with ExitStack() as stack:
        files = {
            speaker: stack.enter_context(AudioWriter(part, rate, subtype="FLOAT"))
            for speaker, part in parts.items()
        }
        for turn in turns:
            first, last = _samples(turn, rate)
            for start in range(first, last, BLOCK_SECONDS * rate):
                end = min(last, start + BLOCK_SECONDS * rate)
                files[turn.speaker].write(whole.read(start, end))
    return parts


def _of_channels(channels: TwoChannels, speakers: tuple[int, int], folder: Path) -> Parts:
    """Each channel, of the person with that number among `speakers`, at the whole length."""
    parts = {speaker: folder / f"speaker {speaker}.wav" for speaker in speakers}
    for channel, part in enumerate(parts.values()):
        channels.write(channel, part)
    return parts


def _targets(
    voices: Mapping[int, References] | None, parts: Parts, name: str
) -> Mapping[int, References]:
    """References by speaker; those of a swap are each other's parts."""
    for speaker in (1, 2) if voices is None else voices:
        if speaker not in parts:
            raise AudioError(
                f"{name} has no turn of speaker {speaker}, who is to be converted; correct who "
                "speaks when, or give voices to others alone."
            )
    return {1: parts[2], 2: parts[1]} if voices is None else voices


def _converted(
    swapper: VoiceSwapper,
    parts: Parts,
    targets: Mapping[int, References],
    options: ConversionOptions,
    progress: ProgressCallback,
) -> Parts:
    """The parts of those who have a target, converted to it."""
    out = {
        speaker: part.with_name(f"converted {part.name}")
        for speaker, part in parts.items()
        if speaker in targets
    }
    files = [
        FileConversion(parts[speaker], targets[speaker], path, replace(options, subtype="FLOAT"))
        for speaker, path in out.items()
    ]
    for error in swapper.convert_files(files, progress):
        if error:
            raise error
    return out


def _resampled_file(part: Path, rate: int) -> Path:
    """A part at another rate, in another file."""
    path = part.with_name(f"kept {part.name}")
    own = soundfile.info(part).samplerate
    with AudioWriter(path, own, rate, "FLOAT") as writer, soundfile.SoundFile(part) as file:
        for block in file.blocks(BLOCK_SECONDS * own, dtype=np.float32):
            writer.write(block)
    return path


def _joined(parts: Parts, turns: Sequence[Turn], rate: int) -> Iterator[np.ndarray]:
    """The turns of all parts in order, in blocks; both sides fade where turns part."""
    fade = round(FADE_SECONDS * rate)
    with ExitStack() as stack:
        files = {
            speaker: stack.enter_context(soundfile.SoundFile(part))
            for speaker, part in parts.items()
        }
        for number, turn in enumerate(turns):
            first, last = _samples(turn, rate)
            for start in range(first, last, BLOCK_SECONDS * rate):
                places = np.arange(start, min(last, start + BLOCK_SECONDS * rate))
                block = of_length(files[turn.speaker].read(len(places), np.float32), len(places))
                if number > 0:
                    block = block * np.clip((places - first) / fade, 0, 1)
                if number < len(turns) - 1:
                    block = block * np.clip((last - 1 - places) / fade, 0, 1)
                yield block.astype(np.float32)


def _mixed(parts: Parts, rate: int) -> Iterator[np.ndarray]:
    """The mean of parts of the whole length, in blocks."""
    with ExitStack() as stack:
        files = [stack.enter_context(soundfile.SoundFile(part)) for part in parts.values()]
        while True:
            blocks = [file.read(BLOCK_SECONDS * rate, np.float32) for file in files]
            longest = max(map(len, blocks))
            if longest == 0:
                return
            yield np.stack([of_length(block, longest) for block in blocks]).mean(0)


@contextmanager
def _named(folder: Path, name: str) -> Iterator[None]:
    """Notes and errors on the parts in `folder` as those of the recording `name`."""

    def renamed(text: str) -> str:
        return re.sub(re.escape(str(folder)) + r"\W(speaker \d+)\.wav", rf"{name} (\1)", text)

    notes: list[Note] = []
    try:
        with notes_to(notes.append):
            yield
    except VoiceswapError as error:
        raise type(error)(renamed(str(error))) from error
    finally:
        for sentence in notes:
            recording = renamed(sentence.recording)
            if recording != sentence.recording and sentence.text.startswith(TWO_SPEAK):
                sentence = Note(recording, OF_BOTH)  # nobody can give other turns
            note(sentence.of(recording))
