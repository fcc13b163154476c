"""The same sound from a CUDA device, and training steps on it. Run with pytest -m gpu."""

import numpy as np
import pytest
import soundfile
import torch
from rates import RATE
from sounds import log_mel_error_db, wave_error_db

from voiceswap import ConversionOptions, FileConversion, VoiceSwapper
from voiceswap.adaptation.trainer import Trainer
from voiceswap.adaptation.voice_features import compute_features
from voiceswap.audio import read_audio
from voiceswap.batch import convert_folder
from voiceswap.conversion.output_windows import Conversion
from voiceswap.conversion.recording import Recording
from voiceswap.examples import GOODBYE, HELLO
from voiceswap.features import AudioConfig, F0Batch, extract_f0

AUDIO = AudioConfig().at_rate(RATE)
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]


@pytest.fixture(name="hello", scope="session")
def hello_at_its_rate(hello_24k):
    return hello_24k


@pytest.fixture(name="goodbye", scope="session")
def goodbye_at_its_rate(goodbye_24k):
    return goodbye_24k


@pytest.fixture(scope="module")
def on_gpu() -> VoiceSwapper:
    return VoiceSwapper.load(device="cuda")


@pytest.fixture(scope="module")
def exact_on_gpu() -> VoiceSwapper:
    return VoiceSwapper.load(device="cuda", precision="fp32")


def assert_same(out, expected, name=""):
    """Voicing, F0 and log-mels are the same, whatever the phase.

    Phase is the sum of F0: where one frame on the border of voicing falls to the other side, a
    recording's mean F0 moves by less than a cent, and the waveforms are soon a period apart. On a
    CPU such a frame changes log-mels by -17 dB. `test_with_one_f0_waveforms_are_the_cpus` compares
    waveforms.
    """
    ours, theirs = (extract_f0(wave, AUDIO) for wave in (out, expected))
    both = (ours > 0) & (theirs > 0)
    cents = np.abs(1200 * np.log2(ours[both] / theirs[both]))
    otherwise = np.mean((ours > 0) != (theirs > 0))
    error_db = log_mel_error_db(out, expected, AUDIO)
    summary = f"{name}: {error_db:.1f} dB, {otherwise:.2%} voiced otherwise"
    assert otherwise < 0.01 and np.median(cents) < 2 and error_db < -14, summary


def converted(swapper, samples, f0, voice):
    """A conversion of samples at the model's rate whose F0 is given."""
    recording = Recording(iter([samples]), swapper.engine.audio, "speech")
    recording._f0 = f0
    (encoded,) = swapper.engine.encoder.encode([recording])
    (output,) = swapper.engine.convert([Conversion(encoded, voice)])
    return np.concatenate(list(output.blocks()))


def test_with_one_f0_waveforms_are_the_cpus(exact, on_gpu, exact_on_gpu):
    rate, voice = exact.engine.audio.sample_rate, exact.embed(GOODBYE)
    hello, goodbye = (read_audio(path, rate) for path in (HELLO, GOODBYE))
    for samples in (hello, goodbye, np.resize(hello, 20 * rate)):
        f0 = extract_f0(samples, exact.engine.audio)
        expected = converted(exact, samples, f0, voice)
        for each, most in ((exact_on_gpu, -60), (on_gpu, -40)):
            assert wave_error_db(converted(each, samples, f0, voice), expected, RATE) < most


def test_conversion_equals_the_cpus(swapper, on_gpu, hello, goodbye):
    for source, target in ((hello, goodbye), (goodbye, hello)):
        assert_same(on_gpu.convert(source, target), swapper.convert(source, target))


def test_long_recordings_and_batches_equal_the_cpus(swapper, on_gpu, hello, goodbye, tmp_path):
    sources = [np.resize(hello, 20 * RATE), goodbye, hello]
    files = []
    for number, samples in enumerate(sources):
        path = tmp_path / f"{number}.wav"
        soundfile.write(path, samples, RATE, subtype="FLOAT")
        files.append(FileConversion(path, [goodbye, hello], tmp_path / f"out-{number}.wav"))
    assert on_gpu.convert_files(files) == [None] * 3
    voice = swapper.voice([goodbye, hello])
    for file in files:
        out = soundfile.read(file.out, dtype="float32")[0]
        assert_same(out, swapper.convert(file.source, voice))


def test_f0_is_the_cpus(hello, goodbye):
    recordings = [hello, goodbye[:30001], hello[:8000]]
    expected, found = (
        F0Batch(recordings, AUDIO, torch.device(name)).contours() for name in ("cpu", "cuda")
    )
    for ours, theirs in zip(found, expected, strict=True):
        assert np.mean((ours > 0) == (theirs > 0)) > 0.995
        both = (ours > 0) & (theirs > 0)
        assert np.abs(1200 * np.log2(ours[both] / theirs[both])).max(initial=0.0) < 0.1  # cents


def test_a_long_recording_equals_the_cpus(swapper, on_gpu, hello, goodbye):
    source, voice = np.resize(np.concatenate([hello, goodbye]), 68 * RATE), swapper.embed(goodbye)
    assert_same(on_gpu.convert(source, voice), swapper.convert(source, voice))


def test_a_folder_equals_the_cpus(swapper, on_gpu, hello, goodbye, tmp_path):
    (tmp_path / "talks").mkdir()
    for number, samples in enumerate([hello, goodbye, np.resize(hello, 20 * RATE)] * 8):
        soundfile.write(tmp_path / f"talks/{number:02}.wav", samples[number:], RATE, "FLOAT")
    report = convert_folder(tmp_path / "talks", [GOODBYE], tmp_path / "out", device="cuda", jobs=2)
    assert report.exit_status == 0
    for number in range(3):
        out = soundfile.read(tmp_path / f"out/{number:02}.wav", dtype="float32")[0]
        expected = swapper.convert(tmp_path / f"talks/{number:02}.wav", GOODBYE)
        assert_same(out, expected, f"talk {number}")


def test_voices_of_all_kinds_in_a_batch_equal_the_cpus(swapper, on_gpu, hello, goodbye, tmp_path):
    soundfile.write(tmp_path / "hello.wav", hello, RATE, "FLOAT")
    drawn, embedded = swapper.sample(2), swapper.embed(goodbye)
    voices = [drawn, embedded, swapper.blend([(drawn, 0.5), (embedded, 0.5)]), embedded]
    chosen = [{}, {"pitch_shift": 2}, {}, {"strength": 0.6}]
    files = [
        FileConversion(
            tmp_path / "hello.wav", voice, tmp_path / f"{i}.wav", ConversionOptions(**options)
        )
        for i, (voice, options) in enumerate(zip(voices, chosen, strict=True))
    ]
    assert on_gpu.convert_files(files) == [None] * 4
    for file, voice, options in zip(files, voices, chosen, strict=True):
        out = soundfile.read(file.out, dtype="float32")[0]
        assert_same(out, swapper.convert(file.source, voice, **options))


def test_a_stream_equals_the_cpus(swapper, on_gpu, hello, goodbye):
    made = []
    for each in (swapper, on_gpu):
        stream = each.stream(each.embed(goodbye))
        blocks = [stream.push(hello[i : i + 4800]) for i in range(0, len(hello), 4800)]
        made.append(np.concatenate([*blocks, stream.flush()]))
    assert_same(made[1], made[0])


def test_a_voice_of_either_device_serves_on_the_other(swapper, on_gpu, hello, goodbye, tmp_path):
    kept = on_gpu.save_voice(on_gpu.embed(goodbye), tmp_path / "voice.safetensors")
    assert_same(swapper.convert(hello, kept), on_gpu.convert(hello, kept))


def test_seeded_draws_are_the_cpus(swapper, on_gpu, hello):
    np.testing.assert_allclose(on_gpu.sample(3).code.cpu(), swapper.sample(3).code)
    expected, out = (each.convert(hello, each.sample(3), seed=5) for each in (swapper, on_gpu))
    assert_same(out, expected)


def test_adaptation_steps_are_the_cpus(swapper, on_gpu, hello):
    losses = []
    for each in (swapper, on_gpu):
        features = compute_features(each.engine, [hello], [each.sample(1)])
        trainer = Trainer(each.engine, features, 20)
        losses.append([trainer.train_step()["reconstruction"] for _ in range(4)])
    np.testing.assert_allclose(losses[0], losses[1], rtol=0.02)


def test_no_batch_waits_for_what_is_queued(on_gpu, hello, goodbye):
    """But for the copies back, which wait for what they copy."""
    engine, voice = on_gpu.engine, on_gpu.embed(goodbye)
    samples = read_audio(HELLO, engine.audio.sample_rate)
    for mode in ("default", "error"):  # the first time there is much to prepare
        recordings = [Recording(iter([samples]), engine.audio, "speech") for _ in range(3)]
        torch.cuda.set_sync_debug_mode(mode)
        try:
            encoded = engine.encoder.encode(recordings)
            engine.convert([Conversion(item, voice) for item in encoded])
        finally:
            torch.cuda.set_sync_debug_mode("default")


def test_a_noisy_reference_gives_the_cpus_voice(exact, exact_on_gpu, hello):
    """The denoiser, the front end's adapter and the high band take part."""
    draw = np.random.default_rng(0)
    noise = draw.standard_normal(len(hello)) * (1 + np.sin(np.arange(len(hello)) / RATE))
    noisy = (hello + 0.1 * hello.std() * noise).astype(np.float32)
    ours, theirs = (each.embed(noisy).to("cpu") for each in (exact_on_gpu, exact))
    assert torch.cosine_similarity(ours.code, theirs.code, dim=0) > 0.9999
    for name in ("log_f0", "mel_affine", "high_gain"):
        torch.testing.assert_close(getattr(ours, name), getattr(theirs, name), atol=0.01, rtol=0.01)
