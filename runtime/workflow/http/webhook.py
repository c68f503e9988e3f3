"""Any method on `/.well-known/workflow/v1/webhook/{token}`: hand the request to the run that waits.

The token is the only credential, so every way of not finding an open webhook gives the same answer:
never created, finished, a plain hook, not even text.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Coroutine
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from workflow.errors import HookNotFoundError, RunEndedError, WebhookError, WorldError
from workflow.http.routes import webhook_token
from workflow.http.wire import (
    BodyTooLargeError,
    BodyTooSlowError,
    ClientGoneError,
    header_map,
    read_body,
    refuse,
    send_error,
    send_response,
)

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from workflow import web
    from workflow.http.application import DurableApplication
    from workflow.http.settings import Settings

__all__ = ["request_url", "serve_webhook"]

T = TypeVar("T")

_HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?", re.ASCII)

_log = logging.getLogger("workflow.http")


async def serve_webhook(
    app: DurableApplication, settings: Settings, scope: Scope, receive: Receive, send: Send
) -> None:
    """The ASGI handler. Answers what the webhook asks for: 202, its own Response, or a manual one.

    404 unless the token is an open webhook's; 413 and 408 for a body that is too large or too slow;
    504 when a manual answer took too long, 500 `webhook-response-not-sent` when the run ended
    first. A client that hangs up is waited for no longer; what was recorded stays recorded.
    """
    token = webhook_token(scope)
    if token is None:
        return await refuse(scope, send, 404)
    try:
        body = await read_body(
            scope, receive, limit=settings.webhook_max_bytes, timeout=settings.read_timeout
        )
        try:
            request = _request(scope, body)
        except ValueError:  # a header that HTTP does not allow, from a lenient server
            return await refuse(scope, send, 400)
        response = await _unless_gone(receive, app.deliver_webhook(token, request))
        await send_response(
            scope, send, response.status, response.content, response.headers.items()
        )
    except ClientGoneError:
        return None
    except BodyTooLargeError:
        return await refuse(scope, send, 413)
    except BodyTooSlowError:
        return await refuse(scope, send, 408)
    except (HookNotFoundError, RunEndedError):
        return await refuse(scope, send, 404)
    except TimeoutError:
        return await refuse(scope, send, 504)
    except WebhookError:
        return await send_error(
            scope,
            send,
            500,
            "webhook-response-not-sent",
            "the workflow ended, or moved on, without answering this request",
        )
    except WorldError:
        _log.exception("the world failed while a webhook request was delivered")
        return await refuse(scope, send, 503)
    except Exception:
        _log.exception("a webhook request could not be answered")
        return await refuse(scope, send, 500)


def request_url(scope: Scope) -> str:
    """The URL as the client asked for it, as far as the server tells."""
    host = header_map(scope).get("host", "")
    if not _HOST.fullmatch(host):
        name, port = scope.get("server") or ("localhost", None)
        host = f"{name}:{port}" if port else str(name)
    raw: bytes | None = scope.get("raw_path")
    path = raw.partition(b"?")[0].decode("latin-1") if raw is not None else quote(scope["path"])
    query = scope.get("query_string", b"").decode("latin-1")
    return f"{scope['scheme']}://{host}{path}" + (f"?{query}" if query else "")


def _request(scope: Scope, body: bytes) -> web.Request:
    from workflow import web

    headers = [
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]
    ]
    return web.Request(scope["method"], request_url(scope), headers, body)


async def _unless_gone(receive: Receive, work: Coroutine[None, None, T]) -> T:
    """The result of `work`, which is cancelled when the client hangs up. Raises ClientGoneError."""
    working = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_hung_up(receive))
    try:
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise ClientGoneError
    finally:
        working.cancel()
        gone.cancel()
        await asyncio.gather(working, gone, return_exceptions=True)


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
