"""The ASGI applications of a generated folder: `app.py`, `flow.py`, `step.py`, `webhook.py`.

Each can be served or mounted alone. All of one folder share one application in a process.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workflow.http.dispatch import ALL_PARTS, Part, serve
from workflow.http.lifecycle import Lifecycle, lifespan
from workflow.http.mount import open_application
from workflow.http.routes import mounted_path
from workflow.http.wire import refuse

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

__all__ = ["GeneratedApp", "generated_app"]

_lifecycles: dict[Path, Lifecycle] = {}


def generated_app(file: str, *parts: Part) -> GeneratedApp:
    """The handlers `parts` (none named: all) for the generated folder that holds `file`.

    Reads nothing yet: the folder is loaded when the application starts. It has a worker unless
    `WORKFLOW_TRANSPORT` is `http`.
    """
    folder = Path(file).resolve().parent
    if folder not in _lifecycles:
        _lifecycles[folder] = Lifecycle(lambda: open_application(folder, None, worker=_worker()))
    return GeneratedApp(_lifecycles[folder], parts or ALL_PARTS)


def _worker() -> bool:
    # Where work is delivered over HTTP, a process may be frozen between two requests.
    return os.environ.get("WORKFLOW_TRANSPORT") != "http"


class GeneratedApp:
    """An ASGI application that serves workflow handlers and nothing else."""

    def __init__(self, lifecycle: Lifecycle, parts: Collection[Part]) -> None:
        self._lifecycle = lifecycle
        self._parts = frozenset(parts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(self._lifecycle, scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
        elif path := mounted_path(scope):
            await serve(self._lifecycle, path, scope, receive, send, parts=self._parts)
        else:
            await refuse(scope, send, 404)

    @asynccontextmanager
    async def lifespan(self, app: Any = None) -> AsyncIterator[None]:
        """Start and stop with a framework that does not pass lifespans on to what it mounts:
        `Starlette(routes=[Mount("/", app=app)], lifespan=app.lifespan)`.

        Raises what keeps the application from starting, such as BundleError.
        """
        await self._lifecycle.enter()
        try:
            yield
        finally:
            await self._lifecycle.leave()
