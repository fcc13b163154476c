"""Compressed files that were cut off: a note where the header tells, and none where it does not."""

import os
import threading
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from test_formats import write

from voiceswap.audio import read_audio, read_audio_up_to
from voiceswap.audio_io.decoding import sound_info
from voiceswap.audio_io.mp3_header import xing_header
from voiceswap.notes import notes_to


def notes_on(path: Path, read=read_audio) -> list[str]:
    """The notes of reading a file, without its name."""
    notes = []
    with notes_to(notes.append):
        read(path, 16000)
    assert all(note.recording == str(path) for note in notes)
    return [note.text for note in notes]


def cut(path: Path, share: float) -> Path:
    """A copy of a file, without its end."""
    data = path.read_bytes()
    copy = path.with_name(f"cut-{path.name}")
    copy.write_bytes(data[: round(share * len(data))])
    return copy


@pytest.fixture
def talk(hello, tmp_path) -> Path:
    """An MP3 of 11.5 s, with the header that LAME writes."""
    soundfile.write(tmp_path / "talk.mp3", np.tile(hello, 3), 16000)
    return tmp_path / "talk.mp3"


def test_an_mp3_that_was_cut_off_has_a_note(talk):
    assert notes_on(talk) == [] and abs(xing_header(talk).seconds - 11.5) < 0.2
    (note,) = notes_on(cut(talk, 0.5))
    assert note.startswith(" ends after ") and note.endswith(" of the 11.6 s it should have.")


@pytest.mark.parametrize("rate", [44100, 48000, 22050, 8000])
@pytest.mark.parametrize("channels", [1, 2])
def test_the_length_in_an_mp3_is_found(hello, tmp_path, rate, channels):
    path = tmp_path / "talk.mp3"
    soundfile.write(path, np.stack([np.tile(hello, 3)] * channels, 1), rate)
    expected = 3 * len(hello) / rate
    assert expected <= xing_header(path).seconds < expected + 0.3
    tag = b"ID3\x04\x00\x00\x00\x00\x02\x01" + b"\xff\xfb" * 128 + b"\x00"
    path.write_bytes(tag + path.read_bytes())
    assert expected <= xing_header(path).seconds < expected + 0.3


def test_an_mp3_without_a_length_and_several_together_have_no_note(talk, tmp_path):
    data = talk.read_bytes()
    (tmp_path / "two.mp3").write_bytes(data + data)
    at = data.find(b"\xff", 200)  # past the first frame, which has the header
    (tmp_path / "none.mp3").write_bytes(data[at:])
    assert xing_header(tmp_path / "none.mp3") is None
    assert notes_on(tmp_path / "two.mp3") == notes_on(tmp_path / "none.mp3") == []
    for head in (b"", b"\xff", b"ID3", b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f", b"\xff\xfb\x90\x00"):
        (tmp_path / "head.mp3").write_bytes(head)
        assert xing_header(tmp_path / "head.mp3") is None


@pytest.mark.parametrize("ending", ["webm", "mka"])
def test_what_has_its_length_beside_the_track_has_a_note(hello, tmp_path, ending):
    kind = {"webm": ("libopus", 48000), "mka": ("aac", 44100)}[ending]
    path = write(tmp_path / f"memo.{ending}", np.tile(hello, 3), *kind, "mono")
    assert notes_on(path) == []
    (note,) = notes_on(cut(path, 0.5))
    assert note.startswith(" ends after ")


def test_a_guess_is_no_length(hello, tmp_path):
    silent = np.zeros(160000, np.float32)
    path = tmp_path / "memo.aac"
    with av.open(str(path), "w", format="adts") as container:
        stream = container.add_stream("aac", rate=16000, layout="mono")
        samples = np.concatenate([silent, hello])[None]
        for start in range(0, samples.shape[1], 1024):
            block = np.ascontiguousarray(samples[:, start : start + 1024], np.float32)
            frame = av.AudioFrame.from_ndarray(block, "fltp", "mono")
            frame.sample_rate, frame.pts = 16000, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with av.open(str(path)) as container:
        assert container.duration / av.time_base > 60  # by the first frames, which are small
    assert sound_info(path).seconds is None and notes_on(path) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
@pytest.mark.parametrize("read", [read_audio, read_audio_up_to])
@pytest.mark.parametrize("ending", ["mp3", "wav"])
def test_a_pipe_is_called_by_its_own_name(talk, tmp_path, hello, read, ending):
    soundfile.write(tmp_path / "talk.wav", np.tile(hello, 3), 16000)
    data = cut(tmp_path / f"talk.{ending}", 0.5).read_bytes()
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes(data))
    writer.start()
    (note,) = notes_on(tmp_path / "pipe", read)
    writer.join()
    assert note.startswith(" ends after ")
