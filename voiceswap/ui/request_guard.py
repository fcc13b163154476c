"""What the page refuses before Gradio sees it: other origins, and paths that are no upload.

`docs/security.md` has what the page promises.
"""

import ipaddress
import json
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from voiceswap.ui.errors_in_chinese import in_language
from voiceswap.ui.limits import Limits, visitor_at
from voiceswap.ui.proxied import as_visitor_sent, route

MAX_BODY = 1 << 20  # bytes of a call; recordings are uploaded apart
QUEUED = ("/gradio_api/queue/join", "/gradio_api/call/")
STREAM = "/gradio_api/stream/"  # chunks for a call that is running
CALLS = (*QUEUED, STREAM, "/gradio_api/run/", "/gradio_api/api/")
CLOSED = (  # Gradio's routes that the page does not use
    "/gradio_api/call/v2/",
    "/gradio_api/component_server",
    "/gradio_api/deep_link",
    "/gradio_api/process_recording",
    "/gradio_api/proxy=",
    "/gradio_api/run-history",
    "/gradio_api/runs",
    "/gradio_api/vibe",
    "/gradio_api/undo-vibe",
)


class RefusedError(Exception):
    """A request that is refused, with its HTTP status and a sentence."""

    def __init__(self, status: int, sentence: str):
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


class RequestGuard:
    """ASGI middleware that refuses requests.

    Args:
        app: the application behind it.
        uploads: Gradio's folder of uploads. A call may name regular files two levels below it,
            whose folder's name is a hash that can't be guessed, and nothing else.
        hostnames: names other than this computer's own by which visitors address the page.
        any_host: whether any other name will do as Host. Without, no website can bind its own name
            to the page's address.
        limits: what a visitor may do at once.
        wrong_values: gives a sentence on values that a function, by name or number, can't take.
        stream_function: the number of the function that a running call, by its id, streams to.
    """

    def __init__(
        self,
        app: ASGIApp,
        uploads: Path,
        hostnames: Sequence[str],
        any_host: bool,
        limits: Limits,
        wrong_values: Callable[[str | int, Any], str | None],
        stream_function: Callable[[str], int | None],
    ):
        self.app, self.uploads, self.limits = app, uploads, limits
        self.hostnames, self.any_host = hostnames, any_host
        self.wrong_values, self.stream_function = wrong_values, stream_function

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path, visitor = route(scope), visitor_at((scope.get("client") or (None,))[0])
        try:
            self._check_origin(Headers(scope=scope))
            if origin := Headers(scope=scope).get("origin"):
                scope = as_visitor_sent(scope, origin)
            if path.startswith(CLOSED):
                raise RefusedError(404, "There is no such page.")
            if path.startswith(STREAM):
                self._streaming(scope["method"], path)
            if scope["method"] == "POST":
                if path.startswith("/login"):
                    send = self._begin_login(visitor, send)
                if path.startswith("/gradio_api/upload"):
                    receive = self._count_upload(visitor, receive)
                else:
                    body = await _body(receive)
                    if path.startswith(CALLS):
                        self._check_call(body, visitor, path)
                    receive = _replay(body, receive)
            await self.app(scope, receive, send)
        except RefusedError as refused:
            asked = Headers(scope=scope).get("accept-language", "")  # before.js: the page's own
            sentence = in_language("zh" if asked.startswith("zh") else "en", refused.sentence)
            response = JSONResponse({"detail": sentence}, refused.status)
            await response(scope, receive, send)

    def _check_origin(self, headers: Headers) -> None:
        host, origin = headers.get("host", ""), headers.get("origin")
        name = _name(host)
        if not (self.any_host or name in self.hostnames or is_loopback(name)):
            raise RefusedError(403, "The page does not answer to this address.")
        if origin is None or urlsplit(origin).netloc == host:
            return
        # A proxy may pass its own address on as Host; the visitor's origin has the name it goes by.
        if _name(urlsplit(origin).netloc) not in self.hostnames:
            raise RefusedError(403, "The page does not answer to other websites.")

    def _check_call(self, body: bytes, visitor: str, path: str) -> None:
        try:
            call = json.loads(body) if body else {}
        except (ValueError, RecursionError) as error:
            raise RefusedError(400, "A call has to be JSON.") from error
        if not isinstance(call, dict) or not isinstance(call.get("data", []), list | dict):
            raise RefusedError(400, "A call has to be a JSON object with a list of data.")
        for file in _paths(call.get("data", [])):
            if not is_upload(file, self.uploads):
                raise RefusedError(403, "A recording has to be uploaded to the page first.")
        function = call.get("fn_index")
        if path.startswith(STREAM):
            function = self._streaming("POST", path)  # whatever the call names
        if not isinstance(function, int):
            function = path.removesuffix("/").rpartition("/")[2]
        if path.startswith(STREAM) and path.endswith("/close"):
            return  # which has no values
        wrong = self.wrong_values(function, call.get("data", []))
        if wrong:
            raise RefusedError(422, wrong)
        queued = path.startswith(QUEUED)
        if queued and not self.limits.may_join(str(call.get("session_hash")), visitor):
            raise RefusedError(429, "You have as many requests waiting as one visitor may.")

    def _streaming(self, method: str, path: str) -> int:
        """The function of a running call that takes chunks; nothing else is below this path."""
        call, _, end = path.removeprefix(STREAM).partition("/")
        function = self.stream_function(call) if method == "POST" and end in ("", "close") else None
        if function is None:
            raise RefusedError(404, "There is no such page.")
        return function

    def _begin_login(self, visitor: str, send: Send) -> Send:
        wait = self.limits.begin_login(visitor)
        if wait > 0:
            raise RefusedError(429, f"Too many wrong passwords: wait {math.ceil(wait)} s.")

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < 400:
                self.limits.login_succeeded(visitor)
            await send(message)

        return watched

    def _count_upload(self, visitor: str, receive: Receive) -> Receive:
        if not self.limits.has_room(visitor):
            raise RefusedError(413, self.limits.full)

        async def counted() -> Message:
            message = await receive()
            if not self.limits.count_upload(visitor, len(message.get("body", b""))):
                raise RefusedError(413, self.limits.full)
            return message

        return counted


def is_upload(name: object, uploads: Path) -> bool:
    """Whether `name` is a regular file of a visitor, two levels below Gradio's folder."""
    if not isinstance(name, str) or "\0" in name or len(name) > 4096:
        return False
    path = Path(name)
    folder = path.parent
    hashed = len(folder.name) == 64 and set(folder.name) <= set("0123456789abcdef")
    if not hashed or folder.parent != uploads or path.name in ("", ".", ".."):
        return False
    return path.is_file() and not path.is_symlink() and not folder.is_symlink()


def is_loopback(name: str) -> bool:
    """Whether a host's name is this computer's own."""
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _name(host: str) -> str:
    """A Host header without its port and brackets."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _paths(value: Any) -> Iterator[object]:
    """The paths and addresses of files in a call's data."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("path", "url", "orig_path") and inner is not None:
                if key == "path" or not _is_own_address(inner):
                    yield inner
            else:
                yield from _paths(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _paths(inner)


def _is_own_address(value: object) -> bool:
    """Whether a file's `url` is Gradio's address of it, which the server does not fetch."""
    return isinstance(value, str) and "/gradio_api/file=" in value


async def _body(receive: Receive) -> bytes:
    """The whole body of a request of at most MAX_BODY bytes."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            raise RefusedError(413, "A call is at most one megabyte.")
        if message["type"] != "http.request" or not message.get("more_body"):
            return body


def _replay(body: bytes, receive: Receive) -> Receive:
    """Gives a body that was read, then what comes after it."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
