"""What a result keeps of its source beside pictures: tags, and the subtitles of videos."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from videos import video

from voiceswap.audio import read_audio
from voiceswap.audio_io.writing import COMMENT, AudioWriter

TAGS = {"title": "Ein Gespräch", "artist": "Anna", "date": "2024"}
OTHERS = {"comment": "of the source", "location": "+48.1+011.6/"}
LINES = [(500, b"Hello"), (2000, b"Bye")]  # milliseconds, and words of a second each
CODECS = {"mkv": "subrip", "mp4": "mov_text"}


def talk(path: Path, hello: np.ndarray, lines: list[tuple[int, bytes]] = LINES) -> Path:
    """A German video with tags and French subtitles, which are before all pictures in the file."""
    plain, codec = video(path.with_name(f"plain{path.suffix}"), hello), CODECS[path.suffix[1:]]
    with av.open(str(plain)) as given, av.open(str(path), "w") as container:
        container.metadata.update(TAGS | OTHERS)
        texts = container.add_mux_stream(codec, time_base=Fraction(1, 1000))
        texts.metadata.update({"language": "fre"})
        tracks = [container.add_stream_from_template(x, opaque=True) for x in given.streams]
        tracks[1].metadata["language"] = "ger"
        for time, text in lines:
            size = len(text).to_bytes(2, "big") if codec == "mov_text" else b""
            packet = av.Packet(size + text)
            packet.stream, packet.pts, packet.dts, packet.duration = texts, time, time, 1000
            container.mux(packet)
        for packet in given.demux():
            if packet.size:
                packet.stream = tracks[packet.stream.index]
                container.mux(packet)
    return path


def written(path: Path, source: Path, samples: np.ndarray) -> Path:
    with AudioWriter(path, 16000, 24000, source=source) as writer:
        for block in np.array_split(samples, 5):
            writer.write(block)
    return path


def tags(path: Path) -> dict[str, str]:
    with av.open(str(path)) as file:
        found = file.metadata | file.streams.audio[0].metadata
    return {name.lower(): text for name, text in found.items()}


def subtitles(path: Path) -> list[tuple[int, bytes]]:
    with av.open(str(path)) as file:
        assert [track.metadata["language"] for track in file.streams.subtitles] == ["fre"]
        packets = [packet for packet in file.demux(subtitles=0) if packet.size > 2]
        return [(round(1000 * p.pts * p.time_base), bytes(p).lstrip(b"\0\3\5")) for p in packets]


@pytest.mark.parametrize("ending", CODECS)
def test_a_video_keeps_its_subtitles_and_languages(hello, tmp_path, ending):
    source = talk(tmp_path / f"talk.{ending}", hello)
    outs = [written(tmp_path / f"{x}.{ending}", source, hello) for x in "ab"]
    assert subtitles(outs[0]) == LINES and tags(outs[0])["language"] == "ger"
    assert len(read_audio(outs[0], 16000)) == pytest.approx(len(hello), abs=1600)
    assert outs[0].read_bytes() == outs[1].read_bytes()


def test_subtitles_that_a_format_cannot_hold_are_left_out(hello, tmp_path):
    out = written(tmp_path / "out.mp4", talk(tmp_path / "talk.mkv", hello), hello)
    with av.open(str(out)) as file:
        assert [track.type for track in file.streams] == ["audio", "video"]


@pytest.mark.parametrize(
    ("ending", "kept"),
    [
        *((ending, ("title", "artist")) for ending in ("wav", "flac", "ogg", "opus", "m4a", "mkv")),
        ("aiff", ("title",)),  # FFmpeg does not read its artist
        ("mp3", ("artist",)),  # of the title, players would show something else
    ],
)
def test_a_result_keeps_what_tags_tell_of_the_words(hello, tmp_path, ending, kept):
    out = written(tmp_path / f"out.{ending}", talk(tmp_path / "talk.mkv", hello), hello)
    found = tags(out)
    again = tags(written(tmp_path / "again.wav", out, hello))  # and from each format
    for name in ("title", "artist"):
        assert (found.get(name), again.get(name)) == (TAGS[name] if name in kept else None,) * 2
    assert found["comment"] == again["comment"] == COMMENT and "location" not in found


def test_tags_of_another_encoding_do_not_keep_a_recording_from_being_read(hello, tmp_path):
    path = tmp_path / "old.avi"
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "CafX"
        track = container.add_stream("pcm_s16le", rate=16000, layout="mono")
        wave = (hello[None] * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(wave, format="s16", layout="mono")
        frame.rate = 16000
        container.mux([*track.encode(frame), *track.encode(None)])
    path.write_bytes(path.read_bytes().replace(b"CafX", b"Caf\xe9"))
    assert len(read_audio(path, 16000)) == len(hello)
    out = written(tmp_path / "out.flac", path, hello)
    assert tags(out)["title"] == "Caf\N{REPLACEMENT CHARACTER}"
