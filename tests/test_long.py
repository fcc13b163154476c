"""Long recordings: window by window gives what the whole would, in files and in batches.

VOICESWAP_FULL=1 compares ten minutes too, and not only 40 s.
"""

import os
from unittest.mock import Mock

import numpy as np
import pytest
import soundfile
import soxr
import torch
from rates import RATE

from voiceswap import AudioError, ConversionOptions, FileConversion, VoiceSwapper
from voiceswap.audio import read_audio
from voiceswap.audio_io.resampling import resample
from voiceswap.conversion.core import decode
from voiceswap.conversion.output import Output
from voiceswap.conversion.pitch import transfer_pitch
from voiceswap.conversion.recording import Recording
from voiceswap.conversion.voice import stack_voices
from voiceswap.features import extract_f0, log_f0_statistics

LENGTHS = [40, 600] if os.environ.get("VOICESWAP_FULL") else [40]  # seconds; 40 are three windows


@pytest.fixture(name="swapper", scope="session")
def swapper_in_32_bits(exact):
    return exact


@pytest.fixture(name="hello", scope="session")
def hello_at_its_rate(hello_24k):
    return hello_24k


@pytest.fixture(name="goodbye", scope="session")
def goodbye_at_its_rate(goodbye_24k):
    return goodbye_24k


def conversation(hello, goodbye, seconds):
    """Two voices, pauses, and levels that differ."""
    parts = [hello, 0.3 * goodbye, np.zeros(RATE // 2, np.float32), goodbye, 0.6 * hello]
    return np.resize(np.concatenate(parts), seconds * RATE)


def unlike(samples, expected):
    """Power of what differs, level and offset aside, relative to `expected`."""
    a, b = samples - samples.mean(), expected - expected.mean()
    return np.square(a * (a @ b) / (a @ a) - b).mean() / np.square(b).mean()


@torch.inference_mode()
def whole(swapper, samples, voice):
    """The conversion with every network run once, over all of the recording."""
    engine = swapper.engine
    analysed = resample(samples, RATE, engine.audio.sample_rate)
    recording = Recording(iter([analysed]), engine.audio, "the conversation")
    wave = torch.from_numpy(recording.samples())[None]
    np.testing.assert_allclose(recording.f0, extract_f0(wave[0].numpy(), engine.audio), atol=0.01)
    features = engine.encoder.front_end(wave, torch.tensor([wave.shape[-1]]))
    content = engine.autoencoder.encode_content(features).mode()
    own = torch.tensor([log_f0_statistics(recording.f0)], dtype=torch.float64)
    own_f0 = torch.from_numpy(recording.f0)[None].double()
    f0 = transfer_pitch(own_f0, own, voice.log_f0[None].double()).float()
    voices = stack_voices([voice], "cpu")
    mel = decode(engine.autoencoder, content, f0, voices)
    output = Output(recording, engine.output_audio)
    output.append(engine.vocoder(mel, f0, high_gain=voices.high_gain)[0].numpy())
    return np.concatenate(list(output.blocks()))


@pytest.mark.parametrize("seconds", LENGTHS)
def test_there_is_no_seam(swapper, hello, goodbye, seconds):
    samples, voice = conversation(hello, goodbye, seconds), swapper.embed(hello)
    expected, out = whole(swapper, samples, voice), swapper.convert(samples, voice)
    assert len(out) == len(samples)
    for seam in range(16, seconds, 16):
        around = slice(round((seam - 0.5) * RATE), round((seam + 0.5) * RATE))
        assert unlike(out[around], expected[around]) < 1e-4
    assert unlike(out, expected) < 1e-4


def test_files_are_converted_like_arrays_in_any_format(swapper, hello, goodbye, tmp_path):
    soundfile.write(tmp_path / "hello.wav", np.stack([hello, hello], 1), RATE)
    expected = swapper.convert(tmp_path / "hello.wav", goodbye)
    shares = []
    out = swapper.convert_file(
        tmp_path / "hello.wav",
        (goodbye, RATE),
        tmp_path / "out.flac",
        rate=44100,
        subtype="PCM_24",
        progress=shares.append,
    )
    info = soundfile.info(out)
    assert (info.samplerate, info.subtype) == (44100, "PCM_24") and abs(
        info.duration - len(hello) / RATE
    ) < 0.001
    assert unlike(read_audio(out, 44100), soxr.resample(expected, RATE, 44100)) < 1e-4
    assert shares == sorted(shares) and shares[0] == 0 and shares[-1] == 1


def test_a_batch_equals_its_files(swapper, hello, goodbye, tmp_path):
    sources = {
        "a": hello,
        "b": goodbye[:20000],
        "c": conversation(hello, goodbye, 20),  # two windows
        "bad": np.zeros(RATE),
    }
    for name, samples in sources.items():
        soundfile.write(tmp_path / f"{name}.wav", samples, RATE)
    paths, voice = [tmp_path / f"{name}.wav" for name in sources], swapper.embed(goodbye)
    files = [
        FileConversion(
            path,
            voice,
            path.with_name(f"{path.stem}-batch.wav"),
            ConversionOptions(pitch_shift=i, seed=i or None),
        )
        for i, path in enumerate(paths)
    ]
    errors = VoiceSwapper.load(device="cpu", batch_size=3, precision="fp32").convert_files(files)
    assert [error is None for error in errors] == [
        True,
        True,
        True,
        False,
    ] and "bad.wav is silent" in str(errors[3])
    for i, file in enumerate(files[:3]):
        alone = swapper.convert(file.source, voice, pitch_shift=i, seed=i or None)
        together = soundfile.read(file.out, dtype="float32")[0]
        # In a batch F0 is rounded otherwise, which moves pulses by a thousandth of a sample.
        assert unlike(together, alone) < 1e-6


def test_what_stops_a_conversion_leaves_nothing(swapper, hello, goodbye, tmp_path):
    soundfile.write(tmp_path / "hello.wav", hello, RATE)
    (tmp_path / "folder.wav").mkdir()

    def stop(done):
        if done > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        swapper.convert_file(tmp_path / "hello.wav", goodbye, tmp_path / "out.wav", progress=stop)
    for out, sentence in (
        ("out.xyz", "no audio format"),
        ("no/such\0name.wav", "can't be written"),
        ("hello.wav/out.wav", "hello.wav is no folder"),
        ("folder.wav", "is a folder"),
    ):
        begun = Mock()
        with pytest.raises(AudioError, match=sentence):
            swapper.convert_file(tmp_path / "hello.wav", goodbye, tmp_path / out, progress=begun)
        begun.assert_not_called()
    with pytest.raises(AudioError, match="no subtype"):
        swapper.convert_file(
            tmp_path / "hello.wav", goodbye, tmp_path / "out.flac", subtype="FLOAT"
        )
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["hello.wav"]
