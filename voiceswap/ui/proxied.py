"""Requests as their visitor sent them, where a proxy puts its own address into them."""

from urllib.parse import urlsplit

from starlette.types import Scope


def as_visitor_sent(scope: Scope, origin: str) -> Scope:
    """The request with the address of its `origin`, which is the page's own, as Host.

    Gradio makes the addresses of results of it. nginx passes on the address that it calls, unless
    it is told otherwise.
    """
    seen = urlsplit(origin)
    headers = [item for item in scope["headers"] if item[0].lower() != b"host"]
    return {
        **scope,
        "scheme": seen.scheme,
        "headers": [(b"host", seen.netloc.encode("latin-1")), *headers],
    }
