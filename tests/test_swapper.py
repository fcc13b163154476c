"""Properties of the model in the package, on real speech."""

import math
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from rates import RATE
from safetensors import safe_open
from safetensors.numpy import save_file

from voiceswap import AudioError, ConversionOptions, FileConversion, VoiceswapError, VoiceSwapper
from voiceswap.audio import read_audio
from voiceswap.audio_io.resampling import resample
from voiceswap.conversion import voice_file
from voiceswap.conversion.voice_file import save_voice
from voiceswap.dsp.level import active_level_db
from voiceswap.examples import GOODBYE, HELLO
from voiceswap.features import extract_f0, log_f0_statistics
from voiceswap.models.checkpoint import Checkpoint
from voiceswap.models.checkpoint_header import DEFAULT


@pytest.fixture(name="hello", scope="session")
def hello_at_its_rate(hello_24k):
    return hello_24k


@pytest.fixture(name="goodbye", scope="session")
def goodbye_at_its_rate(goodbye_24k):
    return goodbye_24k


def similarity(swapper, first, second):
    """Cosine of the pretrained verifier's vectors of two recordings."""
    vectors = [swapper.engine.speaker_vector(at_16_khz(wave)) for wave in (first, second)]
    return float(vectors[0] @ vectors[1])


def at_16_khz(wave):
    return resample(wave, RATE, 16000)


def same_words(swapper, first, second):
    """Mean cosine of the content codes of two recordings, frame by frame."""
    a, b = (torch.from_numpy(swapper.content(wave)) for wave in (first, second))
    return float(torch.nn.functional.cosine_similarity(a, b).mean())


@settings(deadline=None, max_examples=12)
@given(seconds=st.floats(0.31, 12.0))
def test_any_length_in_gives_the_same_length_out(swapper, hello, goodbye_voice, seconds):
    source = np.tile(hello, 5)[: math.ceil(seconds * RATE)]
    out = swapper.convert(source, goodbye_voice)
    assert len(out) == len(source) and np.isfinite(out).all()


def test_swapping_changes_the_speaker_and_not_the_words(swapper, hello, goodbye):
    hello_by_b, goodbye_by_a = swapper.swap(hello, goodbye)
    for source, target, out in ((hello, goodbye, hello_by_b), (goodbye, hello, goodbye_by_a)):
        assert similarity(swapper, out, target) > similarity(swapper, out, source)
        assert (
            same_words(swapper, out, source)
            > same_words(swapper, out, np.resize(target, len(out))) + 0.3
        )


def test_people_that_no_training_had(swapper, people):
    nearer = 0
    for i, recordings in enumerate(people):
        source, target = (
            read_audio(recordings[0], RATE)[: 4 * RATE],
            read_audio(people[(i + 1) % len(people)][1], RATE)[: 6 * RATE],
        )
        out = swapper.convert(source, target)
        nearer += similarity(swapper, out, target) > similarity(swapper, out, source)
        assert same_words(swapper, out, source) > 0.5
    assert nearer >= 9


def test_converting_to_ones_own_voice_is_reconstruction(swapper, hello, goodbye):
    own, rebuilt = swapper.convert(hello, hello), swapper.reconstruct(hello)
    np.testing.assert_allclose(own, rebuilt, atol=1e-5)
    mel, *others = (
        swapper.engine.log_mel(torch.from_numpy(at_16_khz(wave))[None])[0]
        for wave in (hello, rebuilt, swapper.convert(hello, goodbye))
    )
    speech = mel.mean(0) > mel.mean(0).max() - 4
    rebuilt_error, converted_error = ((other - mel)[:, speech].abs().mean() for other in others)
    assert rebuilt_error < 0.8 * converted_error


def test_pitch_follows_the_target_and_the_shift(swapper, hello, goodbye, goodbye_voice):
    def median_f0(wave):
        f0 = extract_f0(wave, swapper.engine.output_audio)
        return np.median(f0[f0 > 0])

    out, raised = (swapper.convert(hello, goodbye_voice, pitch_shift=by) for by in (0.0, 3.0))
    assert abs(12 * np.log2(median_f0(out) / median_f0(goodbye))) < 3
    assert abs(12 * np.log2(median_f0(raised) / median_f0(out)) - 3) < 0.7


def test_strength_goes_from_the_source_to_the_target(swapper, hello, goodbye, goodbye_voice):
    outs = [swapper.convert(hello, goodbye_voice, strength=amount) for amount in (0.0, 0.5, 1.0)]
    np.testing.assert_allclose(outs[0], swapper.reconstruct(hello), atol=1e-4)
    similarities = [similarity(swapper, out, goodbye) for out in outs]
    assert similarities == sorted(similarities)


def test_a_file_is_converted_with_a_strength_as_samples_are(swapper, hello_24k, goodbye, tmp_path):
    """Its own voice has its highs, which a conversion to another voice does not read."""
    soundfile.write(tmp_path / "hello.wav", hello_24k, RATE, "FLOAT")
    options = ConversionOptions(strength=0.5, subtype="FLOAT")
    file = FileConversion(
        tmp_path / "hello.wav", swapper.embed(goodbye), tmp_path / "out.wav", options
    )
    assert swapper.convert_files([file]) == [None]
    expected = swapper.convert(hello_24k, file.references, strength=0.5)
    out = soundfile.read(file.out, dtype="float32")[0]
    assert active_level_db(out - expected, RATE) < active_level_db(expected, RATE) - 60


def test_level_is_the_sources(swapper, hello, goodbye_voice):
    """Up to 8 kHz: a voice may have more above than the source, or less."""
    levels = [
        active_level_db(at_16_khz(samples), 16000)
        for samples in (swapper.convert(hello * 0.05, goodbye_voice), hello * 0.05)
    ]
    assert abs(levels[0] - levels[1]) < 0.5


def test_rate_channels_and_kind_of_input_do_not_matter(swapper, hello, goodbye):
    plain = swapper.convert(hello, goodbye)
    stereo = np.stack([hello, hello])
    np.testing.assert_allclose(swapper.convert((stereo, RATE), [(goodbye, RATE)]), plain, atol=1e-4)
    whole_numbers = (np.round(hello * 32767).astype(np.int16), RATE)
    assert same_words(swapper, swapper.convert(whole_numbers, goodbye), plain) > 0.95


def test_silence_is_no_part_of_a_voice(swapper, hello, goodbye):
    silence = np.zeros(RATE, np.float32)
    plain = [swapper.embed(wave) for wave in (hello, goodbye)]
    for seconds in (1, 8):
        long = np.concatenate([silence] * seconds + [hello] + [silence] * seconds)
        between = np.concatenate([goodbye[:30000]] + [silence] * seconds + [goodbye[30000:]])
        for wave, known, least in zip((long, between), plain, (0.95, 0.8), strict=True):
            code = swapper.embed(wave).code
            assert torch.cosine_similarity(code, known.code, dim=-1) > least


def test_several_references_are_averaged_and_blended(swapper, hello, goodbye):
    a, b = swapper.embed(hello), swapper.embed(goodbye)
    speech = [int(voice.residuals[0][0].valid.sum()) for voice in (a, b)]
    mean = swapper.blend([(a, speech[0]), (b, speech[1])]).code
    np.testing.assert_allclose(swapper.voice([hello, goodbye]).code, mean)
    np.testing.assert_allclose(
        swapper.blend([(a, 3), (b, 1)]).code, 0.75 * a.code + 0.25 * b.code, atol=1e-5
    )
    for weights in ((0.0, 0.0), (2.0, -1.0), (1e308, 1e308), (np.nan, 1.0)):
        with pytest.raises(VoiceswapError, match="weights from 0 on with a finite sum above 0"):
            swapper.blend(list(zip((a, b), weights, strict=True)))
    with pytest.raises(VoiceswapError, match="weights are numbers"):
        swapper.blend([(a, "x")])
    with pytest.raises(VoiceswapError, match="At least one reference"):
        swapper.voice([])


def test_random_voices_differ_and_speak(swapper, hello):
    first, again, second = swapper.sample(1), swapper.sample(1), swapper.sample(2)
    np.testing.assert_array_equal(first.code, again.code)
    assert 50 < math.exp(first.log_f0[0]) < 500
    one, other = swapper.convert(hello, first), swapper.convert(hello, second)
    assert same_words(swapper, one, hello) > 0.4 and similarity(swapper, one, other) < 0.95


def test_calls_are_deterministic_also_from_several_threads(swapper, hello, goodbye):
    pairs = [(hello, goodbye), (goodbye, hello)] * 3
    alone = [swapper.convert(*pair) for pair in pairs[:2]]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda pair: swapper.convert(*pair), pairs))
    for i, out in enumerate(together):
        np.testing.assert_allclose(out, alone[i % 2], atol=1e-4)
    voice = swapper.embed(goodbye)
    seeded = [swapper.convert(hello, voice, seed=seed) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(seeded[0], seeded[1])
    assert np.abs(seeded[0] - seeded[2]).max() > 1e-3


def test_a_model_without_a_vocoder_still_speaks(swapper, hello, goodbye):
    bare = VoiceSwapper(Checkpoint(swapper.engine.autoencoder, None), "cpu")
    assert same_words(swapper, bare.convert(hello, goodbye), hello) > 0.4


def test_bad_recordings_and_devices_are_sentences(swapper, hello):
    with pytest.raises(AudioError, match="silent"):
        swapper.convert(np.zeros(RATE, np.float32), hello)
    with pytest.raises(AudioError, match="does not exist"):
        swapper.convert(hello, "nobody.wav")
    with pytest.raises(VoiceswapError, match="can't be used here"):
        VoiceSwapper.load(device="abacus")


def test_python_mistakes_name_the_way_out(swapper, hello, goodbye):
    anna = swapper.embed(hello)
    assert "frames" in repr(anna) and len(repr(anna)) < 60
    with pytest.raises(VoiceswapError, match=r"blend\(\[\(anna, 0.5\)"):
        swapper.blend([anna, anna])
    assert anna == anna and anna in {anna}
    with pytest.raises(TypeError, match="no option pitch; did you mean pitch_shift or exact_pitch"):
        swapper.convert(hello, goodbye, pitch=2)
    with pytest.raises(TypeError, match="no option keep_melody; there are"):
        swapper.convert(hello, goodbye, keep_melody=True)
    with pytest.raises(TypeError, match="load a VoiceSwapper in each process"):
        pickle.dumps(swapper)
    for wrong in (
        lambda: swapper.save_voice("anna.wav", "anna.safetensors"),
        lambda: swapper.stream(anna).set_voice("anna.wav"),
        lambda: swapper.stream(anna, source="me.wav"),
    ):
        with pytest.raises(VoiceswapError, match=r"swapper\.(voice|enroll)\("):
            wrong()


def test_a_voice_is_kept_in_a_file(swapper, hello, goodbye, tmp_path):
    voice = swapper.embed(goodbye)
    kept = swapper.save_voice(voice, tmp_path / "b.safetensors")
    assert np.array_equal(swapper.convert(hello, kept), swapper.convert(hello, voice))
    save_voice(tmp_path / "other.safetensors", voice, "another model")
    with pytest.raises(VoiceswapError, match="another model"):
        swapper.convert(hello, tmp_path / "other.safetensors")
    with pytest.raises(VoiceswapError, match="not a saved voice"):
        swapper.convert(hello, DEFAULT)
    with safe_open(kept, "np") as file:
        less = {name: file.get_tensor(name) for name in file.keys() if not name.endswith(".valid")}
        save_file(less, tmp_path / "older.safetensors", file.metadata())
    with pytest.raises(VoiceswapError, match="another version"):
        swapper.convert(hello, tmp_path / "older.safetensors")


def test_a_mix_may_hold_a_voice_twice_and_a_file_not_too_many(tiny, tmp_path, monkeypatch):
    anna, ben = tiny.voice(HELLO), tiny.voice(GOODBYE)
    mix = anna.toward(tiny.blend([(anna, 1), (ben, 1)]), 0.5)
    assert [share for _, share in mix.residuals] == pytest.approx([0.75, 0.25])
    kept = tiny.load_voice(tiny.save_voice(mix, tmp_path / "mix.safetensors"))
    assert [share for _, share in kept.residuals] == pytest.approx([0.75, 0.25])
    for name, sentence in (
        ("MAX_VOICES", "at most 1 voices"),
        ("MAX_VOICE_BYTES", "at most 1 "),
    ):
        with monkeypatch.context() as patched, pytest.raises(VoiceswapError, match=sentence):
            patched.setattr(voice_file, name, 1 if name == "MAX_VOICES" else 1 << 20)
            tiny.save_voice(mix, tmp_path / "large.safetensors")
    assert not (tmp_path / "large.safetensors").exists()


def test_a_recording_counts_by_its_speech(tiny, hello, goodbye):
    recordings = [(hello, RATE), (goodbye[:RATE], RATE)]
    both, (long, short) = tiny.voice(recordings), (tiny.embed(item) for item in recordings)
    way = short.log_f0 - long.log_f0
    assert 0.05 < float((both.log_f0 - long.log_f0) @ way / (way @ way)) < 0.3


def test_pitch_range_flattens_the_intonation(swapper, hello, goodbye_voice):
    outs = [swapper.convert(hello, goodbye_voice, pitch_range=width) for width in (0.0, 1.0)]
    spreads = [log_f0_statistics(extract_f0(out, swapper.engine.output_audio))[1] for out in outs]
    assert spreads[0] < spreads[1] / 2


def test_a_damaged_voice_fails_its_own_file_alone(tiny, goodbye, tmp_path):
    voice = tiny.voice(goodbye)
    damaged = replace(voice, code=voice.code * float("nan"))
    voices = {"one.wav": voice, "two.wav": damaged, "three.wav": voice}
    files = [FileConversion(HELLO, given, tmp_path / name) for name, given in voices.items()]
    first, second, third = tiny.convert_files(files)
    assert first is third is None and "samples that are not numbers" in str(second)
    assert {path.name for path in tmp_path.iterdir()} == {"one.wav", "three.wav"}
    with pytest.raises(VoiceswapError, match="samples that are not numbers"):
        tiny.convert(goodbye, damaged)
