"""A way to a new voice: adapt the model to recordings of it."""

from dataclasses import replace
from html import escape

import gradio as gr
from gradio.events import Dependency

from voiceswap.adaptation.adapt import adapt
from voiceswap.adaptation.report import AdaptationReport, rows
from voiceswap.errors import VoiceswapError
from voiceswap.ui.answers import answering, progress_reporter, visible_sentence
from voiceswap.ui.app_context import AppContext
from voiceswap.ui.components import heading, html, player, recordings_field
from voiceswap.ui.inputs import TOGETHER_SECONDS, require, require_recordings
from voiceswap.ui.queues import ADAPT
from voiceswap.ui.result_files import example_file
from voiceswap.ui.run import Run


def build(context: AppContext, chosen: gr.Dropdown) -> Dependency:
    """Lay out the panel inside the current Blocks. Returns the event that keeps a voice."""
    text, swapper = context.text, context.swapper
    heading("", text["adapt_info"], level=3)
    with gr.Row():
        recordings = recordings_field(text["adapt_recordings"], 200, elem_id="adapt-recordings")
        with gr.Column(min_width=260):
            name = gr.Textbox(label=text["name"], max_length=100, elem_id="adapt-name")
            agreed = gr.Checkbox(label=text["adapt_consent"], elem_id="adapt-consent")
    run = Run(context, text["adapt_button"], "adapt")
    with gr.Column(visible=False, elem_id="adapt-results") as results:
        table = html(elem_id="adapt-table", elem_classes="vs-progress")
        with gr.Row(elem_classes="vs-with-result"):
            before = player(text["adapt_before"], elem_id="adapt-before")
            after = player(text["adapt_after"], elem_id="adapt-after")

    def adapt_voice(
        recordings: list[str] | None,
        name: str | None,
        agreed: bool,
        request: gr.Request = None,  # type: ignore[assignment]  # gradio gives it
        progress: gr.Progress = gr.Progress(),  # noqa: B008  # gradio's way to ask for one
    ):
        """Adapt the model to recordings of one voice, and keep it in the library.

        Returns its name, numbered if another visitor took it meanwhile, a table, and an example
        before and after.
        """
        with answering(context, request) as check:
            paths = require(text, recordings, "adapt_no_recordings")
            if not agreed:
                raise VoiceswapError(text["adapt_no_consent"])
            kept_name = context.library.free_name(name or "")
            paths = require_recordings(text, paths, TOGETHER_SECONDS, TOGETHER_SECONDS)

            report = progress_reporter(text, progress, check, text["adapting"])
            adapted = adapt(swapper, paths, progress=lambda done, what: report(done))
            notes = {**adapted.voice.notes, "consent": True}
            voice = replace(adapted.voice, notes=notes)
            kept = context.library.add(kept_name, voice, numbered=True)
            files = [
                example_file(context, one, "example") for one in (adapted.plain, adapted.voice)
            ]
        return kept, summary(context, adapted.report), *files

    return run.connect(
        adapt_voice,
        [recordings, name, agreed],
        [table, before, after],
        results,
        first=[chosen],
        show_progress_on=table,
        **context.api("adapt_voice"),
        concurrency_id=ADAPT,
        concurrency_limit=1,
    )


def summary(context: AppContext, report: AdaptationReport) -> str:
    """The table of what adapting brought."""
    text = context.text
    measured_on = report.kept_out or text["adapt_own"]
    head = text["adapt_summary"].format(
        minutes=report.seconds / 60, steps=report.steps, name=measured_on
    )
    names = (text["adapt_similarity"], text["adapt_words"], text["adapt_error"])
    body = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(old)}</td><td>{escape(new)}</td></tr>"
        for name, (_, old, new) in zip(names, rows(report), strict=True)
    )
    left_out = "".join(
        f"<li>{escape(visible_sentence(context, sentence))}</li>" for sentence in report.left_out
    )
    return (
        f"<div class='vs-adapted'><p>{escape(head)}</p><table><tr><th></th>"
        f"<th>{escape(text['before'])}</th><th>{escape(text['after'])}</th></tr>{body}</table>"
        f"{f'<ul>{left_out}</ul>' if left_out else ''}</div>"
    )
