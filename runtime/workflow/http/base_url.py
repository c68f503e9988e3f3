"""The address under which webhooks are reached from outside. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from workflow.http.routes import BASE_PATH
from workflow.policy.base_url import checked_url, local_url, url_setting

if TYPE_CHECKING:
    from starlette.types import Scope

__all__ = ["Bound", "base_url", "bound_by"]


@dataclass(frozen=True)
class Bound:
    """What a request's scope tells about the server: its origin ("" if unknown) and its prefix."""

    origin: str = ""
    root_path: str = ""


def base_url(explicit: str | None, environ: Mapping[str, str], bound: Bound | None = None) -> str:
    """The first of: `explicit`, WORKFLOW_BASE_URL, WORKFLOW_EMBEDDED_BASE_URL, the server's own
    address, PORT on localhost, port 3000 on localhost.

    The result has no slash at its end. A bare origin is followed by the server's `root_path`; an
    address that names a path already is complete. Raises ValueError for what is not an http(s) URL,
    and for a PORT that is none.
    """
    bound = bound or Bound()
    given = checked_url("base_url", explicit) if explicit else url_setting(environ)
    if given is not None:
        return given if urlsplit(given).path else given + bound.root_path
    return (bound.origin or local_url(environ)) + bound.root_path


def bound_by(scope: Scope) -> Bound:
    """The server's address as a request sees it.

    Taken from the socket, never from the Host header: a caller must not be able to choose what the
    webhook URLs of other people's runs look like.
    """
    server: Any = scope.get("server")
    # A handler may be mounted right at its own path; the prefix is what stands before ours.
    root_path: str = scope.get("root_path", "").partition(BASE_PATH)[0].rstrip("/")
    host = server[0] if server else None
    if not host or host.startswith("/"):  # a Unix socket has a path for a name
        return Bound("", root_path)
    # A scheme that a proxy forwards is not the one of this socket.
    forwarded = any(name == b"x-forwarded-proto" for name, _ in scope["headers"])
    secure = scope["scheme"] in ("https", "wss") and not forwarded
    scheme, default = ("https", 443) if secure else ("http", 80)
    port = server[1]
    name = f"[{host}]" if ":" in host else host
    return Bound(
        f"{scheme}://{name}" if port in (None, default) else f"{scheme}://{name}:{port}", root_path
    )
