"""The results of a visit: kept by the browser, shown below the tabs until they are deleted.

The browser keeps the addresses of the files, which can't be guessed; the files themselves are
removed by the server when they are old.
"""

import secrets
from pathlib import Path

import gradio as gr
from gradio.events import Dependency
from gradio.utils import get_upload_folder

from voiceswap.ui.app_context import AppContext
from voiceswap.ui.components import DISPLAY_ONLY, html
from voiceswap.ui.request_guard import is_upload

MOST = 30  # results that are kept

_TEMPLATE = """
${value && value.length ? `<section class="vs-card vs-visit" aria-label="%(title)s">
<div class="vs-heading"><h3>%(title)s</h3><p>%(note)s</p></div><ul>${value.map(result => {
  const safe = text => String(text).replace(
    /[&<>"'`]/g, letter => "&#" + letter.charCodeAt(0) + ";");
  const address = safe("gradio_api/file=" +
    encodeURI(result.file).replace(/[?#]/g, encodeURIComponent));
  const name = result.file.split("/").pop();
  return `<li><div><strong dir="auto">${safe(result.title)}</strong>
    <span class="vs-note">${safe(result.details)}</span></div>
    <audio controls preload="metadata" src="${address}" aria-label="${safe(result.title)}"></audio>
    <a href="${address}" download="${safe(name)}">%(download)s</a>
    <button type="button" class="vs-delete" data-id="${safe(result.id)}"
      aria-label="%(delete)s: ${safe(result.title)}">%(delete)s</button></li>`;
}).join("")}</ul></section>` : ""}"""
_SCRIPT = """
element.addEventListener("click", event => {
  const button = event.target.closest(".vs-delete");
  if (button) trigger("delete", {value: button.dataset.id});
});
element.addEventListener("play", event => document.querySelectorAll("audio").forEach(
  other => other === event.target || other.pause()), true);"""


class VisitResults:
    """The list's state and its component, which `lay_out` puts in its place."""

    def __init__(self, context: AppContext):
        text = context.text
        self.kept = gr.BrowserState([], storage_key="voiceswap-results", secret=context.secret)
        self.new = gr.State([])  # entries of the job that has just ended
        words = {
            "title": text["visit"],
            "note": text["visit_note"],
            "download": text["download"],
            "delete": text["delete"],
        }
        self.list = html(
            js_on_load=_SCRIPT,
            label=text["visit"],
            html_template=_TEMPLATE % words,
            elem_id="visit-results",
            render=False,
        )

    def follow(self, job: Dependency) -> None:
        """Add to the list what `job` left in `new`."""
        job.success(_add, [self.new, self.kept], self.kept, **DISPLAY_ONLY)

    def lay_out(self, page: gr.Blocks) -> None:
        """Show the list here, from the start of a visit on."""
        self.list.render()
        page.load(_existing, self.kept, self.kept, **DISPLAY_ONLY)
        self.kept.change(lambda kept: kept, self.kept, self.list, **DISPLAY_ONLY)
        self.list.delete(_delete, self.kept, self.kept, **DISPLAY_ONLY)


def entry(file: Path, title: str, details: str) -> dict:
    """What is kept of a result: its title, and how it was made."""
    return {
        "id": secrets.token_hex(8),
        "title": title,
        "details": details,
        "file": str(file),
    }


def _add(new: list[dict], kept: list[dict]) -> list[dict]:
    return [*new, *kept][:MOST]


def _existing(kept: list[dict]) -> list[dict]:
    return [result for result in kept if is_upload(result["file"], Path(get_upload_folder()))]


def _delete(kept: list[dict], event: gr.EventData) -> list[dict]:
    for result in _existing(kept):
        if result["id"] == event.value:
            Path(result["file"]).unlink()
    return [result for result in kept if result["id"] != event.value]
