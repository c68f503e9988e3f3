"""A run's stream as server-sent events, which browsers read with `EventSource`.

Wire format: https://html.spec.whatwg.org/multipage/server-sent-events.html. The id of an event is
the index of its value in the stream, so a client that lost the connection goes on behind the last
one it has seen.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from workflow.errors import StreamError, WorkflowRunNotFoundError
from workflow.runs import Readable, Run

__all__ = ["sse_response"]

_log = logging.getLogger("workflow.http")

_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


def sse_response(
    stream: Run[Any] | Readable[Any],
    request: Request,
    *,
    namespace: str | None = None,
    start_index: int = 0,
    encode: Callable[[Any], str] | None = None,
    keep_alive: float = 15.0,
) -> Response:
    """The response that sends a stream to an `EventSource`: a `Readable`, or one of a run.

    Each value is a `message` event; text is sent as it is and other values as JSON, unless `encode`
    makes the text. When the stream is closed a last event of type `end` is sent, with which the
    page closes its `EventSource`; one that connects again all the same gets 204, which stops it.
    When the stream broke off, there is no such run, or a value has no text, the last event has the
    type `failed` instead, and says why.
    `namespace` is that of a run's stream. `start_index` is where a new client begins (negative:
    counted from the present end); a `Last-Event-ID` header goes before it. `keep_alive` is the
    longest silence in seconds.
    """
    last = request.headers.get("last-event-id", "")
    if last == _END:
        return Response(status_code=204)
    if isinstance(stream, Run):
        stream = stream.get_readable(namespace=namespace)
    start = int(last) + 1 if last.isdecimal() and len(last) < 20 else start_index
    if start:
        stream = stream.from_index(start)
    return StreamingResponse(
        _events(stream.indexed(), encode or _text, keep_alive),
        media_type="text/event-stream",
        headers=_HEADERS,
    )


_END = "end"


async def _events(
    values: AsyncIterator[tuple[int, Any]], encode: Callable[[Any], str], keep_alive: float
) -> AsyncIterator[str]:
    waiting = asyncio.ensure_future(anext(values, None))
    try:
        while True:
            done, _ = await asyncio.wait((waiting,), timeout=keep_alive)
            if not done:
                yield ":\n\n"  # a comment, so that proxies do not close a silent connection
                continue
            try:
                found = waiting.result()
            except (StreamError, WorkflowRunNotFoundError) as error:
                yield f"event: failed\nid: {_END}\n{_lines(str(error))}\n\n"
                return
            if found is None:
                yield f"event: {_END}\nid: {_END}\ndata:\n\n"
                return
            index, value = found
            try:
                text = encode(value)
            except Exception as error:
                # It would fail again whenever the client comes back for it.
                _log.exception("value %d of a stream cannot be sent as an event", index)
                reason = f"value {index} cannot be sent: {type(error).__name__}"
                yield f"event: failed\nid: {_END}\n{_lines(reason)}\n\n"
                return
            yield f"id: {index}\n{_lines(text)}\n\n"
            waiting = asyncio.ensure_future(anext(values, None))
    finally:
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError, StreamError, WorkflowRunNotFoundError):
            await waiting


def _lines(text: str) -> str:
    if not text.isascii():  # half characters have no place in a response
        text = text.encode("utf-8", "replace").decode()
    # Each kind of line end would end the field.
    return "\n".join(
        f"data: {line}" for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    )


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return msgspec.json.encode(value, enc_hook=_plain).decode()


def _plain(value: Any) -> Any:
    dump = getattr(value, "model_dump", None)
    if dump is not None:
        return dump(mode="json")
    raise TypeError(
        f"a {type(value).__name__} has no JSON form; give sse_response an encode function"
    )
