"""What the page tells of errors: nothing of the server's folders, and no advice for a shell."""

import ast
import re
import tempfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

pytest.importorskip("gradio", reason="the ui extra is not installed")

from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from talks import fill_disk_after_one

from voiceswap.batch.run_state import RunState
from voiceswap.conversion.voice_library import VoiceLibrary
from voiceswap.ui import answers
from voiceswap.ui.answers import visible_sentence
from voiceswap.ui.app_context import AppContext
from voiceswap.ui.errors_in_chinese import in_language
from voiceswap.ui.texts import Texts

PACKAGE = Path(answers.__file__).parents[1]
# Modules whose sentences a visitor may read, and those of them that no upload brings about.
SENTENCES_OF = (
    *("audio_io/channels", "audio_io/checks", "audio_io/decoding", "audio_io/ffmpeg", "files"),
    *("conversion/diarization", "conversion/disk_array", "conversion/output", "ui/live_sessions"),
    *("conversion/recording_notes", "conversion/voice_file", "conversion/voice_library"),
    *("conversion/dialogue", "conversion/turns"),
)
NOT_SHOWN = (
    "address|column|is a folder|its turns 7|no f|no turns|is 7; give|null|nothing may be|used for "
    "voices|can't be read"
)
KINDS = ("AudioError", "DataError", "VoiceswapError", "StoppedError", "kind", "Note", "LossNote")


def sentences(module):
    """The messages of a module's errors and notes, with a 7 for each of their values."""
    nodes = list(ast.walk(ast.parse((PACKAGE / f"{module}.py").read_text("utf-8"))))
    known = {
        ast.unparse(node.targets[0]): node.value
        for node in nodes
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant | ast.JoinedStr)
    }

    def text(node):
        match node:
            case ast.Constant():
                return str(node.value)
            case ast.JoinedStr():
                return "".join(map(text, node.values))
            case ast.FormattedValue():
                return text(node.value)
        return text(known[ast.unparse(node)]) if ast.unparse(node) in known else "7"

    for node in nodes:
        if isinstance(node, ast.Call) and ast.unparse(node.func) in KINDS:
            yield "".join(map(text, node.args))


@pytest.mark.parametrize("module", SENTENCES_OF)
def test_every_sentence_that_a_visitor_may_read_has_a_translation(module):
    found = {re.sub(", 7,| of 7(?=;)", "", s) for s in sentences(module) if " " in s}
    left = {one for one in found if not re.search("[一-鿿]", in_language("zh", one))}
    assert found and not {one for one in left if not re.search(NOT_SHOWN, one)}


@pytest.mark.parametrize(
    ("uploads", "file"),
    [
        ("/tmp/voiceswap-ui-1", "/tmp/voiceswap-ui-1/0123abcd/a b.wav"),
        (r"C:\Temp\voiceswap-ui-1", r"C:\Temp\voiceswap-ui-1\0123abcd\a b.wav"),
    ],
)
def test_no_sentence_names_a_folder_of_the_server(swapper, tmp_path, monkeypatch, uploads, file):
    context = AppContext(swapper, VoiceLibrary(tmp_path, swapper), Texts("en"))
    monkeypatch.setattr(answers, "get_upload_folder", lambda: uploads)
    assert visible_sentence(context, f"{file} is silent.") == "a b.wav is silent."
    folder = file[: -len("/a b.wav")]
    full = f"{file} can't be written: no space left on the disk of {folder}; make room."
    assert visible_sentence(context, full) == (
        "a b.wav can't be written: no space left on the disk; make room."
    )
    full = f"The folder for temporary files, {tempfile.gettempdir()}, can't hold the recording."
    assert (
        visible_sentence(context, full)
        == "The folder for temporary files can't hold the recording."
    )
    shown = visible_sentence(context, "a.wav: keep the melody (--pitch exact).")
    assert shown == "a.wav: keep the melody."
    context.library.folder = type("Folder", (), {"__str__": lambda self: r"C:\voices"})()
    damaged = r"C:\voices\Anna.safetensors is larger than any saved voice."
    assert visible_sentence(context, damaged) == "Anna.safetensors is larger than any saved voice."


def test_notes_on_references_are_shown_in_the_language_of_the_page(
    swapper, tmp_path, monkeypatch, hello, goodbye
):
    shown = []
    monkeypatch.setattr(answers.gr, "Warning", shown.append)
    soundfile.write(tmp_path / "both.wav", np.concatenate([hello, hello, goodbye, goodbye]), 16000)
    for language, sentence in (("en", "in which one person speaks."), ("zh", "说话的部分。")):
        context = AppContext(swapper, VoiceLibrary(tmp_path, swapper), Texts(language))
        with answers.answering(context):
            swapper.voice(tmp_path / "both.wav")
        assert len(shown) == 1 and shown.pop().endswith(sentence)


def test_a_batch_that_stops_gives_a_visitor_no_command(address, speech, monkeypatch):
    fill_disk_after_one(monkeypatch)
    client = Client(address, verbose=False)
    files = [handle_file(path) for path in speech[:2]]
    with pytest.raises(AppError, match=r"^The disk is full; make room.$"):
        client.predict(files, [handle_file(speech[2])], None, api_name="/batch")


def test_a_batch_that_its_visitor_stops_is_told_so(address, context, speech, monkeypatch):
    publish = RunState.publish

    def stop_after(self, finished):
        publish(self, finished)
        context.jobs.stop(client.session_hash)

    monkeypatch.setattr(RunState, "publish", stop_after)
    client = Client(address, verbose=False)
    files = [handle_file(path) for path in speech[:2]]
    with pytest.raises(AppError, match=r"^The conversion was stopped.$"):
        client.predict(files, [handle_file(speech[2])], None, api_name="/batch")
