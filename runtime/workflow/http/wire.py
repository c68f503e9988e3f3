"""Reading the body of an ASGI request within limits, and writing short answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

__all__ = [
    "BodyTooLargeError",
    "BodyTooSlowError",
    "ClientGoneError",
    "header_map",
    "read_body",
    "refuse",
    "send_error",
    "send_json",
    "send_response",
]

_NO_BODY = frozenset({204, 205, 304})
# What belongs to one connection, or is worked out here from the body that is really sent.
_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"content-length",
        b"keep-alive",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)


class BodyTooLargeError(Exception):
    """The body is, or says it is, larger than the limit."""


class BodyTooSlowError(Exception):
    """The body did not arrive in time."""


class ClientGoneError(Exception):
    """The client hung up; nobody reads an answer."""


async def read_body(scope: Scope, receive: Receive, *, limit: int, timeout: float) -> bytes:
    """The whole body, at most `limit` bytes, within `timeout` seconds.

    Raises BodyTooLargeError (by the content-length already, before anything is read),
    BodyTooSlowError, ClientGoneError.
    """
    length = header_map(scope).get("content-length", "")
    if length.isdecimal() and int(length[:20]) > limit:
        raise BodyTooLargeError
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(timeout):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGoneError
                chunk: bytes = message.get("body", b"")
                size += len(chunk)
                if size > limit:
                    raise BodyTooLargeError
                chunks.append(chunk)
                if not message.get("more_body", False):
                    return b"".join(chunks)
    except TimeoutError:
        raise BodyTooSlowError from None


def header_map(scope: Scope) -> dict[str, str]:
    """Headers by lower-case name. Repeated ones are joined by a comma, as HTTP reads them."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


async def send_response(
    scope: Scope,
    send: Send,
    status: int,
    body: bytes,
    headers: Iterable[tuple[str, str]] = (),
) -> None:
    """One whole response. HEAD gets the headers of the answer and no body.

    Raises ValueError for a status or a header that HTTP cannot carry, before anything is sent.
    """
    if not 200 <= status <= 599:
        raise ValueError(f"{status} is not the status of a final response")
    raw = [(n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in headers]
    if any(b in value for _, value in raw for b in (b"\r", b"\n", b"\0")):
        raise ValueError("a header value holds a line break")
    raw = [(name, value) for name, value in raw if name not in _HOP_BY_HOP]
    if status in _NO_BODY:
        body = b""
    else:
        raw.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    if scope["method"] == "HEAD":
        body = b""
    await send({"type": "http.response.body", "body": body})


async def send_json(scope: Scope, send: Send, status: int, value: Any) -> None:
    """A JSON answer that no cache keeps."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    headers = [("content-type", "application/json"), ("cache-control", "no-store")]
    if status == 503:
        headers.append(("retry-after", str(RETRY_AFTER)))
    await send_response(scope, send, status, body, headers)


async def send_error(scope: Scope, send: Send, status: int, code: str, message: str) -> None:
    """`{"error": {"code", "message"}}`. Codes are stable; messages are for people."""
    await send_json(scope, send, status, {"error": {"code": code, "message": message}})


# Seconds after which to try again what the world could not do: as long as a restart takes.
RETRY_AFTER = 2

_REFUSALS = {
    400: ("bad-request", "the body does not say what to do"),
    401: ("unauthorized", "a valid signature is required"),
    404: ("not-found", "not found"),
    405: ("method-not-allowed", "use POST"),
    408: ("request-timeout", "the body did not arrive in time"),
    413: ("body-too-large", "the body is too large"),
    500: ("internal", "the request failed; the log of the server says why"),
    503: ("unavailable", "the workflow application is not available; try again later"),
    504: ("webhook-timeout", "the workflow did not answer in time"),
}


async def refuse(scope: Scope, send: Send, status: int) -> None:
    """The one fixed answer for `status`, so that nothing can be read from small differences."""
    await send_error(scope, send, status, *_REFUSALS[status])
