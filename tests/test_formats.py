"""Phone memos and videos, by every way in."""

import builtins
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from voiceswap import AudioError
from voiceswap.audio import read_audio
from voiceswap.batch import Status, convert_folder
from voiceswap.decoding import sound_info

KINDS = {  # ending: codec, rate, layout
    "m4a": ("aac", 44100, "stereo"),
    "mp4": ("aac", 48000, "mono"),
    "mov": ("aac", 16000, "mono"),
    "3gp": ("aac", 16000, "mono"),
    "webm": ("libopus", 48000, "stereo"),
    "mka": ("aac", 44100, "stereo"),
}


def write(path: Path, samples: np.ndarray, codec: str, rate: int, layout: str) -> Path:
    """Encode 16 kHz samples as a phone does; skip where this FFmpeg lacks the encoder."""
    kind = {"m4a": "ipod", "mka": "matroska"}.get(path.suffix[1:])
    try:
        with av.open(str(path), "w", format=kind) as container:
            stream = container.add_stream(codec, rate=rate, layout=layout)
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
    read = read_audio(path, 16000)
    assert abs(len(read) - len(hello)) < 0.2 * 16000
    assert sound_info(path).rate == KINDS[ending][1]
    delay = np.argmax(np.correlate(read, hello[8000:40000], "valid")) - 8000
    together = read[8000 + delay :][:32000], hello[8000:40000]
    assert np.corrcoef(*together)[0, 1] > 0.9
    assert np.isfinite(tiny.convert(path, goodbye)).all()


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
    assert (tmp_path / "out" / "memo.wav").exists()
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
