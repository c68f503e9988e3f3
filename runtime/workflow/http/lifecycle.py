"""When the application behind the handlers starts and stops.

A server that speaks the lifespan protocol starts it at start-up and stops it at shutdown. Mounted
below a framework that does not pass lifespans on, or under `--lifespan off`, it starts with the
first request; then the end of the process is its shutdown, as it would be after a crash. Several
handlers may share one application: the last one to leave stops it.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from workflow.errors import InternalError, WorkflowError
from workflow.http.base_url import base_url, bound_by
from workflow.http.settings import Settings, check_transport

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from workflow.http.application import DurableApplication

__all__ = ["Lifecycle", "lifespan", "startup_message"]

_log = logging.getLogger("workflow.http")


class Lifecycle:
    """One application and its users. `make` builds it, and is called again for each new start."""

    def __init__(
        self,
        make: Callable[[], DurableApplication],
        *,
        transport: str | None = None,
        base_url: str | None = None,
    ) -> None:
        if transport is not None:
            check_transport(transport)
        self.settings = Settings()
        self._make = make
        self._transport = transport
        self._explicit_base_url = base_url
        self._users = 0
        self._app: DurableApplication | None = None
        self._address_known = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = asyncio.Lock()

    async def enter(self) -> None:
        """Start the application, or join the started one. Raises what keeps it from starting."""
        await self._started()
        self._users += 1

    async def leave(self) -> None:
        """Undo one `enter`; the last one stops the application."""
        self._users -= 1
        if self._users > 0:
            return
        async with self._lock:
            app, self._app = self._app, None
        if app is not None:
            await app.stop()

    async def application(self, scope: Scope) -> DurableApplication:
        """The started application, for one request; the first request may have to start it."""
        app = await self._started()
        if not self._address_known:
            # Only now does anybody say where the server listens.
            self._address_known = True
            app.base_url = base_url(self._explicit_base_url, os.environ, bound_by(scope))
        return app

    async def _started(self) -> DurableApplication:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._move_to(loop)
        async with self._lock:
            if self._app is None:
                self.settings = Settings.read(os.environ, transport=self._transport)
                app = self._make()
                app.base_url = base_url(self._explicit_base_url, os.environ)
                self._address_known = False
                await app.start()
                self._app = app
            return self._app

    def _move_to(self, loop: asyncio.AbstractEventLoop) -> None:
        """Follow to another event loop, as test clients and Django's `async_to_sync` need.

        What was started lazily on a loop that is closed died with it, like a process that crashed.
        """
        if self._loop is not None and not self._loop.is_closed() and self._app is not None:
            raise WorkflowError(
                "the workflow application runs on another event loop of this process; "
                "serve all its handlers from one event loop"
            )
        self._loop = loop
        self._lock = asyncio.Lock()
        self._app = None
        self._users = 0


def startup_message(error: BaseException) -> str:
    """What the server's log should say about a start that failed."""
    if isinstance(error, WorkflowError | ValueError) and not isinstance(error, InternalError):
        return str(error)
    return f"the workflow application could not start: {type(error).__name__}: {error}"


async def lifespan(lifecycle: Lifecycle, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer the lifespan protocol for a handler that has nothing but the application to start."""
    await receive()
    try:
        await lifecycle.enter()
    except Exception as error:
        _log.debug("start-up failed", exc_info=True)
        await send({"type": "lifespan.startup.failed", "message": startup_message(error)})
        return
    left = False
    try:
        await send({"type": "lifespan.startup.complete"})
        await receive()
        left = True
        await lifecycle.leave()
    except Exception as error:
        _log.exception("the workflow application did not stop cleanly")
        await send({"type": "lifespan.shutdown.failed", "message": str(error)})
    else:
        await send({"type": "lifespan.shutdown.complete"})
    finally:
        if not left:  # cancelled while serving
            await lifecycle.leave()
