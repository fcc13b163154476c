import os
import stat
from unittest.mock import Mock

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from voiceswap.audio import prepare_audio, read_audio
from voiceswap.audio_io.writing import COMMENT, write_audio
from voiceswap.dsp.level import active_level_db, mean_powers, set_level
from voiceswap.errors import AudioError
from voiceswap.files import whole_file


def tone(seconds=1.0, rate=16000, hertz=300.0):
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate).astype(
        np.float32
    )


@settings(deadline=None, max_examples=40)
@given(
    rate=st.sampled_from([8000, 11025, 16000, 22050, 44100, 48000, 96000]),
    channels=st.integers(1, 6),
    kind=st.sampled_from(
        [
            ("wav", "PCM_U8"),
            ("wav", "PCM_16"),
            ("wav", "PCM_24"),
            ("wav", "FLOAT"),
            ("flac", "PCM_16"),
            ("aiff", "PCM_32"),
        ]
    ),
)
def test_any_rate_channel_count_and_depth_reads_as_the_same_sound(
    tmp_path_factory, rate, channels, kind
):
    path = tmp_path_factory.mktemp("audio") / f"tone.{kind[0]}"
    soundfile.write(path, np.tile(tone(rate=rate)[:, None], channels), rate, subtype=kind[1])
    read = read_audio(path, 16000)
    assert abs(len(read) - 16000) <= 1
    middle = slice(2000, 14000)
    assert np.abs(read[middle] - tone()[middle]).max() < 0.02


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "opus", "mp3", "aiff", "aif"])
def test_what_is_written_can_be_read(tmp_path, ending, hello):
    path = write_audio(tmp_path / f"new folder/hello.{ending}", hello, 16000)
    read = read_audio(path, 16000)[: len(hello)]
    assert np.corrcoef(read, hello[: len(read)])[0, 1] > 0.9
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("ending", ["ogg", "opus", "mp3", "webm", "m4a"])
def test_compression_keeps_the_level_of_every_band(tmp_path, ending, hello):
    read = read_audio(write_audio(tmp_path / f"hello.{ending}", hello, 16000), 16000)
    spectra = [np.abs(np.fft.rfft(samples, 1 << 18)[: 7 << 14]) for samples in (read, hello)]
    made, given = (np.square(spectrum).reshape(7, -1).sum(1) for spectrum in spectra)  # of 1 kHz
    assert np.abs(10 * np.log10(made / given)).max() < 0.3


def test_a_failed_write_leaves_nothing_and_keeps_what_was_there(tmp_path, hello):
    path = write_audio(tmp_path / "hello.wav", hello, 16000)
    before = path.read_bytes()
    with pytest.raises(AudioError, match="can't be written"):
        write_audio(path, hello, -5)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
def test_what_is_written_can_be_read_by_whom_the_user_allows(tmp_path, hello):
    path = tmp_path / "hello.wav"
    before = os.umask(0o077)
    try:
        assert stat.S_IMODE(write_audio(path, hello, 16000).stat().st_mode) == 0o600
        path.chmod(0o640)
        assert stat.S_IMODE(write_audio(path, hello, 16000).stat().st_mode) == 0o640
        os.umask(0o022)
        with whole_file(tmp_path / "voice.safetensors") as temporary:
            save_file({"code": np.zeros(2)}, temporary)
        assert stat.S_IMODE((tmp_path / "voice.safetensors").stat().st_mode) == 0o644
    finally:
        os.umask(before)


def test_why_a_file_cant_be_opened_is_told(tmp_path, monkeypatch, hello):
    path = write_audio(tmp_path / "hello.wav", hello, 16000)
    refusal = PermissionError(13, "Permission denied", str(path))
    monkeypatch.setattr("voiceswap.audio_io.decoding._is_mpeg", Mock(side_effect=refusal))
    with pytest.raises(AudioError, match=r"can't be read as audio \(Permission denied\)\.$"):
        read_audio(path, 16000)


BROKEN = {
    "missing.wav": (None, "does not exist"),
    "empty.wav": (b"", "empty file"),
    "text.wav": (b"this is not audio at all", "can't be read as audio"),
    "words.txt": ("Hello. 你好。".encode(), "is text, .*text-to-speech program"),
    "notepad.TXT": ("Hello. 你好。".encode("utf-16"), "is text, .*text-to-speech program"),
    "random.mp3": (np.random.default_rng(0).bytes(5000), r"\(Format not recognised\)\.$"),
    "begun.mp3": (b"ID3" + bytes(7) + b"\xff\xfb" * 999, r"\(Format not recognised\)\.$"),
    "no-samples.wav": (np.zeros(0, np.float32), "holds no samples"),
    "short.wav": (tone(0.2), "0.20 s long; at least 0.3 s is needed"),
    "click.wav": (np.ones(1, np.float32), "is less than 0.01 s long; at least 0.3 s is needed"),
    "silent.wav": (np.zeros(16000, np.float32), "silent"),
    "offset.wav": (np.full(16000, 0.3, np.float32), "silent"),
    "nan.wav": (np.where(np.arange(16000) == 7, np.nan, tone()), "NaN or infinite"),
    "infinite.wav": (np.where(np.arange(16000) == 7, np.inf, tone()), "NaN or infinite"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_one_plain_sentence(tmp_path, capfd, name):
    content, sentence = BROKEN[name]
    path = tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        soundfile.write(path, content, 16000, subtype="FLOAT")
    with pytest.raises(AudioError, match=sentence) as error:
        read_audio(path, 16000)
    assert str(path) in str(error.value) and "\n" not in str(error.value)
    assert capfd.readouterr() == ("", "")  # libmpg123 would print there


def test_integer_arrays_of_any_width_are_the_same_sound():
    wave = tone()
    for kind in (np.int16, np.int32):
        assert (
            np.abs(
                prepare_audio((wave * np.iinfo(kind).max).astype(kind), 16000, 16000) - wave
            ).max()
            < 1e-3
        )
    assert (
        np.abs(prepare_audio(((wave + 1) * 127.5).astype(np.uint8), 16000, 16000) - wave).max()
        < 0.02
    )


def test_level_counts_speech_and_not_pauses(hello):
    level = active_level_db(hello, 16000)
    assert (
        abs(active_level_db(np.concatenate([hello, np.zeros(80000, np.float32)]), 16000) - level)
        < 0.1
    )
    assert abs(active_level_db(set_level(hello, 16000, -30.0), 16000) + 30) < 0.01


def test_samples_too_large_to_square_are_finite_powers():
    frames = np.full((2, 160), 0.1, np.float32)
    frames[1, 7] = 1e30
    np.testing.assert_allclose(mean_powers(frames), [0.01, 1e60 / 160], rtol=1e-5)


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "opus", "mp3", "aiff", "m4a", "mkv"])
def test_a_file_tells_that_its_speech_is_synthetic(tmp_path, ending):
    av = pytest.importorskip("av")
    path = write_audio(tmp_path / f"x.{ending}", np.zeros(4800, np.float32), 48_000)
    with av.open(str(path)) as file:
        tags = file.metadata | file.streams.audio[0].metadata
    assert COMMENT in {key.lower(): value for key, value in tags.items()}.values()


def test_formats_without_comments_are_written(tmp_path):
    path = write_audio(tmp_path / "x.au", np.zeros(4800, np.float32), 48_000)
    assert soundfile.info(path).frames == 4800
