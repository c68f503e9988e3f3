"""`with_workflow(app)`: the workflow routes and lifetime around an existing ASGI application."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from workflow.errors import WorldError
from workflow.http.dispatch import serve, start_for
from workflow.http.lifecycle import Lifecycle, startup_message
from workflow.http.routes import public_path
from workflow.http.wire import refuse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from workflow.http.application import DurableApplication
    from workflow.world import World

__all__ = ["WithWorkflow", "open_application", "with_workflow"]

AppT = TypeVar("AppT", bound="ASGIApp")

_log = logging.getLogger("workflow.http")


def with_workflow(
    app: AppT,
    generated: str | Path = "generated",
    *,
    world: World | None = None,
    worker: bool = True,
    transport: str | None = None,
    base_url: str | None = None,
) -> AppT:
    """Serve workflows beside `app`: any ASGI application, before its own middleware.

    `generated` is the folder that `wfc build` makes, relative to the working directory. `world` is
    the storage; None takes the one that `WORKFLOW_TARGET_WORLD` names (default `local`). With
    `worker=False` this process starts runs and receives webhooks, and leaves the work to others.
    `transport="http"` also lets signed calls to `/flow` and `/step` deliver work (default:
    `WORKFLOW_TRANSPORT`, else "process"). `base_url` is the public address for webhooks.

    The application starts and stops with the lifespan of `app`. Missing or stale generated files
    stop the server from starting. Attributes are those of `app`, so `app.state` or FastAPI's
    `@app.get` work on what is returned, and type checkers see `app`'s own type. Raises ValueError
    for an unknown transport, TypeError for what is no ASGI application.
    """
    _check_asgi(app)
    folder = Path(generated).absolute()
    wrapped = WithWorkflow(
        app,
        Lifecycle(
            lambda: open_application(folder, world, worker=worker),
            transport=transport,
            base_url=base_url,
        ),
    )
    return cast("AppT", wrapped)


def _check_asgi(app: object) -> None:
    if callable(app) and not hasattr(app, "wsgi_app"):
        return
    what = "a WSGI application" if callable(app) else f"{app!r:.80}"
    raise TypeError(
        f"with_workflow() takes an ASGI application, not {what}. Flask and its like start runs "
        "with workflow.sync, and `wfc worker` beside them does the work"
    )


def open_application(
    folder: Path, world: World | None, *, worker: bool = True
) -> DurableApplication:
    """The engine for a generated folder, not started yet. Raises BundleError."""
    from workflow.connect import connect
    from workflow.engine import Application, Project

    project = Project.load(folder)
    return Application(connect() if world is None else world, project, worker=worker)


class WithWorkflow:
    """The ASGI application that `with_workflow` returns. Other attributes are the wrapped one's."""

    _own = ("_app", "_lifecycle", "_called")

    def __init__(self, app: ASGIApp, lifecycle: Lifecycle) -> None:
        self._app = app
        self._lifecycle = lifecycle
        self._called = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._called = True
        if scope["type"] == "lifespan":
            await _Lifespan(self._app, self._lifecycle, receive, send).run(scope)
        elif scope["type"] == "http" and (path := public_path(scope)):
            await serve(self._lifecycle, path, scope, receive, send)
        # The routes of the application may call start(): it has to run for them too.
        elif await start_for(self._lifecycle, scope, send):
            if scope["type"] == "http":
                await _answering(self._app, scope, receive, send)
            else:
                await self._app(scope, receive, send)

    def __getattr__(self, name: str) -> Any:
        if name in self._own:  # not set yet: a copy or a pickle is being made
            raise AttributeError(name)
        return getattr(self._app, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self._own:
            super().__setattr__(name, value)
        else:
            setattr(self._app, name, value)

    def __repr__(self) -> str:
        return f"with_workflow({self._app!r})"

    def __del__(self) -> None:
        # `with_workflow(app)` without `app =`: the server would serve the application without us,
        # and runs that it starts would wait for ever.
        if self.__dict__.get("_called") is False and not sys.is_finalizing():
            _log.warning(
                "what with_workflow(...) gave back was thrown away and never served, so nothing "
                "works on runs here. Write `app = with_workflow(app)`, and serve that"
            )


async def _answering(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Let `app` answer, and answer 503 for it when it lets an error of the world out unanswered.

    Frameworks answer 500 themselves before an error gets here; they have handlers of errors.
    """
    begun = False

    async def noting(message: Message) -> None:
        nonlocal begun
        begun = True
        await send(message)

    try:
        await app(scope, receive, noting)
    except WorldError:
        if begun:
            raise
        _log.exception("the world failed while a request was answered")
        await refuse(scope, send, 503)


class _Lifespan:
    """One lifespan: ours around that of the wrapped application.

    The wrapped application runs in the server's own lifespan task and speaks with the server
    through us: its start-up happens after ours, our shutdown after its. If it does not speak the
    protocol (the specification lets it raise; Django does), we speak alone.
    """

    def __init__(self, app: ASGIApp, lifecycle: Lifecycle, receive: Receive, send: Send) -> None:
        self._app = app
        self._lifecycle = lifecycle
        self._receive = receive
        self._send = send
        self._entered = False
        self._first: Message | None = None
        self._started = False  # the server has its answer to the start-up
        self._stopping = False  # the server has asked for the shutdown
        self._stopped = False  # the server has its answer to that

    async def run(self, scope: Scope) -> None:
        self._first = await self._receive()
        try:
            await self._lifecycle.enter()
        except Exception as error:
            _log.debug("start-up failed", exc_info=True)
            await self._send({"type": "lifespan.startup.failed", "message": startup_message(error)})
            return
        self._entered = True
        try:
            try:
                await self._app(scope, self._inner_receive, self._inner_send)
            except Exception as error:
                if self._started or self._stopped:
                    raise
                self._note_unsupported(error)
            if not self._started:
                self._started = True
                await self._send({"type": "lifespan.startup.complete"})
            if not self._stopping:
                self._stopping = True
                await self._receive()
            if not self._stopped:
                await self._answer_shutdown({"type": "lifespan.shutdown.complete"})
        finally:
            await self._leave()

    async def _inner_receive(self) -> Message:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        message = await self._receive()
        self._stopping = message["type"] == "lifespan.shutdown"
        return message

    async def _inner_send(self, message: Message) -> None:
        match message["type"]:
            case "lifespan.startup.complete":
                self._started = True
                await self._send(message)
            case "lifespan.startup.failed":
                self._started = self._stopping = self._stopped = True
                await self._leave()
                await self._send(message)
            case "lifespan.shutdown.complete" | "lifespan.shutdown.failed":
                await self._answer_shutdown(message)
            case other:
                # What an application does that never looks at the type of its scope.
                raise RuntimeError(f"{other!r} is no answer to a lifespan message")

    async def _answer_shutdown(self, message: Message) -> None:
        self._stopped = True
        try:
            await self._leave()
        except Exception as error:
            _log.exception("the workflow application did not stop cleanly")
            message = {"type": "lifespan.shutdown.failed", "message": str(error)}
        await self._send(message)

    async def _leave(self) -> None:
        if self._entered:
            self._entered = False
            await self._lifecycle.leave()

    def _note_unsupported(self, error: Exception) -> None:
        if self._first is None:
            # It did read the start-up message, so this may be a real failure of the application.
            _log.warning("the wrapped application has no working lifespan", exc_info=error)
        else:
            _log.info("the wrapped application has no lifespan: %s", error)
