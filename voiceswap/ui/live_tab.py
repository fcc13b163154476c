"""The Live tab: the microphone in another voice, while somebody speaks."""

import base64
import binascii
import json
import secrets
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from voiceswap.conversion.latency import LATENCIES
from voiceswap.errors import VoiceswapError
from voiceswap.ui.answers import answering
from voiceswap.ui.app_context import AppContext
from voiceswap.ui.components import DISPLAY_ONLY, card, heading, html, voice_menu
from voiceswap.ui.inputs import require
from voiceswap.ui.live_sessions import LiveChoice, LiveSessions
from voiceswap.ui.queues import LIVE

MOST_SAMPLES = 48000  # of a chunk, which is a second at the highest usual rate
_FOLDER = Path(__file__).parent
_TEMPLATE = """
<div class="vs-live">
  <div class="vs-live-row">
    <button type="button" class="vs-live-go" aria-pressed="false">%(live_start)s</button>
    <button type="button" class="vs-live-bypass" aria-pressed="false">%(live_bypass)s</button>
  </div>
  <div class="vs-live-level" aria-hidden="true"><span></span></div>
  <p class="vs-live-state" role="status">%(live_off)s</p>
  <p class="vs-live-delay" role="timer"></p>
</div>"""
_SHOWN = ("live_start", "live_bypass", "live_off")
_SCRIPT_TEXTS = (
    "live_start",
    "live_stop",
    "live_off",
    "live_opening",
    "live_on",
    "live_bypassed",
    "live_delay",
    "live_denied",
    "live_no_microphone",
    "live_slow",
    "live_lost",
)


def build(context: AppContext, live: LiveSessions) -> gr.Dropdown:
    """Lay out the tab inside the current Blocks. Returns its menu of the library's voices."""
    text = context.text
    heading(text["live_heading"], text["live_intro"])
    names = context.library.names()
    with gr.Row(equal_height=True):
        with card("a", min_width=280):
            panel = _panel(context)
        with card("b", min_width=280):
            voice = voice_menu(
                text["live_voice"],
                names,
                value=next(iter(names), None),
                info=text["live_voice_info"],
                elem_id="live-voice",
            )
            latency = gr.Radio(
                [(text[f"live_{name}"], name) for name in LATENCIES],
                value="normal",
                label=text["live_latency"],
                info=text["live_latency_info"],
                elem_id="live-latency",
            )
            pitch = gr.Slider(-12, 12, 0, step=0.5, label=text["pitch"], info=text["pitch_info"])

    def speak(
        voice: str | None, latency: str, pitch: float, event: gr.EventData, request: gr.Request
    ) -> dict:
        """One chunk of the microphone, in a voice of the library."""
        with answering(context):
            samples, rate = sent_samples(event._data)
            name = require(text, voice, "no_voice")
            choice = LiveChoice(name, pitch, latency, rate)
            made, needs = live.push(str(request.session_hash), request, choice, samples)
            number = event._data.get("number")
            return {"number": number, "samples": _encoded(made), "latency": needs}

    def leave(request: gr.Request) -> None:
        live.leave(request.session_hash)

    converted = panel.stream(
        speak,
        [voice, latency, pitch],
        panel,
        show_progress="hidden",
        api_visibility="private",
        concurrency_id=LIVE,
        concurrency_limit=None,  # too many get a sentence, instead of waiting
        time_limit=None,
    )
    converted.failure(lambda: {"over": secrets.token_hex(8)}, None, panel, **DISPLAY_ONLY)
    panel.clear(leave, None, None, **DISPLAY_ONLY)
    return voice


def _panel(context: AppContext) -> gr.HTML:
    """The buttons and what goes on; its value is the latest answer, which live.js plays."""
    text = context.text
    script, worklet = (
        (_FOLDER / name).read_text(encoding="utf-8") for name in ("live.js", "live_worklet.js")
    )
    texts = {name.removeprefix("live_"): text[name] for name in _SCRIPT_TEXTS}
    given = (
        f"const text = {json.dumps(texts)}, worklet = {json.dumps(worklet)};\n"
        f"const wanted = {context.swapper.sample_rate};\n"
    )
    return html(
        js_on_load=given + script,
        label=text["live"],
        html_template=_TEMPLATE % {name: text[name] for name in _SHOWN},
        elem_id="live-panel",
    )


def sent_samples(sent: Any) -> tuple[np.ndarray, int]:
    """Samples (samples,) and their rate, of what a browser sent: 16 bits, in base64."""
    try:
        rate, encoded = sent["rate"], base64.b64decode(sent["samples"], validate=True)
        samples = np.frombuffer(encoded, "<i2")
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise VoiceswapError(
            "A chunk has to have samples of 16 bits in base64, and a rate."
        ) from error
    if not isinstance(rate, int) or len(samples) > MOST_SAMPLES:
        raise VoiceswapError(f"A chunk has at most {MOST_SAMPLES} samples, at a rate in whole Hz.")
    return samples.astype(np.float32) / 32768, rate


def _encoded(samples: np.ndarray) -> str:
    return base64.b64encode(np.round(samples * 32767).astype("<i2").tobytes()).decode()
