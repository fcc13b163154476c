"""The Swap tab: two speakers, one button, two results."""

import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from voiceswap.conversion.file_conversion import FileConversion
from voiceswap.examples import BY_LANGUAGE
from voiceswap.ui import comparison
from voiceswap.ui.answers import answering, progress_reporter
from voiceswap.ui.app_context import AppContext
from voiceswap.ui.compare_player import compare_player, sounds_to_compare
from voiceswap.ui.components import (
    DISPLAY_ONLY,
    card,
    download,
    example,
    format_choice,
    heading,
    recorder,
    voice_menu,
)
from voiceswap.ui.inputs import require_recording
from voiceswap.ui.queues import MODEL_SLOTS
from voiceswap.ui.result_files import new_file, result_file, result_title, title
from voiceswap.ui.run import Run
from voiceswap.ui.visit_results import VisitResults, entry


@dataclass(frozen=True)
class Speaker:
    """One side of a swap: the words to convert, and the voice for the other side's words."""

    name: str
    words: str
    voice: str | Path
    recording: str | None


def build(context: AppContext, visit: VisitResults) -> list[gr.Dropdown]:
    """Lay out the tab inside the current Blocks. Returns its menus of the library's voices."""
    text, swapper = context.text, context.swapper
    heading(text["swap_heading"], text["swap_intro"])
    recordings, menus = _inputs(context)
    with gr.Accordion(text["settings"], open=False):
        kind = format_choice(text, "swap")
    run = Run(context, text["swap_button"], "swap")

    with gr.Column(visible=False, elem_id="swap-results") as results:
        with gr.Row():
            shown = [_result(context, source, target) for source, target in ("ab", "ba")]
        players, files, pictures, meters = map(list, zip(*shown, strict=True))
        both = download(text["download_both"], "swap-both")
    to_play = gr.State()  # the players' next values, and both files in one

    def swap(
        a: str | None,
        b: str | None,
        voice_a: str | None = None,
        voice_b: str | None = None,
        kind: str = "wav",
        request: gr.Request = None,  # type: ignore[assignment]  # gradio gives it
        progress: gr.Progress = gr.Progress(),  # noqa: B008  # gradio's way to ask for one
    ):
        """Swap two voices. Returns both results, with a picture and the similarities of each."""
        with answering(context, request) as check:
            first, second = _speaker(context, a, voice_a, "a"), _speaker(context, b, voice_b, "b")
            report = progress_reporter(text, progress, check, text["converting"])
            pairs = [(first, second), (second, first)]
            outs = [result_file(text, one.voice, other.voice, kind) for one, other in pairs]
            jobs = [
                FileConversion(one.words, [other.voice], out)
                for (one, other), out in zip(pairs, outs, strict=True)
            ]
            for error in swapper.convert_files(jobs, report):
                if error:
                    raise error
            compared, sounds, entries = [], [], []
            for (one, other), out in zip(pairs, outs, strict=True):
                targets = [other.recording] if other.recording else []
                compared.append(comparison.compare(context, one.words, out, targets))
                sounds.append(sounds_to_compare(context, out, one.words, other.recording))
                entries.append(entry(out, result_title(text, one.name, other.name), kind))
            return (
                *map(str, outs),
                *(picture for picture, _ in compared),
                *(similarity for _, similarity in compared),
                [*sounds, _zip(context, outs)],
                entries,
            )

    done = run.connect(
        swap,
        [*recordings, *menus, kind],
        [*files, *pictures, *meters, to_play, visit.new],
        results,
        show_progress_on=players,
        **context.api("swap"),
        **MODEL_SLOTS,
    )
    to_play.change(
        lambda values: values or [None, None, None], to_play, [*players, both], **DISPLAY_ONLY
    )
    visit.follow(done)
    return menus


def _inputs(context: AppContext) -> tuple[list[gr.Audio], list[gr.Dropdown]]:
    """Lay out both speakers. Returns their recordings, and their menus of the library's voices."""
    text = context.text
    hello, goodbye = BY_LANGUAGE[text.language]
    recordings, menus = [], []
    with gr.Row(equal_height=True):
        for side, words, label in (
            ("a", hello, text["example_hello"]),
            ("b", goodbye, text["example_goodbye"]),
        ):
            with card(side, min_width=280):
                recordings.append(recorder(text[f"speaker_{side}"], elem_id=f"swap-{side}"))
                example(text, label, words, recordings[-1])
                menus.append(_voices(context, side, recordings[-1]))
    return recordings, menus


def _result(
    context: AppContext, source: str, target: str
) -> tuple[gr.HTML, gr.DownloadButton, gr.Image, gr.HTML]:
    """Lay out the words of one side in the other's voice: player, file, picture and meter."""
    text = context.text
    with card(target, min_width=280):
        heading(text[f"swapped_{source}{target}"], level=3)
        player = compare_player(context, f"swap-player-{source}{target}")
        file = download(text["download"], f"swap-{source}{target}")
        speakers = (f"speaker_{source}", f"speaker_{target}")
        meter = comparison.meter(context, *speakers, source + target)
        picture = comparison.picture(context)
    return player, file, picture, meter


def _voices(context: AppContext, side: str, recording: gr.Audio) -> gr.Dropdown:
    """A saved voice in place of a recording; choosing one takes the other away."""
    menu = voice_menu(
        context.text["or_saved"],
        context.library.names(),
        value=None,
        info=context.text["or_saved_info"],
        elem_id=f"swap-voice-{side}",
    )
    menu.input(lambda name: None if name else gr.skip(), menu, recording, **DISPLAY_ONLY)
    recording.change(lambda path: None if path else gr.skip(), recording, menu, **DISPLAY_ONLY)
    return menu


def _speaker(context: AppContext, recording: str | None, voice: str | None, side: str) -> Speaker:
    """A recording gives words and voice; a saved voice takes those of the example sentence."""
    if recording or not voice:
        path = require_recording(context.text, recording, f"no_{side}")
        return Speaker(title(path), path, path, path)
    hello, _ = BY_LANGUAGE[context.text.language]
    words = new_file(hello.name)
    shutil.copy(hello, words)  # where the visitor's player may fetch it
    return Speaker(voice, str(words), context.library.path(voice), None)


def _zip(context: AppContext, files: list[Path]) -> str:
    path = new_file("voiceswap-both.zip")
    with zipfile.ZipFile(path, "w") as archive:
        for number, file in enumerate(files, 1):  # two recordings may have one name
            archive.write(file, f"{number}-{file.name}")
    return str(path)
