"""Streams: what comes out depends on the samples alone, is in time, and is the target's voice."""

import math
from collections import deque

import numpy as np
import pytest
import soundfile
import torch
from commands import command
from rates import RATE
from torch.nn.modules.module import register_module_forward_pre_hook

from voiceswap import AudioError, VoiceswapError
from voiceswap.audio_io.resampling import resample
from voiceswap.conversion import running_hum, running_noise, source_statistics, streaming
from voiceswap.conversion.engine import Engine
from voiceswap.conversion.latency import Latency
from voiceswap.dsp.level import active_level_db, frame_powers
from voiceswap.examples import GOODBYE, HELLO
from voiceswap.live.simulation import StreamReport, simulate
from voiceswap.live.warm_up import warm_up


def streamed(stream, samples, size):
    """Everything that comes out of a stream, given blocks of `size` samples."""
    blocks = [stream.push(samples[i : i + size]) for i in range(0, len(samples), size)]
    return np.concatenate([*blocks, stream.flush()])


@pytest.fixture(scope="module")
def talk(hello_24k):
    return np.concatenate([hello_24k, hello_24k[: 2 * RATE]])


@pytest.mark.parametrize("latency", ["low", "normal", "high"])
def test_blocks_of_any_size_give_the_same_samples(tiny, hello, latency):
    results = []
    for size in (1, 7, 480, 20000, 44000):  # 2.75 s: hum and noise are searched for by then
        given = hello[: 5000 if size < 5 else 44000]
        out = streamed(tiny.stream(GOODBYE, latency=latency), given, size)
        assert len(out) == len(given) and np.isfinite(out).all()
        results.append(out)
    for out in results[2:]:
        np.testing.assert_array_equal(out, results[1])


def test_a_latency_of_ones_own(tiny, hello):
    for latency in (Latency(0.02, 0.0, 0.6), Latency(0.5, 0.02, 1.0)):
        out = streamed(tiny.stream(GOODBYE, latency=latency), hello[:32000], 4800)
        assert len(out) == 32000
    for wrong in ((0, 0.1, 1.0), (0.1, -0.2, 1.0), (0.1, 0.1, 0.3), (0.1, np.nan, 1.0)):
        with pytest.raises(VoiceswapError, match=r"a block of at least 0\.02 s"):
            Latency(*wrong)


def test_content_is_decoded_with_the_pitch_of_its_own_time(tiny, swapper, hello, monkeypatch):
    for model in (tiny, swapper):  # with the log-mel and with Whisper as front end
        seen = []

        def kept(autoencoder, content, f0, voice, decoded=streaming.decode, seen=seen):
            seen.append((content.shape[-1] * autoencoder.stride, f0.shape[-1]))
            return decoded(autoencoder, content, f0, voice)

        with monkeypatch.context() as patched:
            patched.setattr(streaming, "decode", kept)
            streamed(model.stream(GOODBYE, latency="low"), hello[:32000], 4800)
        assert len(seen) > 5 and all(content == f0 for content, f0 in seen)


def test_a_stream_is_in_the_targets_voice_and_in_time(swapper, talk, goodbye_24k, goodbye_voice):
    stream = swapper.stream(goodbye_voice)
    out, report = simulate(stream, talk)
    assert len(out) == len(talk) and report.latency == stream.latency < 0.45
    source, target, made = (
        swapper.engine.speaker_vector(resample(wave, RATE, 16000))
        for wave in (talk, goodbye_24k, out)
    )
    assert made @ target > made @ source + 0.15
    envelopes = [np.log(frame_powers(wave, RATE) + 1e-6) for wave in (talk, out)]
    shifts = [np.corrcoef(envelopes[0], np.roll(envelopes[1], by))[0, 1] for by in range(-5, 6)]
    assert int(np.argmax(shifts)) == 5 and max(shifts) > 0.8  # frames of 20 ms
    second = slice(RATE, None)  # the level has settled
    assert abs(active_level_db(out[second], RATE) - active_level_db(talk[second], RATE)) < 1.5


@pytest.mark.parametrize("rate", [16000, 24000, 44100, 48000])
def test_nothing_leaves_before_its_latency_and_all_by_then(tiny, hello, rate):
    stream, given, late = tiny.stream(GOODBYE, latency="low", rate=rate), 0, 0.0
    talk, step = resample(hello, 16000, rate), rate // 1000
    for first in range(0, len(talk), step):
        made = stream.push(talk[first : first + step])
        if len(made):
            late = max(late, (first + step - given) / rate)  # of the first sample that comes out
        given += len(made)
    assert stream.latency - 0.01 < late <= stream.latency + 0.001 and stream.latency < 0.2


def test_the_source_may_be_known_beforehand(swapper, talk, goodbye_voice):
    known = swapper.enroll(talk)
    before = known.log_f0, known.level_db
    quiet = 0.05 * talk
    out = streamed(swapper.stream(goodbye_voice, swapper.enroll(quiet)), quiet, 4800)
    assert abs(active_level_db(out, RATE) - active_level_db(quiet, RATE)) < 1.5
    streamed(swapper.stream(goodbye_voice, known), talk[:RATE], 4800)
    assert (known.log_f0, known.level_db) == before  # a stream adds to a copy


def test_two_streams_at_once_and_a_change_of_voice(tiny, hello):
    alone = streamed(tiny.stream(GOODBYE), hello, 1600)
    first, second = tiny.stream(GOODBYE), tiny.stream(GOODBYE)
    pairs = [(first.push(b), second.push(b)) for b in np.array_split(hello, 30)]
    for out, stream in zip(zip(*pairs, strict=True), (first, second), strict=True):
        np.testing.assert_array_equal(np.concatenate([*out, stream.flush()]), alone)
    changed = tiny.stream(GOODBYE)
    start = changed.push(hello[:32000])
    changed.set_voice(tiny.voice(HELLO))
    out = np.concatenate([start, changed.push(hello[32000:]), changed.flush()])
    np.testing.assert_array_equal(out[: len(start)], alone[: len(start)])
    assert np.abs(out - alone).max() > 1e-3


def test_silence_clipping_and_other_rates(tiny, swapper, hello_24k, goodbye_voice):
    silent = streamed(swapper.stream(goodbye_voice), np.zeros(2 * RATE, np.float32), 4800)
    assert np.abs(silent).max() < 1e-3
    speech = hello_24k[: 5 * RATE // 2]
    clipped = np.clip(20 * speech, -1, 1)
    assert np.abs(streamed(swapper.stream(goodbye_voice), clipped, 4800)).max() < 1
    for rate in (8000, 44100, 48000):
        given = resample(speech, RATE, rate)
        out = streamed(tiny.stream(GOODBYE, rate=rate), given, rate // 50)
        assert len(out) == len(given) and np.isfinite(out).all()


def held_numbers(value):
    """How many numbers arrays and tensors hold, in whatever is part of `value`."""
    if isinstance(value, (np.ndarray, torch.Tensor)):
        return math.prod(value.shape)
    if isinstance(value, (list, tuple, deque)):
        return sum(map(held_numbers, value))
    if isinstance(value, dict):
        return held_numbers(list(value.values()))
    shared = isinstance(value, (Engine, torch.nn.Module))
    return 0 if shared or not hasattr(value, "__dict__") else held_numbers(vars(value))


def test_memory_stays_bounded(tiny, hello, monkeypatch):
    monkeypatch.setattr(source_statistics, "REMEMBERED_SECONDS", running_hum.MEMORY_SECONDS)
    monkeypatch.setattr(running_noise, "NOISE_MEMORY_SECONDS", running_hum.MEMORY_SECONDS)
    stream, held = tiny.stream(GOODBYE, latency="high"), []
    for _ in range(2):
        for _ in range(3):  # longer than what is remembered
            stream.push(hello)
        held.append(held_numbers(stream))
    assert held[0] > 16000 and held[1] < 1.1 * held[0]


def test_integers_are_the_same_sound(tiny, hello):
    whole = np.round(hello * 32767).astype(np.int16)
    expected = streamed(tiny.stream(GOODBYE), whole / np.float32(32768), 1600)
    np.testing.assert_array_equal(streamed(tiny.stream(GOODBYE), whole, 1600), expected)
    np.testing.assert_array_equal(streamed(tiny.stream(GOODBYE), whole[:, None], 1600), expected)


def test_what_a_stream_cant_do_is_a_sentence(tiny):
    with pytest.raises(AudioError, match="NaN"):
        tiny.stream(GOODBYE).push(np.array([0.1, np.nan], np.float32))
    with pytest.raises(AudioError, match=r"has the shape \(480, 2\)"):
        tiny.stream(GOODBYE).push(np.zeros((480, 2), np.float32))
    for options in ({"strength": 0.5}, {"seed": 1}, {"subtype": "PCM_24"}):
        with pytest.raises(VoiceswapError, match="no strength, seed or subtype"):
            tiny.stream(GOODBYE, **options)
    with pytest.raises(VoiceswapError, match="must be low, normal or high"):
        tiny.stream(GOODBYE, latency="none")


def test_the_command_on_an_imagined_device(monkeypatch, tmp_path, capsys, model):
    out = tmp_path / "live.wav"
    arguments = ["live", "--target", GOODBYE, "--simulate", HELLO, "--out", out, "--report"]
    command(monkeypatch, *arguments, "--checkpoint", model)
    assert soundfile.info(out).duration == pytest.approx(soundfile.info(HELLO).duration, abs=1e-4)
    shown = capsys.readouterr().out
    assert "latency of the algorithm" in shown and "dropouts" in shown


@pytest.mark.parametrize(
    ("blocks", "latency", "advice"),
    [
        (9, "low", "try --latency normal."),
        (9, "high", "busy with something else."),
        (600, "low", "busy for a moment."),
    ],
)
def test_late_blocks_bring_advice(monkeypatch, tmp_path, capsys, model, blocks, latency, advice):
    late = StreamReport(0.1, 0.2, np.full(blocks, 0.3), 0.1, 3), np.zeros(2400, np.float32)
    monkeypatch.setattr("voiceswap.live.simulation.simulate", lambda *_: late[::-1])
    arguments = ["live", "--target", GOODBYE, "--simulate", HELLO, "--out", tmp_path / "live.wav"]
    command(monkeypatch, *arguments, "--latency", latency, "--checkpoint", model)
    shown = capsys.readouterr().err
    assert shown.startswith(f"3 of {blocks} blocks came late: ") and shown.endswith(f"{advice}\n")


def test_streams_follow_the_examples_loudness(swapper, hello_24k, goodbye_voice):
    quiet = np.concatenate([hello_24k, 0.1 * hello_24k])
    out = streamed(swapper.stream(goodbye_voice), quiet, 4800)
    halves = [active_level_db(half, RATE) for half in np.array_split(out, 2)]
    assert halves[0] - halves[1] == pytest.approx(20, abs=2)


@pytest.mark.parametrize("latency", ["low", "normal", "high"])
def test_nothing_is_computed_for_the_first_time_after_a_warm_up(tiny, hello, latency):
    voice = tiny.voice(hello)
    stream, sizes = tiny.stream(voice, latency=latency), [set(), set()]
    for seen, act in zip(
        sizes, (lambda: warm_up(tiny, voice, latency), lambda: stream.push(hello)), strict=True
    ):
        hook = register_module_forward_pre_hook(
            lambda module, given, seen=seen: seen.add(
                (module, *(x.shape for x in given if isinstance(x, torch.Tensor)))
            )
        )
        act()
        hook.remove()
    assert len(sizes[1]) > 50 and sizes[1] <= sizes[0]
