"""Noise reduction of recordings."""

import numpy as np
import pytest
import torch
from rates import RATE

from voiceswap.audio import read_audio
from voiceswap.audio_io.resampling import resample
from voiceswap.conversion import references
from voiceswap.conversion.denoise import denoise, enhance
from voiceswap.conversion.encoder import RecordingEncoder
from voiceswap.conversion.mel_statistics import speech_frames
from voiceswap.conversion.reading import read_recording
from voiceswap.conversion.running_noise import RunningNoise
from voiceswap.dsp.level import active_level_db, frame_powers
from voiceswap.dsp.piecewise import piecewise
from voiceswap.features import LogMel
from voiceswap.models import pretrained
from voiceswap.training.degrade import in_a_room


def noisy(samples: np.ndarray, level_db: float, hum: bool = False) -> np.ndarray:
    """Noise `level_db` below the speech: white, or mains hum with harmonics and brown noise."""
    noise = np.random.default_rng(1).standard_normal(len(samples))
    if hum:
        noise = np.cumsum(noise) - np.linspace(0, noise.sum(), len(noise))
        noise = np.diff(noise, prepend=0.0) + sum(
            np.sin(2 * np.pi * f * np.arange(len(noise)) / 16000) for f in (50, 150, 250)
        )
    scale = 10 ** ((active_level_db(samples, 16000) - level_db) / 20) / np.sqrt(
        np.square(noise).mean()
    )
    return (samples + scale * noise).astype(np.float32)


def _change(log_mel: LogMel, samples: np.ndarray, made: np.ndarray) -> float:
    """Mean difference of log-mels, in nats, where `samples` have speech."""
    before, after = (log_mel(torch.from_numpy(x)[None]) for x in (samples, made))
    return float((after - before)[0][:, speech_frames(before)[0]].abs().mean())


def test_speech_without_noise_comes_back_as_it_was(clean):
    for quiet in clean[:2]:
        assert denoise(quiet, 16000) is quiet
        silence_between = np.concatenate([quiet, np.zeros(16000, np.float32)])
        assert denoise(silence_between, 16000) is silence_between


@pytest.mark.parametrize("hum", [False, True])
@pytest.mark.parametrize("level", [20, 10])
def test_noise_goes_and_the_speech_stays(swapper, clean, hum, level):
    for number, samples in enumerate(clean):
        given = noisy(samples, level, hum)
        left = denoise(given, 16000)
        assert left.shape == given.shape
        assert left.dtype == np.float32
        before, after = (_change(swapper.engine.log_mel, samples, x) for x in (given, left))
        assert after < 0.75 * before, number


def test_the_network_finds_speech_where_quiet_parts_do_not_tell_it(swapper, clean):
    """Noise that swells, and noise in a second of speech; clean speech hardly changes."""
    network, log_mel = swapper.engine.denoiser, swapper.engine.log_mel
    swell = 10 ** np.sin(2 * np.pi * np.arange(len(clean[0])) / 16000)
    for number, samples in enumerate(clean):
        assert _change(log_mel, samples, enhance(network, samples)) < 0.02, number
        noise = noisy(samples, 10) - samples
        second = slice(len(samples) // 2, len(samples) // 2 + 16000)
        for part, wave in (
            (slice(None), samples + np.resize(swell, len(noise)).astype(np.float32) * noise),
            (second, samples + noise),
        ):
            ways = wave[part], denoise(wave[part], 16000), enhance(network, wave[part])
            given, steady, left = (_change(log_mel, samples[part], way) for way in ways)
            assert left < 0.75 * min(given, steady), number


def test_the_network_removes_echoes(swapper, clean):
    torch.manual_seed(0)
    network, log_mel = swapper.engine.denoiser, swapper.engine.log_mel
    waves = torch.from_numpy(np.stack([samples[:32000] for samples in clean]))
    for number, (dry, room) in enumerate(zip(waves, in_a_room(waves, 16000)[1], strict=True)):
        given = _change(log_mel, dry.numpy(), room.numpy())
        left = _change(log_mel, dry.numpy(), enhance(network, room.numpy()))
        assert left < 0.95 * given, number


def test_speech_without_a_pause_is_left(swapper, people):
    audio, left = swapper.engine.audio, 0
    for recordings in people:
        recording = read_recording(recordings[0], audio, 24000, noisy=True)
        dense = recording.samples(*recording.densest_segment(2.0))
        left += denoise(dense, 16000) is dense
    assert left >= 0.7 * len(people)


def test_what_may_be_speech_is_left():
    """A second of speech may have no pause, and a vowel held has none."""
    second = np.random.default_rng(0).standard_normal(16000).astype(np.float32) * 0.1
    assert denoise(second, 16000) is second
    harmonics = [np.sin(2 * np.pi * 150 * h * np.arange(48000) / 16000) / h for h in range(1, 20)]
    vowel = np.float32(0.1) * np.sum(harmonics, 0, dtype=np.float32)
    assert denoise(vowel, 16000) is vowel
    seconds = np.arange(48000) / 16000
    for envelope in (np.exp(-seconds / 1.5), np.minimum(1, 2 * (3 - seconds)), 0.6 + 0.4 * seconds):
        note = (vowel * envelope).astype(np.float32)
        assert denoise(note, 16000) is note


def test_an_offset_is_no_noise(clean):
    quiet = clean[0] + np.float32(0.2)
    assert denoise(quiet, 16000) is quiet


def test_a_long_recording_is_the_same_however_it_is_cut(clean):
    given = noisy(np.resize(np.concatenate(clean), 150 * 16000), 15)
    whole = np.concatenate(list(piecewise(iter([given]), 16000, denoise)))
    cut = np.array_split(given, 37)
    np.testing.assert_array_equal(np.concatenate(list(piecewise(iter(cut), 16000, denoise))), whole)
    assert len(whole) == len(given)
    parts = [denoise(given[i : i + 20 * 16000], 16000) for i in (0, 50 * 16000, 130 * 16000)]
    for part, first in zip(parts, (0, 50 * 16000, 130 * 16000), strict=True):
        error = part - whole[first : first + len(part)]
        assert np.square(error).mean() < 0.01 * np.square(part).mean()  # one way at the joins, too
    short = given[:16000]
    assert np.concatenate(list(piecewise(iter([short]), 16000, denoise))).tolist() == short.tolist()


def test_noise_of_a_source_is_not_in_the_conversion(swapper, clean):
    """Pauses are as quiet as those of the clean source; speech is as loud."""
    voice = swapper.voice((clean[1], 16000))
    for samples in (clean[0], clean[-1]):
        plain, noised = (
            swapper.convert((wave, 16000), voice, rate=16000)
            for wave in (samples, noisy(samples, 15))
        )
        level = [
            np.square(x[: len(x) // 400 * 400].reshape(-1, 400)).mean(1) for x in (plain, noised)
        ]
        pause = level[0] < 1e-3 * np.sort(level[0])[-len(level[0]) // 10]
        assert pause.mean() > 0.05
        assert 10 * np.log10(level[1][pause].mean() / level[0][~pause].mean()) < -25
        assert abs(10 * np.log10(level[1][~pause].mean() / level[0][~pause].mean())) < 1


def gained_similarity(swapper, monkeypatch, source, reference, other) -> float:
    """What reducing a reference's noise adds to the similarity to `other` of the same voice."""
    target, similarity = swapper.engine.verifier(torch.from_numpy(other)), []
    for reduced in (True, False):
        with monkeypatch.context() as patched:
            if not reduced:
                patched.setattr(references, "enhance", lambda _, samples: samples)
                patched.setattr(references, "denoise", lambda samples, *_: samples)
            out = swapper.convert(source, (noisy(reference, 15), 16000))
        vector = swapper.engine.speaker_vector(resample(out, RATE, 16000))
        similarity.append(float(vector @ target))
    return similarity[0] - similarity[1]


def test_a_noisy_reference_still_gives_its_voice(swapper, hello, goodbye, monkeypatch):
    """Measured with a clean part of the target's recording that is not in the reference."""
    for source, target in ((hello, goodbye), (goodbye, hello)):
        reference, other = np.split(target, [int(0.65 * len(target))])
        given = (source, 16000), reference, other
        assert gained_similarity(swapper, monkeypatch, *given) > 0.1


def test_noisy_references_of_people_still_give_their_voices(swapper, people, monkeypatch):
    gained = []
    for i, recordings in enumerate(people[::2]):
        source = read_audio(recordings[0], RATE)[: 6 * RATE]
        other, reference = (read_audio(path, 16000) for path in people[2 * i + 1][:2])
        gained.append(gained_similarity(swapper, monkeypatch, source, reference, other))
    assert np.mean(gained) > 0.05


def streamed(samples: np.ndarray, block: int = 1600) -> np.ndarray:
    """What a stream leaves: blocks with 1.2 s of past and 80 ms of lookahead."""
    noise, made, level_db = RunningNoise(16000), [], active_level_db(samples, 16000)
    for first in range(0, len(samples) - block - 1280, block):
        start = max(0, first - 19200)
        window = samples[start : first + block + 1280]
        inside = slice(first - start, first - start + block)
        made.append(noise.remove_from(window, inside, level_db)[inside])
    return np.concatenate(made)


def test_a_stream_loses_steady_noise_and_nothing_else(clean):
    quiet = np.resize(clean[0], 12 * 16000)
    settled = slice(3 * 16000, len(streamed(quiet)))
    np.testing.assert_array_equal(streamed(quiet), quiet[: settled.stop])
    given = noisy(quiet, 15)
    left = streamed(given)
    powers = [frame_powers(x[settled], 16000) for x in (quiet, given, left)]
    pauses, speech = (powers[0] < np.quantile(powers[0], q) for q in (0.1, 0.7))
    change = 10 * np.log10(powers[2] / powers[1])
    assert change[pauses].mean() < -10 and change[~speech].mean() > -1


def test_the_words_are_read_through_noise(swapper, clean):
    plain = pretrained.front_end("whisper-base", swapper.engine.audio)
    encoder = swapper.engine.encoder
    assert encoder.noisy
    known = RecordingEncoder(encoder.autoencoder, plain, encoder.device, 1, noisy=False)

    def code(by, samples):
        recording = read_recording((samples, 16000), swapper.engine.audio, 16000)
        (encoded,) = by.encode([recording])
        return by.content([(encoded, 0, recording.frames)])[0].mode()

    for samples in clean:
        wanted, given = code(known, samples), noisy(samples, 10)
        errors = [(code(by, given) - wanted).square().mean() for by in (known, encoder)]
        assert errors[1] < 0.8 * errors[0]
        assert (code(encoder, samples) - wanted).square().mean() < 0.05
