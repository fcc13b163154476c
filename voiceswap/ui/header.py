"""The page's header: its name, the other language, light or dark."""

from html import escape

import gradio as gr

from voiceswap.ui.components import html
from voiceswap.ui.texts import Texts
from voiceswap.ui.theme import LOGO

# Both choices are remembered by the browser; before.js follows them.
_SCRIPT = """
element.querySelector(".vs-light").onclick = () => localStorage.setItem(
  "voiceswap-theme", document.body.classList.toggle("dark") ? "dark" : "light");
const language = element.querySelector(".vs-language");
language.onclick = () => {
  localStorage.setItem("voiceswap-language", language.lang.slice(0, 2));
  const tab = document.querySelector("[data-tab-id][aria-selected=true]");
  language.search = `tab=${tab.dataset.tabId}`;
};"""


def header(text: Texts, other: Texts, there: str) -> gr.HTML:
    """The header in a language; `there` is the address of the page in the other one."""
    light = escape(text["light"])
    return html(
        f"<header class='vs-header'>{LOGO}<div><h1>voiceswap</h1>"
        f"<p>{escape(text['tagline'])}</p></div>"
        f"<a class='vs-language' href='{there}' lang='{other.tag}'>{escape(other['language'])}</a>"
        f"<button type='button' class='vs-light' aria-label='{light}' title='{light}'>◐</button>"
        "</header>",
        _SCRIPT,
    )
