"""Damaged and hostile files: each is used or refused in a sentence, and never gives NaN.

VOICESWAP_FULL=1 tries 1,000 of each kind.
"""

import json
import os
import struct
from functools import partial

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import load_file, save_file

from voiceswap import VoiceswapError, VoiceSwapper
from voiceswap.commands.info import info
from voiceswap.models import checkpoint

COUNT = 1000 if os.environ.get("VOICESWAP_FULL") else 40
NUMBERS = [0, -1, 1, 2, 10_000_000, 2**31, 2**63, 1e30, 0.5, None, "x", [], {}, True]


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """A file's bytes with some changed, cut off, repeated or added."""
    data, kind = bytearray(data), rng.integers(4)
    place, size = int(rng.integers(len(data))), int(rng.integers(1, 64))
    if kind == 0:
        for _ in range(size):
            data[int(rng.integers(min(len(data), 4096)))] = int(rng.integers(256))
    elif kind == 1:
        del data[place:]
    elif kind == 2:
        data[place:place] = rng.bytes(size)
    else:
        data[place : place + size] = data[:size]
    return bytes(data)


def rewritten(data: bytes, rng: np.random.Generator) -> bytes:
    """A safetensors file with another number, or kind of thing, somewhere in its metadata."""
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    key = next(iter(header["__metadata__"]))
    metadata = json.loads(header["__metadata__"][key])
    place = metadata
    while True:
        name = list(place)[int(rng.integers(len(place)))] if isinstance(place, dict) else 0
        if not isinstance(place[name], (dict, list)) or not place[name] or rng.random() < 0.2:
            break
        place = place[name]
    place[name] = NUMBERS[int(rng.integers(len(NUMBERS)))]
    header["__metadata__"][key] = json.dumps(metadata)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data[8 + length :]


CHANGES = {  # of one tensor
    "not a number": lambda x: x.float() * torch.nan,
    "infinite": lambda x: x.float() + torch.inf,
    "huge": lambda x: x.float() * 1e30,
    "longer": lambda x: torch.cat([x, x]),
    "empty": lambda x: x[:0],
    "int32": lambda x: x.int(),
    "int8": lambda x: x.to(torch.int8),
    "with one more axis": lambda x: x[None],
    "without an axis": lambda x: x.flatten()[0],
}


def changed(path, out, names, change):
    """Safetensors files in which one tensor is changed, or left out for None; each is `out`."""
    tensors = load_file(path)
    header = path.read_bytes()
    (length,) = struct.unpack("<Q", header[:8])
    metadata = json.loads(header[8 : 8 + length])["__metadata__"]
    for name in names:
        others = {other: tensor for other, tensor in tensors.items() if other != name}
        own = {} if change is None else {name: change(tensors[name]).contiguous()}
        save_file(others | own, out, metadata)
        yield out


def mutated(path, out, rng: np.random.Generator):
    """A file with other bytes or other metadata."""
    damage = damaged if rng.integers(2) else rewritten
    out.write_bytes(damage(path.read_bytes(), rng))
    return out


def convert_by(model, source, reference) -> np.ndarray:
    return VoiceSwapper.load(model, "cpu").convert(source, reference)


def usable(convert) -> bool:
    """Whether it gave samples; they have to be finite."""
    try:
        samples = convert()
    except VoiceswapError as error:
        assert str(error).endswith(".") and "\n" not in str(error)
        return False
    assert np.isfinite(samples).all()
    return True


def test_voices(tiny, hello, goodbye, tmp_path):
    rng = np.random.default_rng(0)
    good = tiny.save_voice(tiny.embed(goodbye), tmp_path / "good.safetensors")
    hello = hello[:8000]
    assert usable(lambda: tiny.convert(hello, good))
    outcomes = [
        usable(lambda: tiny.convert(hello, mutated(good, tmp_path / "bad.safetensors", rng)))
        for _ in range(COUNT)
    ]
    assert not all(outcomes)


def test_models(model, hello, goodbye, tmp_path):
    rng = np.random.default_rng(1)
    hello, goodbye = hello[:8000], goodbye[:8000]
    assert usable(lambda: convert_by(model, hello, goodbye))
    outcomes = []
    for _ in range(COUNT // 2):
        bad = mutated(model, tmp_path / "bad.safetensors", rng)
        outcomes.append(usable(partial(convert_by, bad, hello, goodbye)))
    assert not all(outcomes)


@pytest.mark.parametrize("change", [*CHANGES, "missing"])
def test_voices_with_another_tensor(tiny, hello, goodbye, tmp_path, change):
    good = tiny.save_voice(tiny.embed(goodbye), tmp_path / "good.safetensors")
    names = list(load_file(good))
    for bad in changed(good, tmp_path / "bad.safetensors", names, CHANGES.get(change)):
        usable(partial(tiny.convert, hello[:8000], bad))


@pytest.mark.parametrize("change", [*CHANGES, "missing"])
def test_models_with_another_tensor(model, hello, goodbye, tmp_path, change):
    hello, goodbye = hello[:8000], goodbye[:8000]
    kinds = {(tensor.dtype, tensor.ndim): name for name, tensor in load_file(model).items()}
    for bad in changed(model, tmp_path / "bad.safetensors", kinds.values(), CHANGES.get(change)):
        usable(partial(convert_by, bad, hello, goodbye))


def refused(use, *arguments, **options) -> bool:
    try:
        use(*arguments, **options)
    except VoiceswapError as error:
        assert str(error).endswith(".") and "\n" not in str(error)
        return True
    return False


@pytest.fixture
def default(swapper, monkeypatch):
    """The model in the package, which `info` then need not load for every file."""
    own, real = checkpoint.load_checkpoint(), checkpoint.load_checkpoint

    def load(path="default"):
        return own if str(path) == "default" else real(path)

    monkeypatch.setattr(checkpoint, "load_checkpoint", load)
    return swapper


def test_info_refuses_the_voices_that_a_target_refuses(default, goodbye, tmp_path):
    good = default.save_voice(default.embed(goodbye), tmp_path / "good.safetensors")
    assert not refused(info, str(good))
    for change in (*CHANGES.values(), None):
        for bad in changed(good, tmp_path / "bad.safetensors", list(load_file(good)), change):
            assert refused(info, str(bad)) == refused(default.load_voice, bad)
    good.write_bytes(good.read_bytes().replace(default.fingerprint.encode(), b"0" * 16))
    assert not refused(info, str(good))  # of another model
    spoilt = CHANGES["not a number"]
    for bad in changed(good, tmp_path / "bad.safetensors", ["code", "residuals.0.keys"], spoilt):
        assert refused(info, str(bad))


def test_info_describes_or_refuses(default, model, goodbye, tmp_path):
    rng = np.random.default_rng(3)
    voice = default.save_voice(default.embed(goodbye), tmp_path / "voice.safetensors")
    for good in (voice, model):
        for _ in range(COUNT):
            bad = mutated(good, tmp_path / "bad.safetensors", rng)
            refused(info, str(bad), everything=True)


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3", "aiff"])
def test_recordings(tiny, hello, goodbye, tmp_path, ending):
    rng = np.random.default_rng(2)
    good, bad = tmp_path / f"good.{ending}", tmp_path / f"bad.{ending}"
    soundfile.write(good, hello[:16000], 16000)
    voice = tiny.embed(goodbye)
    for _ in range(COUNT // 4):
        bad.write_bytes(damaged(good.read_bytes(), rng))
        usable(lambda: tiny.convert(bad, voice))
