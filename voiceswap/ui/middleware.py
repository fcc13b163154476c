"""Additions to Gradio's answers: content policy, language, a sentence for a full queue."""

import json
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from voiceswap.ui.app_context import AppContext
from voiceswap.ui.proxied import route
from voiceswap.ui.texts import Texts

SCRIPT = "".join(
    (Path(__file__).parent / name).read_text(encoding="utf-8")
    for name in ("before.js", "names.js", "uploads.js")
)

# Nothing is fetched from elsewhere. Gradio evaluates its templates, hence unsafe-eval; blobs are
# recordings and waveforms.
POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; "
    "connect-src 'self' data: blob:; worker-src 'self' blob:; "
    "frame-ancestors 'self'; form-action 'self'; base-uri 'self'"
)


def scripts(context: AppContext) -> dict[str, str]:
    """What runs before Gradio, by the path of the page: one for each language."""
    other = context.text.other()
    return {
        "/": _script(context, context.text, other),
        f"/{other.language}": _script(context, other),
    }


def _script(context: AppContext, text: Texts, other: Texts | None = None) -> str:
    """SCRIPT with its texts; `other` is the language they may lead to."""
    settings = {
        "tag": text.tag,
        "other": other and other.language,
        "title": text["log_in"],
        "wait": text["log_in_wait"],
        "upload": text["upload"],
        "record": text["record"],
        "reset": text["reset"],
        "status": {"processing": text["processing"], "queue: ": text["queued"]},
        "messages": {"Error": text["sorry"], "Warning": text["noted"], "Info": text["done"]},
        "busy": json.dumps({"detail": text["busy"].format(size=context.queue_size)}),
    }
    return f"<script>const page = {json.dumps(settings)};\n{SCRIPT}</script>"


class PageMiddleware:
    """ASGI middleware: headers for every answer, the script for the page itself."""

    def __init__(self, app: ASGIApp, scripts: dict[str, str]):
        self.app, self.scripts = app, scripts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = route(scope) if scope["type"] == "http" else ""
        if path.endswith("/") and (page_path := path[:-1]) in self.scripts:
            # Gradio's own answer loses which tab is asked for, and a proxy's path.
            query = scope["query_string"].decode("latin-1")
            there = RedirectResponse(f"..{page_path}{query and f'?{query}'}", 301)
            await there(scope, receive, send)
            return
        start: Message | None = None  # of the page, held back until its length is known
        page = b""

        async def send_more(message: Message) -> None:
            nonlocal start, page
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = POLICY
                headers["Referrer-Policy"] = "no-referrer"
                headers["X-Content-Type-Options"] = "nosniff"
                _keep_cookies_here(message)
                html = headers.get("Content-Type", "").startswith("text/html")
                if html and path in self.scripts:
                    start = message
                    return
            elif start is not None:
                page += message.get("body", b"")
                if message.get("more_body"):
                    return
                script = self.scripts[path].encode()
                page = page.replace(b"<head>", b"<head>" + script, 1)
                MutableHeaders(scope=start)["Content-Length"] = str(len(page))
                await send(start)
                message = {"type": "http.response.body", "body": page}
                start = None
            await send(message)

        await self.app(scope, receive, send_more if scope["type"] == "http" else send)


def _keep_cookies_here(message: Message) -> None:
    """Cookies that no other website's request carries: Gradio sets its own for any site."""
    message["headers"] = [
        (name, _lax(value) if name.lower() == b"set-cookie" else value)
        for name, value in message["headers"]
    ]


def _lax(cookie: bytes) -> bytes:
    parts = [part for part in cookie.split(b"; ") if not part.lower().startswith(b"samesite=")]
    return b"; ".join([*parts, b"SameSite=lax"])
