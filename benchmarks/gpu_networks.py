"""The parts of benchmarks/gpu.py that measure networks, voices and streams in one process."""

import argparse
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from timing import quickest, row

from voiceswap import VoiceSwapper
from voiceswap.audio import read_audio
from voiceswap.conversion.core import decode
from voiceswap.conversion.mel_statistics import apply_mel_affine
from voiceswap.conversion.output import Output
from voiceswap.conversion.recording import Recording
from voiceswap.conversion.residuals import retrieve
from voiceswap.conversion.voice import stack_voices
from voiceswap.dsp.f0_tracker import f0_tracker
from voiceswap.examples import GOODBYE, HELLO
from voiceswap.features import F0_MAX, F0_MIN, AudioConfig, extract_f0
from voiceswap.live.simulation import simulate
from voiceswap.precision import PRECISIONS, exact_arithmetic
from voiceswap.transfer import HostCopy, to_device

SECONDS = 10  # length of a window


def measure_stages(options: argparse.Namespace, until: float) -> None:
    """Reading on the CPU, and the networks alone, in both precisions, on one batch of windows."""
    hello = np.resize(read_audio(HELLO, 16000), SECONDS * 16000)
    waves = np.stack([np.roll(hello, 997 * i) for i in range(options.windows)])
    row("precision", "stage", "ms", "times real time")
    audio = AudioConfig()
    output = Output(recording := Recording(iter([waves[0]]), audio, "it"), audio)
    output.append(recording.samples())
    for stage, work in {
        "reading": lambda: Recording(iter([waves[0]]), audio, "it"),
        "loudness": lambda: list(output.blocks()),
    }.items():
        took = quickest(work)
        row("one, on CPU", stage, f"{1000 * took:.2f}", f"{SECONDS / took:.0f}")
    for precision in PRECISIONS:
        swapper = VoiceSwapper.load(device=options.device, precision=precision)
        device, seconds = swapper.engine.device, len(waves) * SECONDS
        total = 0.0
        with torch.inference_mode(), exact_arithmetic(device):
            for stage, work in stages(swapper, waves).items():
                total += (took := quickest(work, device))
                row(precision, stage, f"{1000 * took:.2f}", f"{seconds / took:.0f}")
        row(precision, "all", f"{1000 * total:.2f}", f"{seconds / total:.0f}")


def stages(swapper: VoiceSwapper, waves: np.ndarray) -> dict[str, Callable[[], object]]:
    """The parts of converting waves (windows, samples), each from what those before it give."""
    engine, count = swapper.engine, len(waves)
    device, front_end, model = engine.device, engine.encoder.front_end, engine.autoencoder
    f0 = torch.from_numpy(extract_f0(waves[0], engine.audio))[None].to(device).repeat(count, 1)
    samples = torch.from_numpy(waves).to(device)
    voice = stack_voices([swapper.embed(GOODBYE)] * count, device)
    spectrum = front_end.spectrum(samples)
    peak = spectrum.amax((1, 2))
    rows = front_end.window(spectrum, None, peak).float()
    content = model.encode_content(rows).mode()
    mel = decode(model, content, f0, voice)
    wave = engine.vocode(mel, f0, None, None, voice.high_gain)
    residuals, _ = voice.residuals[0]
    return {
        "to device": lambda: to_device(torch.from_numpy(waves), device),
        "F0": lambda: f0_tracker(str(device))(samples, F0_MIN, F0_MAX),
        "spectrum": lambda: front_end.spectrum(samples),
        "front end": lambda: front_end.window(spectrum, None, peak),
        "content": lambda: model.encode_content(rows).mode(),
        "decoder": lambda: model.decode(content, f0, voice.log_f0, voice.code),
        "residuals": lambda: retrieve(residuals, content, mel.shape[-1]),
        "mel statistics": lambda: apply_mel_affine(mel, voice.mel_affine),
        "vocoder": lambda: engine.vocode(mel, f0, None, None, voice.high_gain),
        "to host": lambda: HostCopy(wave).numpy(),
    }


def measure_voices(options: argparse.Namespace, until: float) -> None:
    """References, and their denoiser alone; blocks of streams; adaptation."""
    swapper = VoiceSwapper.load(device=options.device)
    rate, denoiser, device = swapper.sample_rate, swapper.engine.denoiser, swapper.device
    talk = read_audio(HELLO, rate)
    row("what", "length", "ms")
    for seconds in (3,) if options.quick else (3, 60):
        reference = np.resize(talk, seconds * rate)
        took = quickest(partial(swapper.embed, reference))
        row("a reference", f"{seconds} s", f"{1000 * took:.1f}")
        samples = np.resize(read_audio(HELLO, denoiser.audio.sample_rate), seconds * 16000)
        wave = torch.from_numpy(samples)[None].to(device)
        with torch.inference_mode():
            took = quickest(lambda wave=wave: denoiser(wave), device)
        row("its denoiser", f"{seconds} s", f"{1000 * took:.1f}")
    for latency in ("low",) if options.quick else ("low", "normal", "high"):
        stream = swapper.stream(GOODBYE, latency=latency)
        _, report = simulate(stream, np.resize(talk, (2 if options.quick else 8) * rate))
        median, slowest = (f"{1000 * x:.1f}" for x in np.quantile(report.compute, [0.5, 0.99]))
        row("a block", f"{1000 * report.block:.0f} ms", median, f"99 %: {slowest}")
    speech, steps = np.resize(talk, (5 if options.quick else 30) * rate), 1 if options.quick else 20
    took = quickest(lambda: swapper.adapt(speech, steps=steps), runs=1)
    row("adapting", f"{steps} steps", f"{1000 * took:.0f}")
