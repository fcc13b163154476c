"""What the page's limits need of Gradio that is not public: here it fails first."""

import time

import pytest

pytest.importorskip("gradio", reason="the ui extra is not installed")

import httpx
from browser import PATIENCE
from gradio_client import Client, handle_file

from voiceswap.conversion.voice_library import VoiceLibrary
from voiceswap.examples import GOODBYE, HELLO
from voiceswap.ui.app_context import AppContext
from voiceswap.ui.page import serving
from voiceswap.ui.queues import COUNTED, MODEL, pending_calls, stream_function
from voiceswap.ui.request_guard import CALLS, CLOSED
from voiceswap.ui.texts import Texts

HARMLESS = ("/login", "/gradio_api/upload", "/gradio_api/cancel", "/gradio_api/reset")


@pytest.fixture
def served(swapper, tmp_path):
    context = AppContext(swapper, VoiceLibrary(tmp_path, swapper), Texts("en"))
    with serving(context) as (page, address):
        yield context, page, address


def routes(some):
    """Methods and paths of routes, those of routers within them too."""
    for route in some:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from routes(inner.routes)
        elif hasattr(route, "methods"):
            yield route.methods or set(), route.path


def test_the_queue_tells_who_runs_and_waits(served, endless):
    context, page, address = served
    assert pending_calls(page, COUNTED) == []
    client = Client(address, verbose=False)
    for _ in range(3):
        files = (handle_file(HELLO), handle_file(GOODBYE))
        client.submit(*files, None, None, api_name="/convert")
    for _ in range(2):  # run, and one waits
        assert endless[0].acquire(timeout=PATIENCE)
    deadline = time.monotonic() + PATIENCE
    while len(pending := pending_calls(page, (MODEL,))) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert pending == [(client.session_hash, "127.0.0.1")] * 3
    known = page._queue.event_ids_to_events
    assert known and all(stream_function(page, event) is None for event in known)
    context.jobs.stop(client.session_hash)


def test_every_route_that_does_something_is_known(served):
    _, page, address = served
    found = {path for methods, path in routes(page.app.routes) if "POST" in methods}
    assert {"/gradio_api/queue/join", "/gradio_api/upload", "/login"} <= found
    assert [path for path in found if not path.startswith((*CLOSED, *CALLS, *HARMLESS))] == []
    with open(HELLO, "rb") as sent:
        answer = httpx.post(f"{address}gradio_api/upload", files={"files": sent})
    call = {"data": [{"path": answer.json()[0], "meta": {"_type": "gradio.FileData"}}]}
    for path in sorted(path for path in found if path.startswith(CLOSED)):
        answer = httpx.post(f"{address}{path[1:].replace('{api_name}', 'swap')}", json=call)
        assert answer.status_code == 404
