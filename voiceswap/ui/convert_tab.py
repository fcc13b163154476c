"""The Convert tab: one recording in another voice, with every setting."""

from pathlib import Path

import gradio as gr

from voiceswap.audio_io.ffmpeg_writing import wav_or_video
from voiceswap.examples import BY_LANGUAGE
from voiceswap.ui import comparison
from voiceswap.ui.answers import answering, progress_reporter
from voiceswap.ui.app_context import AppContext
from voiceswap.ui.compare_player import compare_player, sounds_to_compare
from voiceswap.ui.components import (
    DISPLAY_ONLY,
    card,
    conversion_options,
    download,
    exact_pitch,
    example,
    format_choice,
    heading,
    recorder,
    recordings_field,
    saved_voices,
    settings,
)
from voiceswap.ui.inputs import require_recording, require_references
from voiceswap.ui.queues import MODEL_SLOTS
from voiceswap.ui.result_files import result_file, result_title, title
from voiceswap.ui.run import Run
from voiceswap.ui.texts import Texts
from voiceswap.ui.visit_results import VisitResults, entry


def build(context: AppContext, visit: VisitResults) -> gr.Dropdown:
    """Lay out the tab inside the current Blocks. Returns its menu of the library's voices."""
    text = context.text
    heading(text["convert_heading"], text["convert_intro"])
    inputs, menu = _inputs(context)
    run = Run(context, text["convert_button"], "convert")
    with card("b", visible=False, elem_id="convert-results") as results:
        sound = compare_player(context, "convert-player")
        file = download(text["download"], "convert-result")
        meter = comparison.meter(context, "source_speaker", "target_speaker")
        drawn = comparison.picture(context)
    to_play = gr.State()  # the player's next value

    def convert(
        source: str | None,
        reference: str | None,
        more: list[str] | None,
        voices: list[str] | None,
        pitch: float = 0.0,
        pitch_range: float = 1.0,
        strength: float = 100.0,
        seed: float | None = None,
        kind: str = "",
        exact: bool = False,
        request: gr.Request = None,  # type: ignore[assignment]  # gradio gives it
        progress: gr.Progress = gr.Progress(),  # noqa: B008  # gradio's way to ask for one
    ):
        """Convert a recording to the voice of one person's recordings, and to saved voices.

        They are averaged.
        """
        with answering(context, request) as check:
            source = require_recording(text, source, "no_source", context.max_minutes * 60)
            recordings = [path for path in (reference, *(more or [])) if path]
            targets = require_references(context, recordings, voices or [])
            report = progress_reporter(text, progress, check, text["converting"])
            ending = kind or wav_or_video(Path(source))
            out = result_file(text, source, targets[0], ending)
            options = conversion_options(pitch, pitch_range, strength, seed, exact)
            context.swapper.convert_file(source, targets, out, progress=report, **options)
            target = title(recordings[0]) if recordings else (voices or [""])[0]
            unusual = _unusual(text, pitch, pitch_range, strength, options["seed"], exact)
            details = " · ".join([ending, *unusual])
            return (
                str(out),
                *comparison.compare(context, source, out, recordings),
                sounds_to_compare(context, out, source, next(iter(recordings), None)),
                [entry(out, result_title(text, title(source), target), details)],
            )

    done = run.connect(
        convert,
        inputs,
        [file, drawn, meter, to_play, visit.new],
        results,
        show_progress_on=sound,
        **context.api("convert"),
        **MODEL_SLOTS,
    )
    to_play.change(lambda value: value, to_play, sound, **DISPLAY_ONLY)
    visit.follow(done)
    return menu


def _inputs(context: AppContext) -> tuple[list, gr.Dropdown]:
    """Lay out the fields, in the order in which `convert` takes them, and the menu among them."""
    text = context.text
    with gr.Row(equal_height=True):
        with card("a", min_width=280):
            source = recorder(text["source"], elem_id="convert-source")
            hello, _ = BY_LANGUAGE[text.language]
            example(text, text["example_hello"], hello, source)
        with card("b", min_width=280):
            reference = recorder(text["target"], elem_id="convert-target")
            voices = saved_voices(context, text["saved_voices_info"], "convert")
            with gr.Accordion(text["more_recordings"], open=False):
                more = recordings_field(text["more_recordings"], elem_id="convert-recordings")
    with gr.Accordion(text["settings"], open=False, elem_id="convert-settings"):
        options = settings(text, "convert")
        exact = exact_pitch(text, "convert")
        kind = format_choice(text, "convert", videos=True)
    return [source, reference, more, voices, *options, kind, exact], voices


def _unusual(
    text: Texts, pitch: float, pitch_range: float, strength: float, seed: int | None, exact: bool
) -> list[str]:
    """The settings of a conversion that are not the usual ones, in words."""
    values = (
        ("pitch", pitch, 0),
        ("pitch_range", pitch_range, 1),
        ("strength", strength, 100),
        ("seed", seed, None),
    )
    unusual = [f"{text[name]}: {value:g}" for name, value, usual in values if value != usual]
    return [*unusual, text["exact_pitch"]] if exact else unusual
