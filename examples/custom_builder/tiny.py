"""A framework small enough to read: routes, mounted applications, and lifetimes. It knows nothing
of workflows; `tiny_workflows.py` brings the two together."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
ASGI = Callable[[Scope, Receive, Send], Awaitable[None]]
Handler = Callable[[str], Awaitable[Any]]


class Tiny:
    """An ASGI application. Handlers get the last part of the path and return JSON data."""

    def __init__(self) -> None:
        self.routes: dict[tuple[str, str], Handler] = {}
        self.mounts: dict[str, ASGI] = {}
        self.lifetimes: list[Callable[[], AbstractAsyncContextManager[None]]] = []

    def route(self, method: str, prefix: str) -> Callable[[Handler], Handler]:
        """Serve `prefix` plus one more part of a path, as in `@app.route("POST", "/greet/")`."""

        def decorate(handler: Handler) -> Handler:
            self.routes[method, prefix] = handler
            return handler

        return decorate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI entry."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        for prefix, app in self.mounts.items():
            if scope["path"].startswith(prefix):
                await app(scope, receive, send)
                return
        prefix, _, last = scope["path"].rpartition("/")
        handler = self.routes.get((scope.get("method", ""), prefix + "/"))
        status, data = (200, await handler(last)) if handler else (404, {"error": "no such page"})
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [(b"content-type", b"application/json")],
            }
        )
        await send({"type": "http.response.body", "body": json.dumps(data).encode()})

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        async with AsyncExitStack() as stack:
            try:
                for lifetime in self.lifetimes:
                    await stack.enter_async_context(lifetime())
            except Exception as error:
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})
