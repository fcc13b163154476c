"""What a call tells its visitor: errors and notes, in the page's language, and progress."""

import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import gradio as gr
from gradio.utils import get_upload_folder

from voiceswap.errors import VoiceswapError
from voiceswap.notes import notes_to
from voiceswap.ui.app_context import AppContext
from voiceswap.ui.errors_in_chinese import in_language
from voiceswap.ui.texts import Texts, clock

KNOWN_SHARE = 0.03  # of a job has to be done before its remaining time is told


@contextmanager
def answering(
    context: AppContext, request: gr.Request | None = None
) -> Iterator[Callable[[], None]]:
    """Show the library's errors to the visitor. Gives the function of `Jobs.running`."""
    text = context.text
    try:
        with (
            context.jobs.running(request.session_hash if request else None) as check,
            notes_to(_shown_once(context)),
        ):
            yield check
    except VoiceswapError as error:
        raise gr.Error(
            visible_sentence(context, error), title=text["sorry"], print_exception=False
        ) from error
    except gr.Error:
        raise
    except Exception as error:  # a fault of ours: the page tells of it, the log gets the trace
        raise gr.Error(
            text["fault"].format(kind=type(error).__name__), title=text["sorry"]
        ) from error


def _shown_once(context: AppContext) -> Callable[[str], None]:
    """Shows each note to the visitor once: a recording that is read again has the same."""
    shown: set[str] = set()

    def show(sentence: str) -> None:
        if sentence not in shown:
            shown.add(sentence)
            gr.Warning(visible_sentence(context, sentence))

    return show


def visible_sentence(context: AppContext, error: VoiceswapError | str) -> str:
    """An error's message for a visitor: without the server's folders, and options of commands."""
    uploads, voices, temporary = map(
        re.escape, (get_upload_folder(), str(context.library.folder), tempfile.gettempdir())
    )
    own = rf"(?:{uploads}[/\\]\w+|{voices})"
    # Before a file's name, and in "the disk of FOLDER;", "the folder, FOLDER, can't".
    shown = re.sub(rf"{own}[/\\]| of {own}(?=;)|, {temporary},| \(--[^)]*\)", "", str(error))
    return in_language(context.text.language, shown)


def progress_reporter(
    text: Texts, progress: gr.Progress, check: Callable[[], None], doing: str
) -> Callable[..., None]:
    """A function of the share done, which checks and shows what is done and the time left.

    A second argument of it is shown first.
    """
    began = time.monotonic()

    def report(done: float, first: str = "") -> None:
        check()
        shown = doing if done else text["reading"]
        if KNOWN_SHARE <= done < 1:
            left = clock((time.monotonic() - began) * (1 - done) / done)
            shown = text["remaining"].format(doing=doing, time=left)
        progress(done, desc=first + shown)

    return report
