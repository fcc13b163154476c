"""The voices of a library on a plane, to click, and as a list beside it."""

from collections.abc import Sequence

import gradio as gr
import numpy as np

from voiceswap.errors import VoiceswapError
from voiceswap.ui.answers import visible_sentence
from voiceswap.ui.app_context import AppContext
from voiceswap.ui.components import html

NAME_WIDTH, NAME_HEIGHT = 0.24, 0.14  # of a voice's name, as shares of the map

# Names come in as data, and are escaped; they must never become a part of the template, which is
# code.
_ESCAPED = 'replace(/[&<>"\'`]/g, letter => "&#" + letter.charCodeAt(0) + ";")'
_TEMPLATE = """
<div class="vs-voices"><div class="vs-map" role="group" aria-label="%(label)s">
${((value || {}).voices || []).map(voice => {
  const name = voice.name.%(escaped)s;
  return `<button type="button" class="vs-dot" data-name="${name}"
    aria-pressed="${voice.name === value.chosen}"
    style="left:${14 + voice.x * 72}%%;top:${86 - voice.y * 72}%%"><i></i>
    <span dir="auto">${name}</span></button>`;
}).join("")}
${value && value.voices.length ? "" : `<p class="vs-note">%(empty)s</p>`}
</div>
<ul class="vs-voice-list" aria-label="%(list)s" tabindex="0">
${((value || {}).voices || []).map(voice => {
  const name = voice.name.%(escaped)s;
  return `<li><button type="button" class="vs-listed" data-name="${name}" dir="auto"
    title="${name}" aria-pressed="${voice.name === value.chosen}">${name}</button></li>`;
}).join("")}</ul></div>
${((value || {}).unreadable || []).map(sentence =>
  `<p class="vs-note">${sentence.%(escaped)s}</p>`).join("")}"""
_CHOOSE = """
element.addEventListener("click", event => {
  const dot = event.target.closest("[data-name]");
  if (dot) trigger("select", {value: dot.dataset.name});
});"""


def voice_map(label: str, listed: str, empty: str) -> gr.HTML:
    """The component. Its select event has the name of the voice."""
    words = {"label": label, "list": listed, "empty": empty, "escaped": _ESCAPED}
    return html(
        js_on_load=_CHOOSE, label=label, html_template=_TEMPLATE % words, elem_id="voices-map"
    )


def map_points(context: AppContext, chosen: str | None = None) -> dict:
    """The map's value: voices with names and places, and which is chosen.

    A voice that can't be read is a sentence instead.
    """
    codes: dict[str, np.ndarray] = {}
    unreadable = []
    for name in context.library.names():
        try:
            codes[name] = context.library.code(name)
        except VoiceswapError as error:
            unreadable.append(visible_sentence(context, error))
    places = apart(lay_out(list(codes.values())))
    points = [
        {"name": name, "x": float(x), "y": float(y)}
        for name, (x, y) in zip(codes, places, strict=True)
    ]
    return {"voices": points, "chosen": chosen, "unreadable": unreadable}


def lay_out(codes: Sequence[np.ndarray]) -> np.ndarray:
    """Places (voices, 2) from 0 to 1: the two principal components of codes, on one scale."""
    places = np.zeros((len(codes), 2))
    if len(codes) > 1:
        stacked = np.stack(codes).astype(np.float64)
        left, deviations, _ = np.linalg.svd(stacked - stacked.mean(0), full_matrices=False)
        places[:, : min(2, len(deviations))] = (left * deviations)[:, :2]
        # The sign of a component is anybody's choice.
        places *= np.where(places[np.abs(places).argmax(0), [0, 1]] < 0, -1, 1)
        places /= max(np.abs(places).max(), 1e-9)
    return 0.5 + 0.5 * places


def apart(places: np.ndarray) -> np.ndarray:
    """Places (voices, 2) moved up and down until no name lies on another.

    As far as there is room for all: the list beside the map has every name.
    """
    places = places.copy()
    for _ in range(50):
        dx, dy = (places[:, None, axis] - places[None, :, axis] for axis in (0, 1))
        near = (
            (np.abs(dx) < NAME_WIDTH)
            & (np.abs(dy) < NAME_HEIGHT)
            & ~np.eye(len(places), dtype=bool)
        )
        if not near.any():
            break
        order = np.arange(len(places))
        up = np.where(dy == 0, order[:, None] - order[None, :], dy) > 0
        push = np.where(near, (NAME_HEIGHT - np.abs(dy)) / 2 * np.where(up, 1, -1), 0)
        places[:, 1] = np.clip(places[:, 1] + push.sum(1) / np.maximum(near.sum(1), 1), 0, 1)
    return places
