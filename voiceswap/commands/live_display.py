"""What a live conversion shows, and its keys."""

import contextlib
import math
import os
import sys
import time
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from voiceswap.commands.outputs import plain
from voiceswap.conversion.options import RANGES
from voiceswap.conversion.voice import Voice
from voiceswap.errors import VoiceswapError
from voiceswap.live.device import LiveSession

LOOKS = 0.1  # seconds between two looks at the meter
LOWEST_DB, BAR = -60.0, 30
KEYS = "1-9 voice, + and - pitch, b bypass, q end"


def run(session: LiveSession, voices: Sequence[tuple[str, Voice]], console: Console) -> None:
    """Show the meter and follow the keys until 'q', Ctrl-C, or until the device is gone.

    Raises VoiceswapError when the device is gone or the conversion failed.
    """
    chosen = 0
    with (
        _keys() as pressed,
        Live(console=console, auto_refresh=False) as shown,
        contextlib.suppress(KeyboardInterrupt),
    ):
        while session.active:
            key = pressed()
            if key == "q":
                return
            if key.isdecimal() and 0 < int(key) <= len(voices):
                chosen = int(key) - 1
                session.stream.set_voice(voices[chosen][1])
            _follow(session, key)
            shown.update(_table(session, voices[chosen][0]), refresh=True)
            time.sleep(LOOKS)
        _explain(session)


def _follow(session: LiveSession, key: str) -> None:
    if key == "b":
        session.bypass = not session.bypass
    if key in ("+", "-"):
        low, high = RANGES["pitch_shift"]
        shift = session.stream.options.pitch_shift + (1 if key == "+" else -1)
        session.stream.set_pitch_shift(min(max(shift, low), high))


def _explain(session: LiveSession) -> None:
    if isinstance(session.error, VoiceswapError):
        raise session.error
    if session.error is not None:
        raise VoiceswapError(f"The conversion failed ({session.error!r}).") from session.error
    raise VoiceswapError("The sound device is gone; connect it and start again.")


def _table(session: LiveSession, voice: str) -> Table:
    meter = session.meter
    table = Table(show_header=False, caption=KEYS)
    table.add_row("voice", "your own" if session.bypass else Text(plain(voice)))
    table.add_row("pitch", f"{session.stream.options.pitch_shift:+g} semitones")
    table.add_row("in", _bar(meter.recorded))
    table.add_row("out", _bar(meter.made))
    table.add_row("delay", f"{1000 * session.delay:.0f} ms")
    table.add_row("load", f"{100 * meter.load:.0f} %")
    table.add_row("dropouts", str(meter.dropouts))
    meter.recorded = meter.made = 0.0
    return table


def _bar(peak: float) -> str:
    level = 20 * math.log10(max(peak, 1e-6))
    filled = round(BAR * min(max(1 - level / LOWEST_DB, 0.0), 1.0))
    return "█" * filled + "·" * (BAR - filled)


@contextlib.contextmanager
def _keys() -> Iterator:
    """A function that gives a key that was pressed, or nothing; keys need a terminal."""
    if not sys.stdin.isatty():
        yield lambda: ""
        return
    if sys.platform == "win32":
        import msvcrt

        yield lambda: msvcrt.getwch() if msvcrt.kbhit() else ""
        return
    import select
    import termios
    import tty

    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin.fileno())
    try:
        # Past Python's buffer, which would keep the keys that were pressed with it.
        keyboard = sys.stdin.fileno()
        yield (
            lambda: (
                os.read(keyboard, 1).decode("ascii", "ignore")
                if select.select([keyboard], [], [], 0)[0]
                else ""
            )
        )
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
