"""`/.well-known/workflow/v1/flow?__health`: is the application up, and does its world answer?

For load balancers and probes: any method, no signature, and nothing is told but yes or no. `/step`
answers alike.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from workflow.http.wire import send_json

if TYPE_CHECKING:
    from starlette.types import Scope, Send

    from workflow.http.application import DurableApplication

__all__ = ["asks_for_health", "serve_health"]

PATIENCE = 5.0  # seconds that the world has for its answer

_log = logging.getLogger("workflow.http")


def asks_for_health(scope: Scope) -> bool:
    """Whether the query is `__health`, with or without a value or others beside it."""
    query: bytes = scope.get("query_string", b"")
    return any(part.partition(b"=")[0] == b"__health" for part in query.split(b"&"))


async def serve_health(app: DurableApplication, endpoint: str, scope: Scope, send: Send) -> None:
    """Answer 200 `{"healthy": true, "endpoint": …}`, or 503 with `false` when the world is away."""
    try:
        async with asyncio.timeout(PATIENCE):
            await app.reach_world()
        healthy = True
    except Exception as error:  # whatever keeps the world away, the probe gets its answer
        _log.warning("the world does not answer: %s", str(error) or "it takes too long")
        healthy = False
    answer = {"healthy": healthy, "endpoint": endpoint}
    await send_json(scope, send, 200 if healthy else 503, answer)
