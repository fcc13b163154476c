"""How often the host waits for a device, counted on PyTorch's meta device.

Tensors there have shapes and no values, so whatever reads one on the host raises.
"""

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.overrides import TorchFunctionMode

from voiceswap import transfer
from voiceswap.batch.capacity import on_cpu
from voiceswap.conversion import encoder, engine
from voiceswap.conversion.core import Utterance, decode, extract_voice
from voiceswap.conversion.engine import Engine
from voiceswap.conversion.output_windows import Conversion
from voiceswap.conversion.recording import Recording
from voiceswap.conversion.voice import stack_voices
from voiceswap.models.checkpoint import load_checkpoint
from voiceswap.models.decoder_delta import new_delta
from voiceswap.transfer import overlapped


class CountedCopy:
    """In place of HostCopy: zeros, and a count."""

    count = 0

    def __init__(self, x: torch.Tensor):
        CountedCopy.count += 1
        self.x = x

    def numpy(self) -> np.ndarray:
        return torch.zeros(self.x.shape, dtype=self.x.dtype).numpy()


class Waits(TorchFunctionMode):
    """Lists the lines at which the host would wait for a device, but for those of `transfer`.

    They copy a tensor or numbers to it, or index by booleans or a list.
    """

    def __init__(self):
        self.lines: list[str] = []

    def __torch_function__(self, function, types, args=(), kwargs=None):
        result, name = function(*args, **(kwargs or {})), function.__name__
        if name in ("to", "tensor"):
            waits = is_on_meta(result) and not is_on_meta(args[0])
        elif name in ("__getitem__", "__setitem__") and is_on_meta(args[0]):
            index = args[1] if isinstance(args[1], tuple) else (args[1],)
            waits = any(
                isinstance(x, list) or getattr(x, "dtype", None) == torch.bool for x in index
            )
        else:
            waits = False
        caller = sys._getframe(1)
        if waits and caller.f_code.co_filename != transfer.__file__:
            self.lines.append(f"{caller.f_code.co_filename}:{caller.f_lineno}")
        return result


def is_on_meta(x: object) -> bool:
    return isinstance(x, torch.Tensor) and x.device.type == "meta"


@pytest.fixture
def on_meta(monkeypatch) -> Engine:
    monkeypatch.setattr(transfer, "DEVICES", ("meta",))
    for module in (encoder, engine):
        monkeypatch.setattr(module, "HostCopy", CountedCopy)
    return Engine(load_checkpoint("default"), "meta", None, "auto")


def test_a_macs_gpu_is_used_only_where_it_is_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert transfer.find_device("auto").type == "cpu" and on_cpu("auto") and not on_cpu("mps")


def tracked(swapper, samples) -> Recording:
    recording = Recording(iter([samples]), swapper.engine.audio, "speech")
    assert len(recording.f0) == recording.frames
    return recording


def test_a_batch_comes_to_the_host_once_a_stage(swapper, on_meta, hello, goodbye):
    voices = [swapper.sample(1), swapper.embed(goodbye), swapper.embed(hello)]
    counts = []
    for sources in ([hello], [hello, goodbye, hello[:20000], goodbye[:30000], hello]):
        CountedCopy.count = 0
        encoded = on_meta.encoder.encode([tracked(swapper, wave) for wave in sources])
        targets = [voices[i % 3] for i in range(len(sources))]
        outputs = on_meta.convert([Conversion(*x) for x in zip(encoded, targets, strict=True)])
        assert len(outputs) == len(sources)
        counts.append(CountedCopy.count)
    assert counts[0] == counts[1] <= 6


def test_nothing_is_copied_while_work_is_queued(swapper, on_meta, hello, goodbye):
    """Voices are on the host in part, as a drawn one is, and two change the decoder."""
    voice, drawn = swapper.embed(hello), swapper.sample(1).to("meta")
    adapted = replace(voice, delta=new_delta(swapper.engine.autoencoder.decoder, 2))
    voices = [voice.to("meta"), replace(drawn, high_gain=torch.zeros(4)), adapted.to("meta")]
    encoded = on_meta.encoder.encode([tracked(swapper, x) for x in (hello, goodbye, hello)])
    on_meta.batch_size = len(voices)
    with Waits() as waits:
        on_meta.convert([Conversion(*pair) for pair in zip(encoded, voices, strict=True)])
    assert waits.lines == []


def test_the_core_never_waits_for_the_host(swapper, on_meta, hello, goodbye):
    voices = stack_voices([swapper.embed(hello), swapper.embed(goodbye)], on_meta.device)
    content = torch.empty(2, 64, 100, device="meta")
    f0, mel = torch.empty(2, 200, device="meta"), torch.empty(2, 80, 200, device="meta")
    mask = torch.empty(2, 1, 200, device="meta")
    made = decode(on_meta.autoencoder, content, f0, voices, mask)
    assert made.shape == mel.shape
    utterance = Utterance(content, f0, voices.log_f0)
    voice, _ = extract_voice(on_meta.autoencoder, utterance, voices.code, mel, mask)
    assert voice.mel_affine.shape == (2, 2, 80)


def test_the_networks_of_streams_are_on_the_device(on_meta):
    parts = [p for network in on_meta.streaming_encoder for p in network.parameters()]
    assert len(parts) > 50 and {p.device.type for p in parts} == {"meta"}


def test_one_voice_of_many_conversions_is_kept_once(swapper, hello, goodbye):
    voice, other = swapper.embed(hello), swapper.embed(goodbye)
    shared = stack_voices([voice] * 3, "cpu")
    assert shared.residuals[0][0].keys.shape[0] == 1
    f0, content = torch.full((3, 100), 150.0), torch.randn(3, 64, 50)
    core = swapper.engine.autoencoder
    with torch.inference_mode():
        together = decode(core, content, f0, shared)
        mixed = decode(core, content, f0, stack_voices([voice, voice, other], "cpu"))
    torch.testing.assert_close(together[:2], mixed[:2], atol=1e-4, rtol=1e-4)


def test_an_item_is_finished_while_the_next_is_under_way():
    calls = []
    overlapped("abc", lambda x: calls.append(f"start {x}"), lambda x, _: calls.append(f"end {x}"))
    assert calls == ["start a", "start b", "end a", "start c", "end b", "end c"]
