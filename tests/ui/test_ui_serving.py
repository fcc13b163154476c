"""Who may fetch what from the server, and how it starts."""

import os
import re
import socket
import subprocess
import sys
import threading
from pathlib import Path
from urllib.request import getproxies

import numpy as np
import pytest
import soundfile
from browser import PATIENCE
from commands import refusal, run

pytest.importorskip("gradio", reason="the ui extra is not installed")

from gradio_client import Client, handle_file

from voiceswap.conversion.voice_library import VoiceLibrary
from voiceswap.ui.app_context import AppContext
from voiceswap.ui.page import serving
from voiceswap.ui.texts import Texts

# The command, which gets SIGTERM while it converts, in a thread that is not the main one.
ENDED = """
import signal, time
from voiceswap import VoiceSwapper, cli

convert_files = VoiceSwapper.convert_files

def ended(*arguments):
    signal.raise_signal(signal.SIGTERM)
    time.sleep(2)
    return convert_files(*arguments)

VoiceSwapper.convert_files = ended
cli.main()
"""


def test_files_of_others_are_out_of_reach_and_removed_at_the_end(swapper, tmp_path, speech):
    library = VoiceLibrary(tmp_path / "voices", swapper)
    library.add("Anna", swapper.sample(1))
    import httpx

    context = AppContext(swapper, library, Texts("en"), max_megabytes=0.5)
    with serving(context, auth=("me", "secret")) as (_, address):
        assert address.startswith("http://127.0.0.1:")
        assert httpx.get(f"{address}config").status_code == 401
        folder = Path(os.environ["GRADIO_TEMP_DIR"])
        client = Client(address, auth=("me", "secret"), verbose=False)
        client.predict(handle_file(speech[0]), handle_file(speech[1]), api_name="/swap")
        kept = [path for path in folder.rglob("*") if path.is_file()]
        assert kept and all(
            re.fullmatch("[0-9a-f]{64}", path.parent.name) for path in kept
        )  # addresses that can't be guessed
        cookies = httpx.post(
            f"{address}login", data={"username": "me", "password": "secret"}
        ).cookies
        for path in (
            library.path("Anna"),
            "/etc/passwd",
            folder,
            kept[0].parent,
            f"{folder}/../../etc/passwd",
        ):
            assert httpx.get(f"{address}gradio_api/file={path}", cookies=cookies).status_code in (
                403,
                404,
            )
        assert httpx.get(f"{address}gradio_api/file={kept[0]}").status_code == 401
        theirs = {
            "path": str(library.path("Anna")),
            "meta": {"_type": "gradio.FileData"},
        }  # was never uploaded
        for path in ("call/listen_import", "queue/join", "run/export_voice"):
            answer = httpx.post(
                f"{address}gradio_api/{path}", json={"data": [theirs]}, cookies=cookies
            )
            assert answer.status_code == 403 and "uploaded" in answer.json()["detail"]
        big = tmp_path / "big.wav"
        soundfile.write(big, np.zeros(16000 * 30), 16000)
        with pytest.raises(Exception, match="size"):
            client.predict(handle_file(big), handle_file(speech[0]), api_name="/swap")
    assert not folder.exists()


@pytest.mark.parametrize("known", [{}, {"NO_PROXY": "example.org"}])
def test_a_system_with_a_proxy_has_the_page_too(context, monkeypatch, known):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # where nobody answers
    for name, hosts in known.items():
        monkeypatch.setenv(name, hosts)
    with serving(context):
        assert set(known.values()) <= set(getproxies()["no"].split(","))
    assert getproxies().get("no") == known.get("NO_PROXY")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--auth", "nobody"], "--auth needs a name and a password"),
        (["--voices", __file__], "can't be used for voices"),
        (["--host", "203.0.113.1", "--auth", "me:secret"], "can't listen on 203.0.113.1"),
    ],
)
def test_a_wrong_start_is_one_sentence(monkeypatch, capsys, tmp_path, arguments, sentence):
    assert run(monkeypatch, "ui", "--voices", tmp_path, *arguments) == 1
    shown = capsys.readouterr().err
    assert sentence in shown.replace("\n", " ") and "Traceback" not in shown


def test_a_user_without_a_home_names_a_folder(monkeypatch, capsys):
    monkeypatch.setattr("voiceswap.conversion.swapper.VoiceSwapper.load", None)  # not reached
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    assert "name a folder by --voices" in refusal(monkeypatch, capsys, "ui")


def test_without_gradio_an_error_shows_how_to_install_it():
    code = (
        "import sys; sys.modules['gradio'] = None; sys.argv = ['voiceswap', 'ui']; "
        "from voiceswap.cli import main; main()"
    )
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, timeout=2 * PATIENCE)
    assert (
        result.returncode == 1
        and result.stderr.strip()
        == 'The web page needs gradio; install it with: pip install "voiceswap[ui]".'
    )


def test_a_server_that_is_ended_finishes_what_runs(tmp_path, speech):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [sys.executable, "-c", ENDED, "ui", "--port", port, "--voices", tmp_path]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    too_long = threading.Timer(2 * PATIENCE, server.kill)  # which ends its output
    too_long.start()
    try:
        assert any("voiceswap is at" in line for line in server.stdout)
        client = Client(f"http://127.0.0.1:{port}/", verbose=False)
        job = client.submit(handle_file(speech[0]), handle_file(speech[1]), api_name="/swap")
        assert Path(job.result(timeout=PATIENCE)[0]).stat().st_size > 10000
        assert server.wait(timeout=PATIENCE) == 0
    finally:
        too_long.cancel()
        server.kill()
