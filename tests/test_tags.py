"""What a result keeps of its source beside pictures: tags, and the subtitles of videos."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from commands import command
from videos import video

from voiceswap.audio import read_audio
from voiceswap.audio_io.cover import MEDIA_TYPES, Cover, read_cover
from voiceswap.audio_io.ffmpeg_writing import wav_or_video
from voiceswap.audio_io.id3 import write_id3
from voiceswap.audio_io.mp3_header import xing_header
from voiceswap.audio_io.tags import Chapter, read_chapters, set_chapters
from voiceswap.audio_io.writing import COMMENT, AudioWriter
from voiceswap.examples import GOODBYE, HELLO

TAGS = {"title": "Ein Gespräch", "artist": "Anna", "date": "2024"}
OTHERS = {"comment": "of the source", "location": "+48.1+011.6/"}
LINES = [(500, b"Hello"), (2000, b"Bye")]  # milliseconds, and words of a second each
CODECS = {"mkv": "subrip", "mp4": "mov_text"}
KEEPING = ("wav", "flac", "ogg", "opus", "mp3", "m4a", "m4b", "mkv")  # tags in every script
BOOK = {"title": "第一章 – Straße", "album_artist": "Author", "composer": "Narratör", "disc": "1/2"}
CHAPTERS = [
    Chapter(0, 1200, "Der Anfang – 开始"),
    Chapter(1200, 2500, "B"),
    Chapter(2500, 3900, "C"),
]


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
        *((ending, ("title", "artist")) for ending in KEEPING),
        ("aiff", ("title",)),  # FFmpeg does not read its artist
    ],
)
def test_a_result_keeps_what_tags_tell_of_the_words(hello, tmp_path, ending, kept):
    out = written(tmp_path / f"out.{ending}", talk(tmp_path / "talk.mkv", hello), hello)
    found = tags(out)
    again = tags(written(tmp_path / "again.wav", out, hello))  # and from each format
    for name in ("title", "artist"):
        assert (found.get(name), again.get(name)) == (TAGS[name] if name in kept else None,) * 2
    assert found["comment"] == again["comment"] == COMMENT and "location" not in found


def picture(codec: str) -> bytes:
    """A picture of 16 by 16 dots."""
    coder = av.CodecContext.create(codec, "w")
    coder.width, coder.height, coder.time_base = 16, 16, Fraction(1)
    coder.pix_fmt = {"mjpeg": "yuvj420p", "png": "rgb24"}[codec]
    dots = np.arange(768, dtype=np.uint8).reshape(16, 16, 3)
    frame = av.VideoFrame.from_ndarray(dots, format="rgb24").reformat(format=coder.pix_fmt)
    return b"".join(map(bytes, [*coder.encode(frame), *coder.encode(None)]))


@pytest.mark.parametrize("codec", ["mjpeg", "png"])
def test_a_cover_stays(hello, tmp_path, codec):
    album = tmp_path / "album.mp3"
    soundfile.write(album, hello, 16000)
    cover = Cover(MEDIA_TYPES[codec], picture(codec), album)
    write_id3(album, TAGS, CHAPTERS, cover)
    plain = read_audio(album, 16000)
    for ending in ("mp3", "m4b", "m4a"):
        outs = [written(tmp_path / f"{x}.{ending}", album, hello) for x in "ab"]
        found = read_cover(outs[0])
        assert found is not None and found[:2] == cover[:2]
        assert read_chapters(outs[0]) == CHAPTERS and tags(outs[0])["title"] == TAGS["title"]
        assert len(read_audio(outs[0], 16000)) == pytest.approx(len(hello), abs=1100)
        assert outs[0].read_bytes() == outs[1].read_bytes()
        with AudioWriter(outs[0], 16000, source=album, tags=False) as writer:
            writer.write(hello)
        assert read_cover(outs[0]) is None
    again = written(tmp_path / "again.wav", tmp_path / "b.m4b", plain)
    assert read_cover(again) is None and wav_or_video(tmp_path / "b.m4b") == "wav"


@pytest.fixture
def book(hello, tmp_path) -> Path:
    """An audiobook in one file."""
    path = tmp_path / "book.m4b"
    with av.open(str(path), "w", format="ipod") as container:
        container.metadata.update(BOOK)
        set_chapters(container, CHAPTERS)
        track = container.add_stream("aac", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(hello[None], format="fltp", layout="mono")
        frame.rate = 16000
        container.mux([*track.encode(frame), *track.encode(None)])
    soundfile.write(path.with_suffix(".wav"), hello, 16000)
    return path


@pytest.mark.parametrize("ending", ["m4b", "mp3", "m4a", "mkv"])
def test_an_audiobook_keeps_its_chapters_and_tags(hello, tmp_path, book, ending):
    outs = [written(tmp_path / f"{x}.{ending}", book, hello) for x in "ab"]
    assert read_chapters(outs[0]) == CHAPTERS
    assert tags(outs[0]).items() >= BOOK.items() and tags(outs[0])["comment"] == COMMENT
    sound = read_audio(outs[0], 16000)
    written(tmp_path / f"plain.{ending}", book.with_suffix(".wav"), hello)
    assert np.array_equal(sound, read_audio(tmp_path / f"plain.{ending}", 16000))
    assert outs[0].read_bytes() == outs[1].read_bytes()
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_any_number_of_chapters_fits_an_mp3(hello, tmp_path):
    many = [Chapter(10 * n, 10 * n + 10, f"{n}") for n in range(300)]
    with AudioWriter(tmp_path / "out.mp3", 24000) as writer:
        writer.chapters = many
        writer.write(hello)
    assert read_chapters(tmp_path / "out.mp3") == many
    header = xing_header(tmp_path / "out.mp3")
    assert header is not None and not header.cut
    assert header.seconds == pytest.approx(len(hello) / 24000, abs=0.1)


def test_chapters_that_no_player_could_show_are_left_out(hello, tmp_path):
    path = tmp_path / "odd.mp3"
    odd = [Chapter(5, 5, "empty"), Chapter(2**32 - 3, 2**32 - 1, "late"), CHAPTERS[0]]
    with AudioWriter(path, 24000) as writer:
        writer.chapters = odd
        writer.write(hello)
    assert read_chapters(path) == odd[1:]


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


@pytest.mark.parametrize("ending", ["m4b", "mp3", "m4a", "mkv", "flac"])
def test_without_tags_nothing_names_who_speaks(hello, tmp_path, book, ending):
    out = tmp_path / f"out.{ending}"
    with AudioWriter(out, 16000, 24000, source=book, tags=False) as writer:
        writer.write(hello)
    assert read_chapters(out) == [] and read_cover(out) is None
    assert not tags(out).keys() & BOOK.keys() and tags(out)["comment"] == COMMENT


def test_without_tags_a_video_keeps_its_pictures(hello, tmp_path):
    out = tmp_path / "out.mkv"
    with AudioWriter(out, 16000, source=talk(tmp_path / "talk.mkv", hello), tags=False) as writer:
        writer.write(hello)
    with av.open(str(out)) as file:
        assert file.streams.video and not file.metadata.keys() & {x.upper() for x in TAGS}
    assert tags(out).get("title") is None


def test_every_command_can_leave_tags_out(monkeypatch, model, tmp_path):
    monkeypatch.chdir(tmp_path)
    samples, rate = soundfile.read(HELLO)
    with soundfile.SoundFile("s.flac", "w", rate, 1) as file:
        file.title, file.artist = "Interview", "Anna"
        file.write(samples)
    with open("turns.csv", "w", encoding="utf-8") as file:
        file.write("start,end,speaker\n0,1,1\n1,3,2\n")
    own = ("--checkpoint", model, "--no-tags")
    command(monkeypatch, "convert", "s.flac", "--target", GOODBYE, "--out", "convert.flac", *own)
    command(monkeypatch, "batch", "s.flac", "--target", GOODBYE, "--out", "batch", *own)
    dialogue = ("s.flac", "--turns", "turns.csv", "--second", GOODBYE, "--out", "dialogue.flac")
    command(monkeypatch, "dialogue", *dialogue, *own)
    for out in ("convert.flac", "batch/s.flac", "dialogue.flac"):
        assert tags(Path(out))["comment"] == COMMENT
        assert not tags(Path(out)).keys() & {"title", "artist"}
