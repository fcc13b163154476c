"""The functions of the page through gradio_client."""

import os
import shutil
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile
from browser import assert_same

pytest.importorskip("gradio", reason="the ui extra is not installed")

from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from voiceswap.audio import read_audio
from voiceswap.examples import GOODBYE, HELLO
from voiceswap.models.checkpoint_header import DEFAULT
from voiceswap.ui import page
from voiceswap.ui.jobs import NICE


def test_an_unexpected_error_is_one_sentence(address, swapper, monkeypatch, tmp_path):
    def broken(*_):
        raise RuntimeError("secret insides")

    monkeypatch.setattr(swapper, "convert_files", broken)
    client = Client(address, verbose=False)
    with pytest.raises(
        AppError,
        match=r"^An unexpected error occurred \(RuntimeError\); the server's log has the details.$",
    ):
        client.predict(handle_file(HELLO), handle_file(GOODBYE), api_name="/swap")
    monkeypatch.undo()
    long = tmp_path / ("很长的名字" * 16 + ".flac")
    shutil.copy(HELLO, long)
    assert (
        soundfile.info(
            client.predict(handle_file(long), handle_file(long), api_name="/swap")[0]
        ).frames
        == soundfile.info(HELLO).frames
    )


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no priority of their own")
def test_conversions_give_way_and_the_server_does_not(address, context, swapper, monkeypatch):
    priorities = {}

    def note_priority(owner, name):
        real = getattr(owner, name)

        def noted(*arguments):
            own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
            priorities.setdefault(name, set()).add(own)
            return real(*arguments)

        monkeypatch.setattr(owner, name, noted)

    note_priority(swapper, "convert_files")
    note_priority(context.library, "names")  # in a thread that answers
    note_priority(page, "pending_calls")  # in the server's loop
    client, before = Client(address, verbose=False), os.getpriority(os.PRIO_PROCESS, 0)
    for _ in range(3):
        client.predict(handle_file(HELLO), handle_file(GOODBYE), api_name="/swap")
        client.predict(api_name="/list_voices")
    other = {before}
    assert priorities == {"convert_files": {before + NICE}, "names": other, "pending_calls": other}


def test_eight_callers_at_once_get_each_their_own(address, swapper, speech):
    def call(number):
        a, b = speech[number], speech[(number + 1) % 8]
        client = Client(address, verbose=False)
        files = client.predict(handle_file(a), handle_file(b), api_name="/swap")
        return [soundfile.read(path, dtype="float32")[0] for path in files[:2]]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(call, range(8)))
    for number, (first, second) in enumerate(answers):
        expected = swapper.swap(speech[number], speech[(number + 1) % 8])
        assert_same(first, expected[0])
        assert_same(second, expected[1])


def test_every_function_has_a_name_and_its_errors_are_the_library_s(
    address, context, speech, tmp_path
):
    client = Client(address, verbose=False)
    names = set(client.view_api(return_format="dict")["named_endpoints"])
    made = {
        f"/{verb}_{way}"
        for verb in ("listen", "keep")
        for way in ("recordings", "blend", "walk", "draw", "import")
    }
    assert names == made | {
        "/swap",
        "/convert",
        "/dialogue",
        "/batch",
        "/list_voices",
        "/listen_voice",
        "/rename_voice",
        "/delete_voice",
        "/export_voice",
        "/adapt_voice",
    }
    assert client.predict("../../Draw", 3, api_name="/keep_draw") == "../../Draw"
    assert client.predict(api_name="/list_voices") == ["../../Draw"] == context.library.names()
    assert Path(client.predict("../../Draw", api_name="/export_voice")).suffix == ".safetensors"
    sound, picture, similarity = client.predict(
        handle_file(speech[0]), None, None, ["../../Draw"], api_name="/convert"
    )
    assert similarity["target"] is None and similarity["source"]["before"] == pytest.approx(
        1.0, abs=1e-3
    )
    assert soundfile.info(sound).duration == soundfile.info(speech[0]).duration and Path(
        picture
    ).suffix in (".png", ".webp")
    client.predict("../../Draw", api_name="/delete_voice")
    late = tmp_path / "late.wav"  # silent in the seconds that the picture shows by default
    soundfile.write(
        late, np.concatenate([np.zeros(31 * 16000), read_audio(speech[0], 16000)]), 16000
    )
    _, _, similarity = client.predict(
        handle_file(late), handle_file(speech[1]), None, None, api_name="/convert"
    )
    assert similarity["target"]["after"] > similarity["target"]["before"]
    silent, long, manifest = tmp_path / "silent.wav", tmp_path / "long.wav", tmp_path / "list.csv"
    manifest.write_text("source\n/etc/passwd\n")
    soundfile.write(silent, np.zeros(16000), 16000)
    soundfile.write(long, np.random.default_rng(0).normal(size=8000 * 200) * 0.1, 8000)
    for arguments, name, sentence in (
        ((handle_file(silent), handle_file(speech[0])), "/swap", "^silent.wav is silent.$"),
        (
            (handle_file(speech[0]), handle_file(long)),
            "/swap",
            "^long.wav is longer than 2 minutes",
        ),
        (
            (handle_file(long), handle_file(speech[0]), None, None),
            "/convert",
            "^long.wav is longer than 3 minutes",
        ),
        ((handle_file(speech[0]), None, None, None), "/convert", "^The target voice is missing"),
        (
            (handle_file(speech[0]), None, None, ["Nobody"]),
            "/convert",
            "^There is no voice 'Nobody'.$",
        ),
        (("Nobody",), "/delete_voice", "^There is no voice 'Nobody'.$"),
        (
            ([handle_file(manifest)], [handle_file(speech[0])], None),
            "/batch",
            "^list.csv is a list, not a recording",
        ),
        (([handle_file(speech[0])], None, None), "/batch", "^The target voice is missing"),
        (
            ("x", handle_file(DEFAULT)),
            "/keep_import",
            "^default.safetensors is a safetensors file, but not a saved voice.$",
        ),
        (("x", *[None] * 4, *[50] * 4), "/keep_blend", "^Choose at least one voice"),
        ((" ", 1), "/keep_draw", "^A voice needs a name.$"),
    ):
        with pytest.raises(AppError, match=sentence) as error:
            client.predict(*arguments, api_name=name)
        assert "/tmp" not in str(error.value)
    assert context.library.names() == []
