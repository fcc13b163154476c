"""Who may be live, for how long, and with which choices."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch

pytest.importorskip("gradio", reason="the ui extra is not installed")

from voiceswap.conversion.streaming import Stream
from voiceswap.conversion.voice_library import VoiceLibrary
from voiceswap.errors import VoiceswapError
from voiceswap.ui.live_sessions import LiveChoice, LiveSessions
from voiceswap.ui.live_tab import sent_samples


class Call:
    """A call of the page."""


def test_places_are_bounded_and_given_up(swapper, tmp_path, delays):
    now, loud, quiet = [0.0], np.full(100, 0.5, np.float32), np.zeros(100, np.float32)
    library = VoiceLibrary(tmp_path, swapper)
    library.add("Anna", swapper.sample(1))
    live = LiveSessions(swapper, library, 1, clock=lambda: now[0])

    def push(visitor, caller, samples=loud):
        return live.push(visitor, caller, LiveChoice("Anna", 0, "normal", 24000), samples)

    first, second, other = Call(), Call(), Call()
    push("a", first)
    with pytest.raises(VoiceswapError, match=r"^All 1 places for live conversion are taken"):
        push("b", other)
    push("a", second)  # the same visitor once more
    with pytest.raises(VoiceswapError, match="is over"):
        push("a", first)
    live.leave("a")
    with pytest.raises(VoiceswapError, match="is over"):  # a chunk that was on its way
        push("a", second)
    push("b", other)
    now[0] = 11.0  # nothing more came
    third = Call()
    push("a", third)
    for now[0] in range(12, 310):
        push("a", third, quiet)
    now[0] += 3
    with pytest.raises(VoiceswapError, match=r"^Nobody has spoken for 5 minutes"):
        push("a", third, quiet)
    push("b", Call())


def test_what_is_chosen_meanwhile_is_followed(swapper, tmp_path, hello_24k):
    library = VoiceLibrary(tmp_path, swapper)
    library.add("Anna", swapper.sample(1))
    library.add("Ben", swapper.sample(2))
    live, caller = LiveSessions(swapper, library, 1), Call()
    chosen = [("Anna", 0, "normal"), ("Ben", 3, "normal"), ("Ben", 3, "high")]
    parts = np.array_split(hello_24k, 6)
    made = []
    for number, part in enumerate(parts):
        choice = LiveChoice(*chosen[number // 2], 24000)
        made.append(live.push("a", caller, choice, part))
    expected = swapper.stream(library.voice("Anna"), rate=24000)
    samples = [expected.push(part) for part in parts[:2]]
    expected.set_voice(library.voice("Ben"))
    expected.options = replace(expected.options, pitch_shift=3)
    samples += [expected.push(part) for part in parts[2:4]]
    rest = expected.flush()
    given = np.concatenate([samples for samples, _ in made])
    samples = np.concatenate([*samples, rest])
    assert len(samples) == sum(map(len, parts[:4]))  # nothing is lost, and nothing late
    np.testing.assert_allclose(given[: len(samples)], samples, atol=1e-5)
    assert [latency for _, latency in made][-1] > made[0][1]
    with pytest.raises(VoiceswapError, match="rate of the samples can't change"):
        live.push("a", caller, LiveChoice("Ben", 3, "high", 48000), parts[0])


def test_every_computation_takes_one_thread(tiny, tmp_path, monkeypatch):
    counts: list[int] = []

    def counted(before):
        def call(*values):
            counts.append(torch.get_num_threads())
            return before(*values)

        return call

    for name in ("push", "flush"):
        monkeypatch.setattr(Stream, name, counted(getattr(Stream, name)))
    library = VoiceLibrary(tmp_path, tiny)
    library.add("Anna", tiny.sample(1))
    live, caller, usual = LiveSessions(tiny, library, 1), Call(), torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        for latency in ("low", "normal"):  # the change flushes
            choice = LiveChoice("Anna", 0, latency, 24000)
            live.push("a", caller, choice, np.zeros(100, np.float32))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(usual)
    assert counts == 5 * [1]


def test_who_speaks_goes_on_while_others_begin(tiny, tmp_path, monkeypatch):
    library, samples, calls = VoiceLibrary(tmp_path, tiny), np.zeros(100, np.float32), []
    library.add("Anna", tiny.sample(1))
    begun, ready = threading.Event(), threading.Event()

    def warm_up(swapper, voice, latency):
        calls.append(latency)
        if latency == "high":
            begun.set()
            assert ready.wait(60)

    monkeypatch.setattr("voiceswap.ui.live_sessions.warm_up", warm_up)
    live, speaker = LiveSessions(tiny, library, 3), Call()

    def push(visitor, caller, latency):
        return live.push(visitor, caller, LiveChoice("Anna", 0, latency, 24000), samples)

    push("a", speaker, "low")
    with ThreadPoolExecutor(5) as visitors:
        several = [visitors.submit(push, f"{n}", Call(), "high") for n in range(4)]
        try:
            assert begun.wait(60)
            visitors.submit(push, "a", speaker, "low").result(60)
        finally:
            ready.set()
    assert calls == ["low", "high"]  # no latency twice
    assert sum(visitor.exception() is None for visitor in several) == 2  # of three places


@pytest.mark.parametrize(
    ("rate", "usable"),
    [(8000, True), (11025, True), (22050, True), (44100, True), (48000, True), (96000, True),
     (7975, False), (96025, False), (95989, False), (44101, False)],
)  # fmt: skip
def test_rates_are_those_that_a_resampler_has_few_filters_for(
    swapper, tmp_path, delays, rate, usable
):
    library = VoiceLibrary(tmp_path, swapper)
    library.add("Anna", swapper.sample(1))
    live, samples = LiveSessions(swapper, library, 1), np.zeros(100, np.float32)
    choice = LiveChoice("Anna", 0, "normal", rate)
    if usable:
        live.push("a", Call(), choice, samples)
        return
    with pytest.raises(VoiceswapError, match=f"is {rate} Hz, but has to be a multiple of 25 from"):
        live.push("a", Call(), choice, samples)


@pytest.mark.parametrize(
    "sent",
    [None, {}, {"samples": "?", "rate": 1}, {"samples": "AA", "rate": 1},
     {"samples": "AAA=", "rate": 0.5}, {"samples": "AAAA" * 40_000, "rate": 24000}],
)  # fmt: skip
def test_a_chunk_that_is_none_is_a_sentence(sent):
    with pytest.raises(VoiceswapError, match=r"^A chunk has"):
        sent_samples(sent)
