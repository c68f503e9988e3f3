"""From a path under `/.well-known/workflow/v1` to the handler that answers there."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import TYPE_CHECKING, Literal

from workflow.http.flow import serve_flow
from workflow.http.health import asks_for_health, serve_health
from workflow.http.routes import BASE_PATH, FLOW_PATH, STEP_PATH, WEBHOOK_PATH
from workflow.http.step import serve_step
from workflow.http.webhook import serve_webhook
from workflow.http.wire import refuse

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from workflow.http.lifecycle import Lifecycle

__all__ = ["ALL_PARTS", "Part", "serve", "start_for"]

Part = Literal["flow", "step", "webhook"]

ALL_PARTS: frozenset[Part] = frozenset(("flow", "step", "webhook"))

_log = logging.getLogger("workflow.http")


async def serve(
    lifecycle: Lifecycle,
    path: str,
    scope: Scope,
    receive: Receive,
    send: Send,
    *,
    parts: Collection[Part] = ALL_PARTS,
) -> None:
    """Answer one HTTP request; `path` is its `public_path`. 404 for what is none of `parts`."""
    if not await start_for(lifecycle, scope, send):
        return
    app = await lifecycle.application(scope)
    part = path.removeprefix(BASE_PATH + "/")
    if part in ("flow", "step") and part in parts and asks_for_health(scope):
        await serve_health(app, part, scope, send)
    elif path == FLOW_PATH and "flow" in parts:
        await serve_flow(app, lifecycle.settings, scope, receive, send)
    elif path == STEP_PATH and "step" in parts:
        await serve_step(app, lifecycle.settings, scope, receive, send)
    elif path.startswith(WEBHOOK_PATH) and "webhook" in parts:
        await serve_webhook(app, lifecycle.settings, scope, receive, send)
    else:
        await refuse(scope, send, 404)


async def start_for(lifecycle: Lifecycle, scope: Scope, send: Send) -> bool:
    """Make sure that the application runs; False when it cannot, and the request was refused.

    Under a server that speaks the lifespan protocol it runs already, or the server has stopped.
    """
    try:
        await lifecycle.application(scope)
    except Exception:
        _log.exception("the workflow application could not start")
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1011})
        else:
            await refuse(scope, send, 503)
        return False
    return True
