"""Additions to Gradio's answers: content policy, language, a sentence for a full queue."""

import json

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from voiceswap.ui.app_context import AppContext

# Nothing is fetched from elsewhere. Gradio evaluates its templates, hence unsafe-eval; blobs are
# recordings and waveforms.
POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; "
    "connect-src 'self' data: blob:; worker-src 'self' blob:; "
    "frame-ancestors 'self'; form-action 'self'; base-uri 'self'"
)


def script(context: AppContext) -> str:
    """A script that runs before Gradio: sets the language, and the sentence for a full queue."""
    language = {"en": "en", "zh": "zh-CN"}[context.text.language]
    busy = {"detail": context.text["busy"].format(size=context.queue_size)}
    return f"""<script>
Object.defineProperty(navigator, "language", {{get: () => "{language}"}});
document.documentElement.lang = "{language}";
const fetchAsEver = window.fetch;
window.fetch = async (...request) => {{
  const answer = await fetchAsEver(...request);
  if (answer.status !== 503 || !answer.url.includes("/queue/join")) return answer;
  const headers = {{"Content-Type": "application/json"}};
  return new Response({json.dumps(json.dumps(busy))}, {{status: 429, headers}});
}};
</script>"""


class PageMiddleware:
    """ASGI middleware: headers for every answer, the script for the page itself."""

    def __init__(self, app: ASGIApp, script: str):
        self.app, self.script = app, script.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
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
                if scope["path"] == "/" and headers.get("Content-Type", "").startswith("text/html"):
                    start = message
                    return
            elif start is not None:
                page += message.get("body", b"")
                if message.get("more_body"):
                    return
                page = page.replace(b"<head>", b"<head>" + self.script, 1)
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
