"""The Dialogue tab: two people in one recording, each in a voice of their own."""

from pathlib import Path

import gradio as gr

from voiceswap.audio_io.ffmpeg_writing import wav_or_video
from voiceswap.conversion.dialogue import convert_dialogue
from voiceswap.ui import comparison
from voiceswap.ui.answers import answering, progress_reporter
from voiceswap.ui.app_context import AppContext
from voiceswap.ui.compare_player import compare_player, sounds_to_compare
from voiceswap.ui.components import (
    DISPLAY_ONLY,
    card,
    download,
    format_choice,
    heading,
    recorder,
    saved_voices,
)
from voiceswap.ui.inputs import require_recording, require_references
from voiceswap.ui.queues import MODEL_SLOTS
from voiceswap.ui.result_files import dialogue_file, title
from voiceswap.ui.run import Run
from voiceswap.ui.visit_results import VisitResults, entry


def build(context: AppContext, visit: VisitResults) -> list[gr.Dropdown]:
    """Lay out the tab inside the current Blocks. Returns its menus of the library's voices."""
    text = context.text
    heading(text["dialogue_heading"], text["dialogue_intro"])
    with card():
        source = recorder(text["dialogue_source"], elem_id="dialogue-source")
    recordings, menus = [], []
    with gr.Row(equal_height=True):
        for side, name in (("a", "first"), ("b", "second")):
            with card(side, min_width=280):
                recordings.append(recorder(text[f"voice_{name}"], elem_id=f"dialogue-{name}"))
                menus.append(saved_voices(context, text["saved_voices_info"], f"dialogue-{name}"))
    with gr.Accordion(text["settings"], open=False):
        kind = format_choice(text, "dialogue", videos=True)
    run = Run(context, text["dialogue_button"], "dialogue")
    with card("b", visible=False, elem_id="dialogue-results") as results:
        sound = compare_player(context, "dialogue-player")
        file = download(text["download"], "dialogue-result")
        with comparison.fold(text):
            drawn = comparison.picture(context)
    to_play = gr.State()  # the player's next value

    def dialogue(
        source: str | None,
        first: str | None = None,
        second: str | None = None,
        first_voices: list[str] | None = None,
        second_voices: list[str] | None = None,
        kind: str = "",
        request: gr.Request = None,  # type: ignore[assignment]  # gradio gives it
        progress: gr.Progress = gr.Progress(),  # noqa: B008  # gradio's way to ask for one
    ):
        """Convert a recording of two people: to the voices that are given, or to each other's."""
        with answering(context, request) as check:
            source = require_recording(text, source, "no_source", context.max_minutes * 60)
            given = {1: (first, first_voices), 2: (second, second_voices)}
            voices = {
                speaker: require_references(context, [recording], saved or [])
                for speaker, (recording, saved) in given.items()
                if recording or saved
            }
            report = progress_reporter(text, progress, check, text["converting"])
            ending = kind or wav_or_video(Path(source))
            out = dialogue_file(text, source, ending)
            convert_dialogue(context.swapper, source, out, voices or None, progress=report)
            drawn, _ = comparison.compare(context, source, out, [])
            return (
                str(out),
                drawn,
                sounds_to_compare(context, out, source, None),
                [entry(out, text["dialogue_of"].format(words=title(source)), ending)],
            )

    done = run.connect(
        dialogue,
        [source, *recordings, *menus, kind],
        [file, drawn, to_play, visit.new],
        results,
        show_progress_on=sound,
        **context.api("dialogue"),
        **MODEL_SLOTS,
    )
    to_play.change(lambda value: value, to_play, sound, **DISPLAY_ONLY)
    visit.follow(done)
    return menus
