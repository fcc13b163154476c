"""Phone memos, videos, damaged headers, pipes: by every way in."""

import builtins
import os
import threading
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from voiceswap import AudioError
from voiceswap.audio import read_audio
from voiceswap.audio_io.decoding import sound_info
from voiceswap.batch import Status, convert_folder
from voiceswap.notes import notes_to

KINDS = {  # ending: codec, rate, layout
    "m4a": ("aac", 44100, "stereo"),
    "mp4": ("aac", 48000, "mono"),
    "mov": ("aac", 16000, "mono"),
    "3gp": ("aac", 16000, "mono"),
    "webm": ("libopus", 48000, "stereo"),
    "mka": ("aac", 44100, "stereo"),
}
OPTIONS = {"libopencore_amrnb": {"dtx": "1"}}  # silence is left out, as phones do


def write(path: Path, samples: np.ndarray, codec: str, rate: int, layout: str) -> Path:
    """Encode 16 kHz samples as a phone does; skip where this FFmpeg lacks the encoder."""
    kind = {"m4a": "ipod", "mka": "matroska"}.get(path.suffix[1:])
    try:
        with av.open(str(path), "w", format=kind) as container:
            stream = container.add_stream(codec, rate=rate, layout=layout)
            stream.options = OPTIONS.get(codec, {})
            frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
            frame.rate = 16000
            resampler = av.AudioResampler(stream.format, layout, rate, stream.frame_size or None)
            for part in (*resampler.resample(frame), *resampler.resample(None)):
                container.mux(stream.encode(part))
            container.mux(stream.encode(None))
    except (av.FFmpegError, ValueError) as error:
        pytest.skip(f"no encoder for {path.suffix} here ({error})")
    return path


@pytest.mark.parametrize("ending", KINDS)
def test_phone_formats_are_read(tiny, hello, goodbye, tmp_path, ending):
    path = write(tmp_path / f"memo.{ending}", hello, *KINDS[ending])
    notes: list[str] = []
    with notes_to(notes.append):
        read = read_audio(path, 16000)
    assert abs(len(read) - len(hello)) < 0.2 * 16000 and not notes
    assert sound_info(path).rate == KINDS[ending][1]
    delay = np.argmax(np.correlate(read, hello[8000:40000], "valid")) - 8000
    together = read[8000 + delay :][:32000], hello[8000:40000]
    assert np.corrcoef(*together)[0, 1] > 0.9
    assert np.isfinite(tiny.convert(path, goodbye)).all()


def test_a_phone_memo_that_leaves_out_silence_keeps_its_length(hello, tmp_path):
    silence = 1e-4 * np.random.default_rng(0).standard_normal(16000).astype(np.float32)
    samples = np.concatenate([hello, silence, hello])
    path = write(tmp_path / "memo.amr", samples, "libopencore_amrnb", 8000, "mono")
    notes: list[str] = []
    with notes_to(notes.append):
        read = read_audio(path, 16000)
    assert abs(len(read) - len(samples)) < 0.1 * 16000 and not notes
    loudness = [
        np.abs(x[: len(read) // 800 * 800].reshape(-1, 800)).mean(1) for x in (read, samples)
    ]
    assert np.corrcoef(*(x[: min(map(len, loudness))] for x in loudness))[0, 1] > 0.9


def test_a_folder_with_phone_files_is_converted(tiny, hello, goodbye, tmp_path):
    (tmp_path / "in").mkdir()
    write(tmp_path / "in" / "memo.m4a", hello, *KINDS["m4a"])
    (tmp_path / "in" / "broken.m4a").write_bytes(b"no sound at all")
    soundfile.write(tmp_path / "voice.wav", goodbye, 16000)
    report = convert_folder(
        [tmp_path / "in"], [tmp_path / "voice.wav"], tmp_path / "out", swapper=tiny
    )
    status = {Path(row.source).name: row for row in report.rows}
    assert status["memo.m4a"].status is Status.CONVERTED
    assert (tmp_path / "out" / "memo.m4a").exists()
    assert status["broken.m4a"].status is Status.FAILED
    assert "can't be read as audio" in status["broken.m4a"].error


def test_without_pyav_the_way_out_is_said(tmp_path, hello, monkeypatch):
    path = write(tmp_path / "memo.m4a", hello, *KINDS["m4a"])
    real = builtins.__import__

    def without(name, *rest):
        if name == "av":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(AudioError, match=r"ffmpeg -i memo.m4a memo.wav\.$"):
        read_audio(path, 16000)


def test_a_video_without_sound_and_a_cut_memo_are_sentences(tmp_path, hello):
    silent = tmp_path / "silent.mp4"
    with av.open(str(silent), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(AudioError, match=r"silent\.mp4 has no sound track"):
        read_audio(silent, 16000)
    memo = write(tmp_path / "memo.m4a", hello, *KINDS["m4a"])
    memo.write_bytes(memo.read_bytes()[:4000])
    with pytest.raises(AudioError, match="can't be read as audio"):
        read_audio(memo, 16000)


def two_parts(path, hello, goodbye):
    parts = []
    for number, samples in enumerate((hello, goodbye)):
        part = path.with_name(f"{number}.mp3")
        soundfile.write(part, samples, 16000)
        parts.append(part.read_bytes())
    path.write_bytes(b"".join(parts))


def wrong_length(frames):
    """An MP3 whose Xing header counts other frames than there are."""

    def make(path, hello, goodbye):
        soundfile.write(path, hello, 16000)
        data = bytearray(path.read_bytes())
        place = max(data.find(b"Xing"), data.find(b"Info"))
        assert place > 0
        data[place + 8 : place + 12] = frames.to_bytes(4, "big")
        path.write_bytes(data)

    return make


def crashed(size):
    """A WAV of a recorder that never came to write how long it is."""

    def make(path, hello, goodbye):
        soundfile.write(path, hello, 16000)
        data = bytearray(path.read_bytes())
        place = data.find(b"data")
        data[4:8] = data[place + 4 : place + 8] = size.to_bytes(4, "little")
        path.write_bytes(data)

    return make


def kept_as(format, subtype):
    def make(path, hello, goodbye):
        soundfile.write(path, hello, 16000, format=format, subtype=subtype)

    return make


WHOLE = {  # file: how it is made, and the seconds of two recordings that are in it
    "two.mp3": (two_parts, (1, 1)),
    "too-short-header.mp3": (wrong_length(10), (1, 0)),
    "too-long-header.mp3": (wrong_length(100_000), (1, 0)),
    "crashed-0.wav": (crashed(0), (1, 0)),
    "crashed-ff.wav": (crashed(0xFFFFFFFF), (1, 0)),
    "x.rf64": (kept_as("RF64", "PCM_16"), (1, 0)),
    "x.w64": (kept_as("W64", "PCM_16"), (1, 0)),
    "ima.wav": (kept_as("WAV", "IMA_ADPCM"), (1, 0)),
    "ms.wav": (kept_as("WAV", "MS_ADPCM"), (1, 0)),
}


@pytest.mark.parametrize("name", WHOLE)
def test_files_with_wrong_headers_are_read_to_their_end(tiny, hello, goodbye, tmp_path, name):
    make, (first, second) = WHOLE[name]
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / name
    make(path, hello, goodbye)
    expected = (first * len(hello) + second * len(goodbye)) / 16000
    assert len(read_audio(path, 16000)) / 16000 == pytest.approx(expected, abs=0.2)
    report = convert_folder(
        [path], [saved_voice(tmp_path, goodbye)], tmp_path / "out", swapper=tiny
    )
    (row,) = report.rows
    assert row.status is Status.CONVERTED
    assert row.audio_seconds == pytest.approx(expected, abs=0.2)


def saved_voice(folder, samples):
    soundfile.write(folder / "voice.wav", samples, 16000)
    return folder / "voice.wav"


def test_what_is_missing_of_a_cut_off_memo_is_said(tiny, hello, goodbye, tmp_path):
    path = write(tmp_path / "memo.m4a", hello, *KINDS["m4a"])
    with (
        av.open(str(path)) as memo,
        av.open(str(tmp_path / "cut.m4a"), "w", options={"movflags": "faststart"}) as container,
    ):
        stream = container.add_stream_from_template(memo.streams.audio[0])
        for packet in memo.demux():
            if packet.dts is not None:
                packet.stream = stream
                container.mux(packet)
    data = (tmp_path / "cut.m4a").read_bytes()
    (tmp_path / "cut.m4a").write_bytes(data[: len(data) * 2 // 3])
    notes = []
    with notes_to(notes.append):
        assert 1 < len(read_audio(tmp_path / "cut.m4a", 16000)) / 16000 < 3.5
    assert "cut.m4a ends after" in notes[-1]
    soundfile.write(tmp_path / "memo.flac", np.tile(hello, 6), 16000)
    data = (tmp_path / "memo.flac").read_bytes()
    (tmp_path / "cut.flac").write_bytes(data[: len(data) * 3 // 4])
    others: list[str] = []
    with notes_to(others.append):
        read = read_audio(tmp_path / "cut.flac", 16000)
    assert len(read) > 4 * len(hello) and "cut.flac ends after" in others[-1]
    np.testing.assert_allclose(read, np.tile(hello, 6)[: len(read)], atol=1e-3)
    soundfile.write(tmp_path / "memo.wav", np.tile(hello, 6), 16000)
    data = (tmp_path / "memo.wav").read_bytes()
    (tmp_path / "cut.wav").write_bytes(data[: len(data) // 4])
    with notes_to(notes.append):
        assert len(read_audio(tmp_path / "cut.wav", 16000)) == (len(data) // 4 - 44) // 2
    assert "cut.wav ends after 5.7 of the 22.9 s" in notes[-1]
    report = convert_folder(
        [tmp_path / f"cut.{ending}" for ending in ("m4a", "wav", "flac")],
        [saved_voice(tmp_path, goodbye)],
        tmp_path / "out",
        swapper=tiny,
    )
    assert not list(report.failures)
    assert [row.notes for row in report.rows][:2] == [(notes[-2],), (notes[-1],)]


@pytest.mark.parametrize("text", ["#EXTM3U\n#EXTINF:3,\n{}\n", "ffconcat version 1.0\nfile {}\n"])
@pytest.mark.parametrize("ending", ["m3u8", "m4a"])
def test_a_list_of_other_files_opens_none(tmp_path, hello, text, ending):
    write(tmp_path / "other.webm", hello, *KINDS["webm"])
    for name in ("other.webm", (tmp_path / "other.webm").as_uri()):
        (tmp_path / f"list.{ending}").write_text(text.format(name))
        with pytest.raises(AudioError, match="can't be read as audio"):
            read_audio(tmp_path / f"list.{ending}", 16000)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_read_to_its_end(tmp_path, hello):
    soundfile.write(tmp_path / "s.wav", hello, 16000)
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(
        target=lambda: (tmp_path / "pipe").write_bytes((tmp_path / "s.wav").read_bytes())
    )
    writer.start()
    read = read_audio(tmp_path / "pipe", 16000)
    writer.join()
    np.testing.assert_array_equal(read, read_audio(tmp_path / "s.wav", 16000))


@pytest.mark.parametrize("content", [b"", b"x", b"no sound at all"])
def test_what_no_decoder_knows_leaves_no_trace(tmp_path, capfd, content):
    (tmp_path / "memo.m4a").write_bytes(content)
    with pytest.raises(AudioError, match=r"memo\.m4a (is an empty file|can't be read as audio)"):
        sound_info(tmp_path / "memo.m4a")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("name", "codec", "subtype"),
    [
        ("fine.mov", "pcm_s24le", "PCM_24"),
        ("fine.wv", "wavpack", "FLOAT"),
        ("memo.m4a", "aac", None),
        ("law.mov", "pcm_mulaw", None),
    ],
)
def test_the_bits_of_lossless_sound_are_known(tmp_path, hello, name, codec, subtype):
    kind = "wv" if name.endswith(".wv") else None
    formats = {"wavpack": "fltp", "pcm_s24le": "s32"}
    with av.open(str(tmp_path / name), "w", format=kind) as container:
        stream = container.add_stream(codec, rate=16000, layout="mono")
        if codec in formats:
            stream.codec_context.format = formats[codec]
        frame = av.AudioFrame.from_ndarray(hello[None], format="flt", layout="mono")
        frame.rate = 16000
        resampler = av.AudioResampler(
            stream.codec_context.format, "mono", 16000, stream.frame_size or None
        )
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    assert sound_info(tmp_path / name).subtype == subtype
