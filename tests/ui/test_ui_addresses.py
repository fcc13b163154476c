"""Who a visitor is to the page, and by which names and paths it may be addressed."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("gradio", reason="the ui extra is not installed")

import httpx

from voiceswap.conversion.voice_library import VoiceLibrary
from voiceswap.ui.app_context import AppContext
from voiceswap.ui.limits import Limits, visitor_at
from voiceswap.ui.page import serving
from voiceswap.ui.request_guard import RequestGuard
from voiceswap.ui.texts import Texts

WRONG = {"username": "me", "password": "wrong"}


@pytest.fixture
def locked(swapper, tmp_path):
    """Serves a page with a password."""
    context = AppContext(swapper, VoiceLibrary(tmp_path / "voices", swapper), Texts("en"))
    return lambda **options: serving(context, auth=("me", "secret"), **options)


@pytest.fixture
def guarded(tmp_path):
    """Makes a client of a guard, behind which every request gets `status` a moment later."""

    def make(hostnames=(), any_host=False, status=200):
        async def app(scope, receive, send):
            await asyncio.sleep(0.01)
            await send({"type": "http.response.start", "status": status, "headers": []})
            await send({"type": "http.response.body"})

        limits = Limits(tmp_path, 3600, 100, 1000, (4, 8))
        nothing = lambda *_: None  # noqa: E731
        made = RequestGuard(app, tmp_path, hostnames, any_host, limits, nothing, nothing)
        transport = httpx.ASGITransport(made)
        return httpx.AsyncClient(transport=transport, base_url="http://localhost:7860")

    return make


def statuses(client, number, path="/login", **options):
    """The answers to so many requests at once."""

    async def ask():
        asked = [client.post(path, data=WRONG, **options) for _ in range(number)]
        return [answer.status_code for answer in await asyncio.gather(*asked)]

    with ThreadPoolExecutor(1) as pool:  # a browser of other tests has this thread's event loop
        return pool.submit(asyncio.run, ask()).result()


@pytest.mark.parametrize(("forwarded", "refused"), [(None, 3), ("127.0.0.1", 0)])
def test_who_one_is_is_not_for_the_visitor_to_write(locked, monkeypatch, forwarded, refused):
    monkeypatch.delenv("FORWARDED_ALLOW_IPS", raising=False)
    if forwarded:  # by the owner, whose proxy writes the header itself
        monkeypatch.setenv("FORWARDED_ALLOW_IPS", forwarded)
    with locked() as (_, address):
        tried = [
            httpx.post(
                f"{address}login", data=WRONG, headers={"X-Forwarded-For": f"192.0.2.{number}"}
            ).status_code
            for number in range(6)
        ]
    assert tried == [400] * (6 - refused) + [429] * refused


def test_passwords_that_are_tried_at_once_wait_too(guarded):
    tried = statuses(guarded(status=400), 20)
    assert tried.count(400) == 3 and tried.count(429) == 17
    good = guarded(status=200)
    assert [statuses(good, 1) for _ in range(5)] == [[200]] * 5


def test_a_path_with_the_root_path_is_checked_as_without(locked):
    call = {"data": [{"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}]}
    with locked(root_path="/voice") as (_, address):
        prefixes = ("", "voice/", "voice/", "", "voice/")
        tried = [httpx.post(f"{address}{prefix}login", data=WRONG) for prefix in prefixes]
        assert [answer.status_code for answer in tried] == [400] * 3 + [429] * 2
        for prefix in ("", "voice/"):
            answer = httpx.post(f"{address}{prefix}gradio_api/call/swap", json=call)
            assert answer.status_code == 403 and "uploaded" in answer.json()["detail"]
            answer = httpx.get(f"{address}{prefix}zh/?tab=voices")
            there = answer.request.url.join(answer.headers["location"])
            assert str(there) == f"{address}{prefix}zh?tab=voices"


def test_visitors_are_addresses_and_networks_of_ipv6():
    assert visitor_at("192.0.2.1") == visitor_at("::ffff:192.0.2.1") == "192.0.2.1"
    assert visitor_at("2001:db8::1") == visitor_at("2001:db8::ffff:2") != visitor_at("2001:db9::1")
    assert visitor_at("fe80::1%eth0") == visitor_at("fe80::2")
    assert visitor_at(None) == visitor_at("unknown")


ORIGIN = {"origin": "https://voice.example.org"}


@pytest.mark.parametrize(
    ("any_host", "host", "headers", "status"),
    [
        (False, "127.0.0.1:7860", ORIGIN, 200),  # a proxy that passes on the address it calls
        (True, "127.0.0.1:7860", ORIGIN, 200),
        (False, "voice.example.org", ORIGIN, 200),
        (False, "evil.example", {}, 403),
        (True, "192.0.2.1:7860", {}, 200),
        (True, "192.0.2.1:7860", {"origin": "http://evil.example"}, 403),
    ],
)
def test_a_hostname_is_the_page_s_own_everywhere(guarded, any_host, host, headers, status):
    client = guarded(["voice.example.org"], any_host)
    assert statuses(client, 1, "/", headers={"host": host, **headers}) == [status]


@pytest.mark.parametrize(
    ("hostnames", "answers"),
    [
        (["voice.example.org"], {"evil.example": 403, "voice.example.org": 200}),
        ([], {"evil.example": 200}),
    ],
)
def test_a_public_page_with_a_hostname_has_no_other(swapper, tmp_path, hostnames, answers):
    context = AppContext(swapper, VoiceLibrary(tmp_path, swapper), Texts("en"))
    with serving(context, host="0.0.0.0", hostnames=hostnames) as (_, address):
        address = address.replace("0.0.0.0", "127.0.0.1")
        headers = ORIGIN if hostnames else {}
        for host, status in answers.items():
            assert httpx.get(address, headers=headers | {"Host": host}).status_code == status
