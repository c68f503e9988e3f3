"""What the flow and the step handler share: who may call, and how a call is answered.

A delivery carries no payload, only ids: it makes this process look for work through the same claim
that a worker uses. So a repeated or late delivery does nothing, and a forged one could at most
waste time; it still runs nothing, because a stranger must not be able to make us busy either.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import msgspec

from workflow.errors import WorkflowError, WorkflowRunNotFoundError, WorldError
from workflow.http.signing import verify
from workflow.http.wire import (
    BodyTooLargeError,
    BodyTooSlowError,
    ClientGoneError,
    header_map,
    read_body,
    refuse,
    send_error,
    send_json,
)

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from workflow.http.application import DurableApplication, Secrets
    from workflow.http.settings import Settings

__all__ = ["delivery_keys", "serve_delivery"]

M = TypeVar("M")

_log = logging.getLogger("workflow.http")


async def delivery_keys(world: Secrets, key_ids: tuple[str, ...] = ("1",)) -> dict[str, bytes]:
    """The world's signing keys by key id, in the order given. Senders use the first."""
    return {
        key_id: await world.secret("http-delivery" if key_id == "1" else f"http-delivery/{key_id}")
        for key_id in key_ids
    }


async def serve_delivery(
    scope: Scope,
    receive: Receive,
    send: Send,
    *,
    app: DurableApplication,
    settings: Settings,
    path: str,
    message: type[M],
    run: Callable[[M], Awaitable[bool]],
) -> None:
    """Answer one delivery: 404 when off, 401 unless signed, then `{"ran": bool}` from `run`.

    The signature is checked before the method and the body are looked at, so that a stranger learns
    nothing but that the endpoint exists.
    """
    if settings.transport != "http":
        return await refuse(scope, send, 404)
    try:
        body = await read_body(
            scope, receive, limit=settings.delivery_max_bytes, timeout=settings.read_timeout
        )
    except BodyTooLargeError:
        return await refuse(scope, send, 413)
    except BodyTooSlowError:
        return await refuse(scope, send, 408)
    except ClientGoneError:
        return None
    try:
        signed = verify(
            header_map(scope),
            keys=await delivery_keys(app.world, settings.key_ids),
            now=app.world.now() // 1_000_000,
            method=scope["method"],
            path=path,
            body=body,
        )
        if not signed:
            return await refuse(scope, send, 401)
        if scope["method"] != "POST":
            return await refuse(scope, send, 405)
        try:
            asked = msgspec.json.decode(body, type=message)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return await refuse(scope, send, 400)
        ran = await run(asked)
    except WorkflowRunNotFoundError as error:
        return await send_error(scope, send, 404, error.code, str(error))
    except WorldError:
        _log.exception("the world failed during a delivery to %s", path)
        return await refuse(scope, send, 503)
    except WorkflowError as error:
        # The caller is one of us (it holds the key), so it may read the reason.
        _log.exception("a delivery to %s failed", path)
        return await send_error(scope, send, 500, error.code, str(error))
    except Exception:
        _log.exception("a delivery to %s failed", path)
        return await refuse(scope, send, 500)
    return await send_json(scope, send, 200, {"ran": ran})
