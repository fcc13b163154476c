"""Many recordings in, a zip out: `voiceswap batch` on the page."""

import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

import gradio as gr

from voiceswap.batch import BatchOptions, BatchProgress, Report, convert_folder
from voiceswap.batch.formats import FORMATS, ending
from voiceswap.batch.report import REPORT_NAME, Row, Status
from voiceswap.errors import VoiceswapError
from voiceswap.notes import note
from voiceswap.ui.answers import answering, progress_reporter, visible_sentence
from voiceswap.ui.app_context import AppContext
from voiceswap.ui.cleanup import held
from voiceswap.ui.components import (
    card,
    conversion_options,
    exact_pitch,
    heading,
    recordings_field,
    saved_voices,
    settings,
)
from voiceswap.ui.inputs import BATCH_SOURCES, require, require_recordings, require_references
from voiceswap.ui.queues import MODEL_SLOTS
from voiceswap.ui.result_files import new_file
from voiceswap.ui.run import Run
from voiceswap.ui.texts import Texts


def build(context: AppContext) -> gr.Dropdown:
    """Lay out the tab inside the current Blocks. Returns its menu of the library's voices."""
    text = context.text
    heading(text["batch_heading"], text["batch_intro"])
    inputs, menu = _inputs(context)
    run = Run(context, text["batch_button"], "batch")
    with card(visible=False, elem_id="batch-results") as results:
        archive = gr.File(label=text["batch_result"], interactive=False, elem_id="batch-result")
        table = _report_table(text)

    def batch(
        sources: list[str] | None,
        recordings: list[str] | None,
        voices: list[str] | None,
        pitch: float = 0.0,
        pitch_range: float = 1.0,
        strength: float = 100.0,
        seed: float | None = None,
        kind: str | None = "",
        exact: bool = False,
        request: gr.Request = None,  # type: ignore[assignment]  # gradio gives it
        progress: gr.Progress = gr.Progress(),  # noqa: B008  # gradio's way to ask for one
    ):
        """Convert recordings to the voice of one person's recordings, and to each saved voice.

        Returns a zip and its report.
        """
        with answering(context, request) as check:
            options = conversion_options(pitch, pitch_range, strength, seed, exact)
            chosen = BatchOptions(**options, format=kind or None)
            given = require(text, sources, "no_sources")
            _refuse_manifests(context, given)
            require_references(context, recordings or [], voices or [], "no_batch_target")
            targets = [
                *([recordings] if recordings else []),
                *([str(context.library.path(name))] for name in dict.fromkeys(voices or [])),
            ]
            longest = context.max_minutes * 60
            together = BATCH_SOURCES * longest / len(targets)
            paths = require_recordings(text, given, longest, together, check)

            report = progress_reporter(text, progress, check, text["converting"])

            def report_files(done: BatchProgress) -> None:
                files = text["batch_progress"].format(done=done.done, files=done.files)
                report(done.share, files)

            out = new_file("batch")
            try:
                with held(out, *paths, *(recordings or [])):
                    result = convert_folder(
                        paths, targets, out, chosen, swapper=context.swapper, progress=report_files
                    )
                    for sentence in result.notes:
                        note(sentence)
                    if result.stopped:
                        raise VoiceswapError(result.stopped)
                    zipped = _zip(context, result, out)
            finally:
                shutil.rmtree(out, ignore_errors=True)
            return str(zipped), [_cells(text, row) for row in result.rows]

    run.connect(
        batch,
        inputs,
        [archive, table],
        results,
        show_progress_on=archive,
        **context.api("batch"),
        **MODEL_SLOTS,
    )
    return menu


def _inputs(context: AppContext) -> tuple[list, gr.Dropdown]:
    """Lay out the fields, in the order in which `batch` takes them, and the menu among them."""
    text = context.text
    with gr.Row():
        with card("a", min_width=280):
            sources = recordings_field(text["batch_sources"], 260, elem_id="batch-sources")
        with card("b", min_width=280):
            recordings = recordings_field(text["batch_target"], elem_id="batch-recordings")
            voices = saved_voices(context, text["batch_voices_info"], "batch")
    with gr.Accordion(text["settings"], open=False):
        options = settings(text, "batch")
        exact = exact_pitch(text, "batch")
        kind = gr.Dropdown(
            [(text["as_source"], ""), *FORMATS],
            value="",
            label=text["format"],
            elem_id="batch-format",
        )
    return [sources, recordings, voices, *options, kind, exact], voices


def _report_table(text: Texts) -> gr.Dataframe:
    columns = ("source", "output", "status", "error", "note", "seconds")
    return gr.Dataframe(
        headers=[text[f"batch_{column}"] for column in columns],
        datatype=["str", "str", "str", "str", "str", "number"],
        label=text["batch_report"],
        interactive=False,
        column_widths=[140, 170, 100, 215, 215, 85],  # a phone scrolls
        wrap=True,
        elem_id="batch-report",
        elem_classes="vs-with-result",
    )


def _cells(text: Texts, row: Row) -> list:
    """A row of `_report_table`."""
    seconds = round(row.audio_seconds, 2)
    return [row.source, row.output, text[row.status], row.error, " ".join(row.notes), seconds]


def _refuse_manifests(context: AppContext, paths: Sequence[str]) -> None:
    """Raise VoiceswapError for a list of files, which would name some of the server's."""
    for path in paths:
        if ending(path) in ("csv", "jsonl"):
            raise VoiceswapError(context.text["no_manifest"].format(name=Path(path).name))


def _zip(context: AppContext, report: Report, out: Path) -> Path:
    """What was converted and the report, without the server's folders in it."""
    for row in report.rows:
        row.source, row.error = Path(row.source).name, visible_sentence(context, row.error)
        row.notes = [visible_sentence(context, sentence) for sentence in row.notes]
    report.write(out)
    path = new_file("voiceswap-batch.zip")
    with zipfile.ZipFile(path, "w") as archive:  # stored, as compression gains little on sound
        for name in [
            *(row.output for row in report.rows if row.status is Status.CONVERTED),
            REPORT_NAME,
        ]:
            archive.write(out / name, name)
    return path
