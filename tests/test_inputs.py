"""What `convert` takes: options within their ranges, recordings as other libraries give them."""

import io
import json
import math
import re
from typing import get_args, get_type_hints

import numpy as np
import pytest
import soundfile
import torch
import torchaudio
from safetensors import safe_open
from safetensors.torch import save_file

from voiceswap import (
    AudioError,
    ConversionOptions,
    FileConversion,
    Stream,
    VoiceswapError,
    VoiceSwapper,
)
from voiceswap.batch import BatchOptions
from voiceswap.conversion.posterior_noise import noise_at


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"strength": 2}, "strength is 2, but must be a number from 0 to 1."),
        ({"pitch_range": -1}, "pitch_range is -1, but must be a number from 0 to 3."),
        ({"pitch_shift": math.nan}, "pitch_shift is nan, but must be a number from -24 to 24."),
        ({"pitch_shift": "high"}, "pitch_shift is 'high', but must be a number"),
        ({"seed": 2**63}, "seed is 9223372036854775808, but must be a whole number from 0"),
        ({"seed": -1}, "seed is -1, but must be a whole number"),
        ({"seed": 1.5}, "seed is 1.5, but must be a whole number"),
        ({"rate": 100}, "rate is 100, but must be a whole number from 4000 to 192000."),
    ],
)
def test_options_out_of_range_are_a_sentence_everywhere(tiny, hello, goodbye, options, sentence):
    for make in (
        lambda: ConversionOptions(**options),
        lambda: BatchOptions(**options),
        lambda: tiny.convert(hello, goodbye, **options),
        lambda: tiny.convert_file("a.wav", goodbye, "b.wav", **options),
    ):
        with pytest.raises(VoiceswapError) as error:
            make()
        assert sentence in str(error.value)


@pytest.mark.parametrize("value", ["a", -1, 1.5, math.nan, 2**64])
def test_numbers_beside_the_options_are_in_range_too(tiny, hello, model, value):
    for make in (
        lambda: VoiceSwapper.load(model, batch_size=value),
        lambda: tiny.sample(value),
        lambda: tiny.adapt(hello, seed=value),
        lambda: tiny.adapt(hello, steps=value),
    ):
        with pytest.raises(VoiceswapError, match=re.escape(f"is {value!r}, but must be a whole")):
            make()
    with pytest.raises(VoiceswapError, match="seed is None"):
        tiny.sample(None)
    with pytest.raises(VoiceswapError, match="A Voice is needed, not str"):
        tiny.copy_synthesis(hello, "anna.wav")


def test_options_are_keywords_and_unknown_ones_are_refused(tiny, hello, goodbye):
    with pytest.raises(TypeError):
        tiny.convert(hello, goodbye, 3.0)
    with pytest.raises(TypeError, match="pich_shift"):
        tiny.convert(hello, goodbye, pich_shift=3.0)
    out = tiny.convert(hello, goodbye, rate=24000)
    assert abs(len(out) - 1.5 * len(hello)) <= 1


def test_type_hints_allow_what_is_taken():
    for takes, name in ((VoiceSwapper.convert, "source"), (Stream.push, "samples")):
        assert {np.ndarray, torch.Tensor} <= {*get_args(get_type_hints(takes)[name])}


def test_a_folder_as_a_source_names_the_command_for_folders(tiny, goodbye, tmp_path):
    with pytest.raises(AudioError, match="voiceswap batch takes folders"):
        tiny.convert(tmp_path, goodbye)


def test_every_bit_of_a_seed_counts():
    seeds = (1, 1 << 40, 1 << 50, 1 << 62, (1 << 63) - 1)
    drawn = [noise_at(seed, 0, 8, 4) for seed in seeds]
    assert len({tuple(noise.flatten().tolist()) for noise in drawn}) == len(seeds)


def test_recordings_are_taken_as_other_libraries_give_them(tiny, hello, goodbye):
    sixteen = np.round(hello * 32767).astype(np.int16)
    hello = sixteen.astype(np.float32) / 32768
    expected = tiny.convert(hello, goodbye)
    stereo = np.stack([hello, hello])
    for recording in (
        torch.from_numpy(hello),
        torch._neg_view(torch.from_numpy(-hello)).requires_grad_(),
        (torch.from_numpy(stereo), 16000),  # torchaudio.load
        (16000, hello),  # scipy.io.wavfile.read
        (hello, 16000.0),
        [hello, 16000],
        (stereo.T, 16000),  # soundfile.read
        (16000, np.stack([hello, hello], 1)),  # gradio
        (np.float64(16000), hello),
        (16000, sixteen),
    ):
        np.testing.assert_allclose(tiny.convert(recording, goodbye), expected, atol=1e-4)
    for kind in (torch.Tensor.to_sparse, lambda x: x.to("meta"), lambda x: x.to(torch.cfloat)):
        for take in (lambda x: tiny.convert(x, goodbye), tiny.stream(goodbye).push):
            with pytest.raises(AudioError, match=r"(tensor|array) of numbers"):
                take(kind(torch.from_numpy(hello)))
    for rate in (math.nan, math.inf, -math.inf, 0):
        for take in (tiny.embed, tiny.adapt):
            with pytest.raises(AudioError, match="sample rate of"):
                take((hello, rate))
    blocks = tiny.stream(goodbye, rate=16000), tiny.stream(goodbye, rate=16000)
    given = torch.from_numpy(hello).bfloat16().requires_grad_()
    made = blocks[0].push(given), blocks[1].push(given.detach().float().numpy())
    np.testing.assert_array_equal(*made)
    faster = torchaudio.functional.resample(torch.from_numpy(hello), 16000, 44100)
    assert abs(len(tiny.convert((faster, 44100), goodbye)) - len(hello)) <= 1


@pytest.mark.parametrize(
    ("recording", "sentence"),
    [
        (np.zeros((100, 100)), "one axis must be channels"),
        (np.zeros((3, 4)), "one axis must be channels"),
        (np.zeros((2, 3, 4)), "must be an array of numbers"),
        (np.array(["a"] * 16000), "must be an array of numbers"),
        ((np.zeros(16000), 0), "sample rate of 0 Hz"),
        ((np.zeros(16000), 0.01), "sample rate of 0.01 Hz; 1000 to 384000 can be read"),
        (np.full(16000, 20000), "integers of 64 bits, whose full scale is not known; give them as"),
        ((np.zeros(16000), math.inf), "sample rate of inf Hz"),
        (np.full(16000, 20000.0), "samples up to 2e\\+04; give floats with full scale at 1.0"),
        (5, "must be a path, an array, or a pair"),
        (None, "must be a path, an array, or a pair"),
        ((1, 2), "must be a path, an array, or a pair"),
        ({"array": 1}, "must be a path, an array, or a pair"),
        (io.BufferedReader(io.BytesIO()), "must be a path, an array, or a pair"),
    ],
)
def test_what_is_no_recording_is_an_audio_error(tiny, hello, recording, sentence):
    with pytest.raises(AudioError, match=sentence):
        tiny.convert(recording, hello)
    with pytest.raises(AudioError):
        tiny.embed(recording)


def test_one_reference_of_many_files_is_embedded_once(tiny, hello, goodbye, tmp_path, monkeypatch):
    for name, samples in (("a", hello), ("b", goodbye), ("c", hello)):
        soundfile.write(tmp_path / f"{name}.wav", samples, 16000)
    embedded, real = [], tiny.engine.embed
    monkeypatch.setattr(
        tiny.engine, "embed", lambda items, **_: embedded.append(len(items)) or real(items)
    )
    files = [
        FileConversion(
            tmp_path / f"{name}.wav", [str(tmp_path / "b.wav")], tmp_path / f"{name}-out.wav"
        )
        for name in "abc"
    ]
    assert tiny.convert_files(files) == [None] * 3
    assert embedded == [1]


def test_a_voice_kept_before_the_residuals_had_their_name_is_loaded(tiny, hello, tmp_path):
    kept = tiny.save_voice(tiny.embed(hello), tmp_path / "new.safetensors")
    with safe_open(kept, "pt") as file:
        metadata = json.loads(file.metadata()["voiceswap-voice"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    names = {
        "mel_affine": "calibration",
        "residuals.0.keys": "exemplars.0.content",
        "residuals.0.values": "exemplars.0.missed",
        "residuals.0.valid": "exemplars.0.speech",
    }
    older = tmp_path / "older.safetensors"
    del metadata["notes"]
    renamed = {names.get(name, name): tensor for name, tensor in tensors.items()}
    save_file(renamed, older, {"voiceswap-voice": json.dumps(metadata)})
    np.testing.assert_array_equal(tiny.convert(hello, older), tiny.convert(hello, kept))
