"""`voiceswap live` on imagined sound devices."""

import contextlib
import threading
from unittest.mock import Mock

import numpy as np
import pytest
from commands import command
from rich.console import Console

from voiceswap import VoiceswapError
from voiceswap.commands import live_display
from voiceswap.examples import GOODBYE
from voiceswap.live import portaudio
from voiceswap.live.device import LiveSession


class Device:
    """A sound device that plays a recording, and is pulled out at its end."""

    def __init__(self, recording, **settings):
        self.recording, self.settings, self.active, self.played = recording, settings, True, []

    def start(self):
        size, callback = self.settings["blocksize"], self.settings["callback"]
        for first in range(0, len(self.recording) - size, size):
            out = np.zeros((size, 1), np.float32)
            callback(self.recording[first : first + size, None], out, size, None, None)
            self.played.append(out[:, 0])
        self.active = False

    def stop(self):
        pass

    close = stop


class Echo:
    """Stands in for a Stream: gives back what came, in blocks; the first is held up."""

    rate, latency, block_seconds = 8000, 0.1, 0.1

    def __init__(self):
        self.waiting, self.go_on = np.zeros(0, np.float32), threading.Event()

    def push(self, samples):
        assert self.go_on.wait(60)
        self.waiting = np.append(self.waiting, samples)
        ready = len(self.waiting) // 800 * 800
        made, self.waiting = self.waiting[:ready], self.waiting[ready:]
        return made


def test_the_delay_is_as_before_after_a_moment_in_which_the_computer_was_too_slow():
    """A clock of 20 ms of a device, whose callbacks wait for the thread that converts."""
    stream = Echo()
    stream.go_on.set()
    devices = []

    def play(**settings):
        devices.append(Device(np.zeros(0, np.float32), **settings))
        return devices[0]

    with LiveSession(stream, play=play) as session:
        callback, time = devices[0].settings["callback"], iter(range(1, 10**6))

        def tick(count):
            """What comes out while `count` times 160 samples go in, which count from 1."""
            out = np.zeros((160, 1), np.float32)
            for _ in range(count):
                numbers = np.float32([next(time) for _ in range(160)]) / 2**20
                callback(numbers[:, None], out, 160, None, None)
                while stream.go_on.is_set() and not session._recorded.empty():
                    assert session.error is None
            return round(float(out[-1, 0]) * 2**20), next(time) - 1

        def delay():
            played, recorded = tick(1)
            return (recorded - played) / stream.rate

        tick(30)
        before = delay()
        assert before < 0.35 and session.delay == pytest.approx(before, abs=0.05)
        stream.go_on.clear()
        tick(100)  # two seconds
        assert session.meter.dropouts > 10
        stream.go_on.set()
        tick(30)
        assert delay() == pytest.approx(before, abs=0.15)
        assert session.delay == pytest.approx(delay(), abs=0.05)


def test_a_device_that_goes_away_and_one_that_is_not_there(tiny, hello):
    devices = []

    def play(**settings):
        devices.append(Device(hello[:8000], **settings))
        return devices[0]

    with LiveSession(tiny.stream(GOODBYE), play=play, bypass=True) as session:
        assert not session.active and session.error is None
    np.testing.assert_array_equal(np.concatenate(devices[0].played), hello[: 320 * 24])

    def nothing(**settings):
        raise RuntimeError("Error querying device -1")

    with (
        pytest.raises(VoiceswapError, match="--list-devices"),
        LiveSession(tiny.stream(GOODBYE), play=nothing),
    ):
        pass


def test_windows_has_each_device_several_times(monkeypatch, capsys):
    device = {"name": "Microphone", "max_input_channels": 1, "max_output_channels": 0}
    library = Mock(
        query_devices=lambda: [device | {"hostapi": number} for number in (0, 1)],
        query_hostapis=lambda: ({"name": "MME"}, {"name": "Windows WASAPI"}),
    )
    monkeypatch.setattr(portaudio, "portaudio", lambda: library)
    command(monkeypatch, "live", "--list-devices")
    shown = capsys.readouterr().out
    assert "Microphone, MME" in shown and "Microphone, Windows WASAPI" in shown


def test_two_targets_of_one_name_keep_their_keys(tiny, hello, monkeypatch):
    session = LiveSession(tiny.stream(GOODBYE), play=lambda **settings: Device(hello, **settings))
    voices = [(name, tiny.sample(seed)) for seed, name in enumerate(["anna", "anna", "b[/]n"])]
    monkeypatch.setattr(LiveSession, "active", True)
    chosen, shown = [], Console(record=True, width=100)
    monkeypatch.setattr(session.stream, "set_voice", chosen.append)
    with contextlib.ExitStack() as stack:
        keys = iter("321123q")
        stack.enter_context(monkeypatch.context()).setattr(
            live_display, "_keys", lambda: contextlib.nullcontext(lambda: next(keys))
        )
        live_display.run(session, voices, shown)
    assert chosen == [voice for _, voice in [*voices[::-1], *voices]]
    assert "b[/]n" in shown.export_text()
