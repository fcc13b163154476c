"""Attacks on the page: each is refused in a sentence, and the page goes on."""

import json
import shutil
import threading

import numpy as np
import pytest
import soundfile
from browser import PATIENCE

pytest.importorskip("gradio", reason="the ui extra is not installed")

import httpx
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from safetensors import safe_open
from safetensors.numpy import save_file

from voiceswap.conversion.voice_library import VoiceLibrary
from voiceswap.errors import VoiceswapError
from voiceswap.examples import HELLO
from voiceswap.ui import adapt_panel
from voiceswap.ui.app_context import AppContext
from voiceswap.ui.limits import Limits
from voiceswap.ui.page import serving
from voiceswap.ui.texts import Texts


def call(address, name, data):
    """A call of a function of the page."""
    body = data if isinstance(data, (str, bytes)) else json.dumps({"data": data})
    headers = {"Content-Type": "application/json"}
    return httpx.post(f"{address}gradio_api/call/{name}", content=body, headers=headers)


def file(path):
    return {"path": str(path), "meta": {"_type": "gradio.FileData"}}


@pytest.fixture(scope="module")
def upload(address, speech):
    """A recording that is on the server."""
    with open(speech[0], "rb") as sent:
        answer = httpx.post(f"{address}gradio_api/upload", files={"files": sent})
    return answer.json()[0]


@pytest.mark.parametrize(
    "path",
    [
        "{uploads}",
        "{folder}",
        "{folder}/../{name}",
        "/etc/passwd",
        "http://127.0.0.1:9/a.wav",
        "data:audio/wav;base64,UklGRg==",
        "{upload}\0.wav",
        5,
    ],
)
@pytest.mark.parametrize("name", ["swap", "batch"])
def test_only_uploaded_files_are_taken(address, upload, path, name):
    folder = upload.rpartition("/")[0]
    places = {"uploads": folder.rpartition("/")[0], "folder": folder, "name": folder[-64:]}
    if isinstance(path, str):
        path = path.format(**places, upload=upload)
    given = {**file(upload), "path": path}
    data = [[given], [file(upload)], None] if name == "batch" else [given, file(upload)]
    answer = call(address, name, data)
    assert answer.status_code == 403
    assert answer.json() == {"detail": "A recording has to be uploaded to the page first."}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Host": "evil.example"}, 403),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "localhost:7860", "Origin": "http://localhost:7860"}, 200),
        ({}, 200),
    ],
)
def test_other_websites_and_names_are_refused(address, headers, status):
    for path in ("", "config", "gradio_api/info"):
        assert httpx.get(f"{address}{path}", headers=headers).status_code == status
    asked = {**headers, "Access-Control-Request-Method": "POST"}
    answer = httpx.options(f"{address}gradio_api/queue/join", headers=asked)
    assert "Origin" not in headers or answer.status_code == status
    assert "evil" not in answer.headers.get("Access-Control-Allow-Origin", "")


@pytest.mark.parametrize(
    "body", ["", "[]", "{", "5", '{"data": 5}', "[" * 100_000, "x" * 2_000_000]
)
def test_calls_that_are_no_calls_are_refused_in_a_sentence(address, body):
    answer = call(address, "swap", body)
    assert answer.status_code in (400, 413, 422) and len(answer.json()["detail"]) > 0


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ([], "/convert takes 10 values, and there are 0."),
        (
            [None] * 4 + ["loud", 1, 100, None, "wav", False],
            "Pitch, semitones) has to be a number from -12 to 12.",
        ),
        ([None] * 4 + [-13] + [None] * 5, "has to be a number from -12 to 12."),
        ([None] * 7 + [-5, None, None], "(Seed) has to be a number from 0 to 9007199254740991."),
        (["a.wav"] + [None] * 9, "Recording to convert) has to be a file that was uploaded."),
        ([None] * 8 + [{}, False], "Format of the result) has to be a text."),
    ],
)
def test_values_that_no_function_takes_are_refused_and_leave_no_trace(
    address, capfd, values, sentence
):
    answer = call(address, "convert", values)
    assert answer.status_code == 422 and answer.json()["detail"].endswith(sentence)
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize(
    "table", [None, "abc", [[1]], {"data": [[1]]}, {"headers": [], "data": [5]}]
)
def test_what_is_no_table_is_refused_and_leaves_no_trace(address, capfd, table):
    answer = call(address, "dialogue", [*[None] * 5, "wav", table])
    assert answer.status_code == 422
    assert answer.json()["detail"].endswith('has to be a table, as {"headers": [], "data": []}.')
    assert "Traceback" not in capfd.readouterr().err


def test_the_queue_is_the_only_way_to_the_model(address, upload):
    data = {"data": [file(upload), file(upload), None, None, "wav"]}
    for route in ("run", "api"):
        answer = httpx.post(f"{address}gradio_api/{route}/swap", json=data)
        assert answer.status_code == 404
    named = {"a": file("/etc/passwd"), "b": file(upload)}
    assert httpx.post(f"{address}gradio_api/call/v2/swap", json=named).status_code == 404
    assert httpx.get(f"{address}gradio_api/proxy=http://127.0.0.1:9/").status_code == 404


def test_one_visitor_leaves_room_for_others(address, endless, upload):
    arguments = [file(upload), file(upload), None, None, 0, 1, 100, None, "wav", False]
    statuses = [call(address, "convert", arguments).status_code for _ in range(12)]
    assert statuses.count(200) == 8 and set(statuses[8:]) == {429}


def test_trainings_of_voices_are_counted_too(swapper, tmp_path, monkeypatch):
    over = threading.Event()

    def adapt(*_, **__):
        over.wait(PATIENCE)
        raise VoiceswapError("The test is over.")

    monkeypatch.setattr(adapt_panel, "adapt", adapt)
    context = AppContext(swapper, VoiceLibrary(tmp_path, swapper), Texts("en"))
    with serving(context) as (_, address):
        with open(HELLO, "rb") as sent:
            answer = httpx.post(f"{address}gradio_api/upload", files={"files": sent})
        arguments = [[file(answer.json()[0])], "Anna", True]
        statuses = [call(address, "adapt_voice", arguments).status_code for _ in range(10)]
        over.set()
    assert statuses == [200] * 8 + [429] * 2


def test_passwords_can_not_be_tried_without_end(swapper, tmp_path):
    context = AppContext(swapper, VoiceLibrary(tmp_path, swapper), Texts("en"))
    with serving(context, auth=("me", "secret")) as (_, address):
        tried = [
            httpx.post(f"{address}login", data={"username": "me", "password": str(number)})
            for number in range(6)
        ]
        assert [answer.status_code for answer in tried] == [400] * 3 + [429] * 3
        assert "wait" in tried[-1].json()["detail"]


def test_the_login_cookie_stays_on_this_site(swapper, tmp_path):
    context = AppContext(swapper, VoiceLibrary(tmp_path, swapper), Texts("en"))
    with serving(context, auth=("me", "secret")) as (_, address):
        answer = httpx.post(f"{address}login", data={"username": "me", "password": "secret"})
        cookies = answer.headers.get_list("set-cookie")
        assert len(cookies) == 2
        assert all(cookie.endswith("SameSite=lax") and "none" not in cookie for cookie in cookies)


def test_waiting_doubles_and_uploads_are_bounded(tmp_path):
    now = [0.0]
    limits = Limits(tmp_path, 3600, 100, 1000, (4, 8), clock=lambda: now[0])
    waits = []
    for _ in range(6):
        assert limits.begin_login("a") == 0
        waits.append(limits.begin_login("a") if len(waits) >= 2 else 0)
        now[0] += waits[-1]
    assert waits == [0, 0, 2, 4, 8, 16] and limits.begin_login("b") == 0
    limits.login_succeeded("a")
    assert limits.begin_login("a") == 0
    now[0] = 0.0
    assert limits.count_upload("a", 90) and not limits.count_upload("a", 20)
    assert not limits.has_room("a") and limits.has_room("b")
    now[0] = 3601.0
    assert limits.has_room("a")
    (tmp_path / "big").write_bytes(bytes(1001))
    assert not limits.has_room("b")


def spoilt(tensors, kind):
    """A voice's tensors with something that no voice has."""
    changes = {
        "nan": {"code": tensors["code"] * np.nan},
        "longer": {"code": np.concatenate([tensors["code"]] * 2)},
        "integers": {"code": np.zeros(len(tensors["code"]), np.int32)},
        "pitch": {"log_f0": np.array([900.0, 0.2], np.float32)},
        "frames": {"residuals.0.keys": tensors["residuals.0.keys"][:-1]},
    }
    return tensors | changes[kind]


@pytest.mark.parametrize("kind", ["nan", "longer", "integers", "pitch", "frames"])
def test_a_bad_voice_spoils_nothing_for_others(address, context, swapper, tmp_path, speech, kind):
    good = swapper.save_voice(swapper.embed(speech[0]), tmp_path / "good.safetensors")
    with safe_open(good, "np") as opened:
        metadata = opened.metadata()
        tensors = {name: opened.get_tensor(name) for name in opened.keys()}
    bad = tmp_path / "bad.safetensors"
    save_file(spoilt(tensors, kind), bad, metadata)
    client = Client(address, verbose=False)
    with pytest.raises(AppError, match="damaged or kept by another version"):
        client.predict("bad", handle_file(bad), api_name="/keep_import")
    shutil.copy(bad, context.library.folder / "bad.safetensors")  # put there by hand
    client.predict("good", handle_file(good), api_name="/keep_import")
    from voiceswap.ui.voice_map import map_points

    shown = map_points(context)
    assert [voice["name"] for voice in shown["voices"]] == ["good"]
    (sentence,) = shown["unreadable"]
    assert "bad.safetensors is damaged" in sentence and str(context.library.folder) not in sentence


@pytest.mark.parametrize(
    ("channels", "rate", "sentence"),
    [(64, 16000, "has 64 channels; at most 8"), (1, 655350, "sample rate of 655350 Hz")],
)
def test_sounds_beyond_bounds_are_a_sentence(address, speech, tmp_path, channels, rate, sentence):
    path = tmp_path / "wide.wav"
    soundfile.write(path, np.zeros((rate, channels)) + 0.1, rate)
    client = Client(address, verbose=False)
    with pytest.raises(AppError, match=sentence):
        client.predict(handle_file(path), handle_file(speech[0]), api_name="/swap")
