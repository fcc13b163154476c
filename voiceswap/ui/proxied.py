"""Requests as their visitor sent them: a proxy may put its own address and path into them."""

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


def route(scope: Scope) -> str:
    """The path of a request without the root path, which a proxy may leave in or take away.

    As Starlette takes it: otherwise what is checked by its path would be open at another one.
    """
    path, root = scope["path"], scope.get("root_path", "")
    return path.removeprefix(root) if path.startswith(f"{root}/") else path
