"""The About tab: the model, its measured metrics, licences, and prohibited uses."""

import platform
import re
from html import escape

import gradio as gr
import torch

from voiceswap import __version__, weights
from voiceswap.models.checkpoint import read_metadata
from voiceswap.ui.app_context import AppContext
from voiceswap.ui.components import card, heading, html
from voiceswap.ui.inputs import BATCH_SOURCES, SHORT_SECONDS
from voiceswap.ui.texts import Texts, minutes

CARDS = {"en": "MODEL_CARD.md", "zh": "MODEL_CARD.zh-CN.md"}  # in the folder of the weights
CARD_NAMES = {
    "set": "card_set",
    "F0 correlation": "card_f0",
    "front end": "card_front_end",
    "speaker verifier": "card_verifier",
}


def build(context: AppContext) -> None:
    """Lay out the tab inside the current Blocks."""
    text, swapper = context.text, context.swapper
    limits = text["limits_text"].format(
        short=minutes(SHORT_SECONDS),
        long=minutes(context.max_minutes * 60),
        batch=minutes(BATCH_SOURCES * context.max_minutes * 60),
        size=context.max_megabytes,
        queue=context.queue_size,
    )
    model = {
        text["name"]: swapper.card.get("name", text["unnamed"]),
        text["model_code"]: swapper.fingerprint,
        text["licence"]: swapper.card.get("licence", text["unknown"]),
        text["rate"]: f"{swapper.sample_rate} Hz",
        text["device"]: device_name(swapper.device),
        text["version"]: __version__,
        text["limits"]: limits,
    }
    heading(text["about_heading"])
    with card("forbidden"):
        heading(text["must_not"], text["must_not_text"], level=3)
    with card():
        heading(text["model"], level=3)
        metadata(model)
    if swapper.card == read_metadata()["card"]:
        with card():
            gr.Markdown(_own_card(text), elem_id="about-card")
    else:
        _card_in_file(context)


def _own_card(text: Texts) -> str:
    """The card of the model in the package, in the page's language.

    Its title becomes a heading of the third level, as the page has a title and the tab has one.
    """
    card = (weights.FOLDER / CARDS[text.language]).read_text(encoding="utf-8")
    return re.sub("^#", "###", card, flags=re.MULTILINE)


def _card_in_file(context: AppContext) -> None:
    """Lay out what the file of another model tells of it."""
    text, told = context.text, context.swapper.card
    with card():
        heading(text["figures"], text["figures_note"], level=3)
        metadata(_named(text, told.get("figures", {})), text["unknown"])
    with gr.Row(equal_height=True):
        for title, part in (("data", "data"), ("pretrained", "frozen parts")):
            with card(min_width=300):
                heading(text[title], level=3)
                metadata(_named(text, told.get(part, {})), text["unknown"])


def _named(text: Texts, part: dict) -> dict:
    """A part of the card, its names in the page's language where that has a word for them."""
    words = {name: text[key] for name, key in CARD_NAMES.items()}
    return {words.get(name, name): value for name, value in part.items()}


def device_name(device: torch.device) -> str:
    """The device in words."""
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)} ({device})"
    return f"{device} ({platform.machine()})"


def metadata(values: dict, otherwise: str = "") -> gr.HTML:
    """Names and values, from a model's card or about this page."""
    rows = "".join(
        f"<dt>{escape(str(name))}</dt><dd>{escape(str(value))}</dd>"
        for name, value in values.items()
    )
    return html(f"<dl class='vs-details'>{rows}</dl>" if rows else escape(otherwise))
