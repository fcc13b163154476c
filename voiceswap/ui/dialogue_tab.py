"""The Dialogue tab: two people in one recording, each in a voice of their own."""

from pathlib import Path
from typing import Any

import gradio as gr

from voiceswap.audio_io.ffmpeg_writing import wav_or_video
from voiceswap.conversion.dialogue import convert_dialogue
from voiceswap.conversion.turns import COLUMNS
from voiceswap.notes import notes_to
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
from voiceswap.ui.turn_list import Found, rows, shares, turn_strip, turn_table, turns_of
from voiceswap.ui.visit_results import VisitResults, entry

NO_TURNS = {"headers": list(COLUMNS), "data": []}  # what a program's call has for the table


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
    with gr.Accordion(text["turns"], open=False, elem_id="dialogue-correct"):
        gr.Markdown(text["turns_info"])
        table = turn_table(text)
    found = gr.State()  # Found: what is in the table before a visitor changes it
    source.change(lambda: (None, None), None, [table, found], **DISPLAY_ONLY)
    run = Run(context, text["dialogue_button"], "dialogue")
    with card("b", visible=False, elem_id="dialogue-results") as results:
        sound = compare_player(context, "dialogue-player")
        strip = turn_strip(text)
        file = download(text["download"], "dialogue-result")
        drawn = comparison.picture(context)
    to_show = gr.State()  # the next values of player and strip

    def dialogue(
        source: str | None,
        first: str | None = None,
        second: str | None = None,
        first_voices: list[str] | None = None,
        second_voices: list[str] | None = None,
        kind: str = "",
        cells: Any = NO_TURNS,
        found: Found | None = None,
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
            corrected, known = turns_of(text, cells), found.turns if found else None
            if corrected == known:  # a call is only converted by channels without a list
                corrected = None
            turns = convert_dialogue(
                context.swapper, source, out, voices or None, corrected, progress=report
            )
            with notes_to(lambda note: None):  # of the source as a mix, which it may not be
                drawn, _ = comparison.compare(context, source, out, [])
                sounds = sounds_to_compare(context, out, source, None)
            return (
                rows(turns),
                Found(source, known if corrected else turns),
                str(out),
                drawn,
                [sounds, shares(turns)],
                [entry(out, text["dialogue_of"].format(words=title(source)), ending)],
            )

    done = run.connect(
        dialogue,
        [source, *recordings, *menus, kind, table, found],
        [file, drawn, to_show, visit.new],
        results,
        [table, found],
        show_progress_on=sound,
        **context.api("dialogue"),
        **MODEL_SLOTS,
    )
    to_show.change(lambda values: values or [None, None], to_show, [sound, strip], **DISPLAY_ONLY)
    # A recording that was chosen meanwhile has turns of its own.
    done.success(
        lambda source, cells, found: (
            (cells, found) if found and found.source == source else (None, None)
        ),
        [source, table, found],
        [table, found],
        **DISPLAY_ONLY,
    )
    visit.follow(done)
    return menus
