"""Where a request goes, read from its ASGI scope.

Servers and frameworks disagree about `path` below a mount: ASGI says that it includes `root_path`,
Hypercorn and Litestar strip it. Both are understood here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from starlette.types import Scope

__all__ = [
    "BASE_PATH",
    "FLOW_PATH",
    "STEP_PATH",
    "WEBHOOK_PATH",
    "inside",
    "mounted_path",
    "public_path",
    "webhook_token",
]

BASE_PATH = "/.well-known/workflow/v1"
FLOW_PATH = BASE_PATH + "/flow"
STEP_PATH = BASE_PATH + "/step"
WEBHOOK_PATH = BASE_PATH + "/webhook/"


def public_path(scope: Scope) -> str:
    """The decoded path from `BASE_PATH` on, "" when the request is not for us.

    `BASE_PATH` has to follow the mount's prefix, or end inside it: the generated handlers may be
    mounted right at their own paths.
    """
    root, below = _split(scope)
    if inside(below):
        return below
    found = (root + "/").find(BASE_PATH + "/")
    if found >= 0:
        return root[found:] + ("" if below == "/" else below)
    return ""


def mounted_path(scope: Scope) -> str:
    """As `public_path`, for an application that gets no request but those mounted on it.

    Litestar strips the mount from `path` and puts it nowhere; only the raw path still has it.
    """
    found = public_path(scope)
    raw: bytes | None = scope.get("raw_path")
    if found or raw is None:
        return found
    path = unquote_to_bytes(raw.partition(b"?")[0]).decode("utf-8", "replace")
    _, ours, rest = path.partition(BASE_PATH + "/")
    return ours + rest


def inside(path: str) -> bool:
    """Whether a path, without any prefix, is under `BASE_PATH`."""
    return path == BASE_PATH or path.startswith(BASE_PATH + "/")


def webhook_token(scope: Scope) -> str | None:
    """The token of a webhook path, percent-decoded once; None when there is none.

    Taken from the raw path where the server gives it: a token may hold `/`, `%2F` and `:`, and some
    frameworks decode or trim `path` on the way.
    """
    raw: bytes | None = scope.get("raw_path")
    if raw is not None:
        _, found, rest = raw.partition(b"?")[0].partition(WEBHOOK_PATH.encode())
        if found:
            try:
                return unquote_to_bytes(rest).decode() or None
            except UnicodeDecodeError:
                return None
    _, _, token = public_path(scope).partition(WEBHOOK_PATH)
    return token or None


def _split(scope: Scope) -> tuple[str, str]:
    """The mount's prefix without its last slash, and the path below it."""
    root: str = scope.get("root_path", "").rstrip("/")
    path: str = scope["path"]
    if root and (path == root or path.startswith(root + "/")):
        path = path[len(root) :]
    return root, path
