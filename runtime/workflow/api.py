"""What applications call: start runs, find them, resume their hooks, mount the handlers."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

import msgspec

from workflow import local_build
from workflow.authoring.context import attributes_of
from workflow.classes import ClientCodec
from workflow.codec import Codec
from workflow.connect import connect
from workflow.engine import webhooks
from workflow.engine.application import current, current_world, set_current_world
from workflow.errors import (
    HookNotFoundError,
    WorkflowNotRegisteredError,
    WorldError,
)
from workflow.policy.arguments import record
from workflow.policy.durations import due_of
from workflow.replay.ids import ulid
from workflow.runs import Readable, Run
from workflow.world.port import World
from workflow.world.records import Created, HookRecord, Letter, NewRun, RunFilter, Status

if TYPE_CHECKING:
    from workflow import web
    from workflow.http.mount import with_workflow

__all__ = [
    "HookRecord",
    "Readable",
    "Run",
    "get_hook_by_token",
    "get_run",
    "get_world",
    "list_runs",
    "resume_hook",
    "resume_webhook",
    "set_world",
    "start",
    "with_options",
    "with_workflow",
]

P = ParamSpec("P")
T = TypeVar("T")


@overload
async def start(
    workflow: Callable[P, Coroutine[Any, Any, T]], /, *args: P.args, **kwargs: P.kwargs
) -> Run[T]: ...
@overload
async def start(workflow: str, /, *args: Any, **kwargs: Any) -> Run[Any]: ...
async def start(workflow: Any, /, *args: Any, **kwargs: Any) -> Run[Any]:
    """Start a run of a workflow function, or of the workflow with this id. Durable on return.

    Raises TypeError when the arguments do not fit, SerializationError (with the path to the value)
    when one cannot be recorded, WorkflowNotRegisteredError for anything but a built workflow.
    """
    return await Starter().start(workflow, *args, **kwargs)


def with_options(
    *,
    run_id: str | None = None,
    idempotency_key: str | None = None,
    attributes: Mapping[str, str] | None = None,
    delay: str | float | timedelta | datetime | None = None,
    connection: Any = None,
) -> Starter:
    """Options for the next start: `await with_options(idempotency_key="o-1").start(fn, …)`.

    `run_id` chooses the id (it must begin with `wrun_`). A second start of the same workflow with
    the same `idempotency_key` returns the first run. `attributes` make runs findable. `delay` is a
    duration or an aware datetime before which the run does not begin. `connection` is a psycopg
    connection to the database of the PostgreSQL world: the run is created in its transaction, so
    your own changes and the run are committed together or not at all.
    """
    return Starter(run_id, idempotency_key, dict(attributes or {}), delay, connection)


@dataclass(frozen=True)
class Starter:
    """Options of one start; see `with_options`."""

    run_id: str | None = None
    idempotency_key: str | None = None
    attributes: dict[str, str] = field(default_factory=dict[str, str])
    delay: str | float | timedelta | datetime | None = None
    connection: Any = None

    @overload
    async def start(
        self, workflow: Callable[P, Coroutine[Any, Any, T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> Run[T]: ...
    @overload
    async def start(self, workflow: str, /, *args: Any, **kwargs: Any) -> Run[Any]: ...
    async def start(self, workflow: Any, /, *args: Any, **kwargs: Any) -> Run[Any]:
        """As `workflow.api.start`, with these options. Raises WorldError when a `connection` was
        given and the world cannot use it."""
        world = await _open_world()
        create = world.create if self.connection is None else _on(world, self.connection)
        codec = _codec()
        workflow_id, arguments = _call(workflow, args, kwargs)
        run_id = self.run_id or f"wrun_{ulid(time.time_ns() // 1_000_000, secrets.token_bytes(10))}"
        if not run_id.startswith("wrun_") or len(run_id) > 128:
            raise ValueError(f"a run id begins with wrun_ and has up to 128 characters: {run_id!r}")
        attributes_of(dict(self.attributes))
        created = await create(
            NewRun(
                run_id=run_id,
                workflow=workflow_id,
                input=codec.encode(arguments, path="args"),
                # The seed of the run's random numbers and tokens: secret, unlike the run id.
                meta=msgspec.json.encode({"seed": secrets.token_hex(16), "base_url": _base_url()}),
                idempotency_key=self.idempotency_key,
                attributes=self.attributes,
                start_at=None if self.delay is None else due_of(self.delay, world.now()),
            )
        )
        return Run(world, codec, created.run_id)


def _on(world: World, connection: Any) -> Callable[[NewRun], Awaitable[Created]]:
    """How a world creates a run in the transaction of somebody else's connection."""
    create_on = getattr(world, "create_on", None)
    if create_on is None:
        raise WorldError(
            f"the {world.name} world cannot start a run in a transaction of yours; "
            "the PostgreSQL world can"
        )
    return partial(create_on, connection)


@overload
def get_run(run_id: str) -> Run[Any]: ...
@overload
def get_run(run_id: str, workflow: Callable[..., Coroutine[Any, Any, T]]) -> Run[T]: ...
def get_run(run_id: str, workflow: Any = None) -> Run[Any]:
    """The handle of a run. `workflow` only tells type checkers the type of its result."""
    return Run(get_world(), _codec(), run_id)


async def list_runs(
    *,
    workflow: str | Callable[..., Any] | None = None,
    status: Status | None = None,
    attributes: Mapping[str, str] | None = None,
) -> AsyncIterator[Run[Any]]:
    """Runs, newest first. `workflow` is a function, an id, or a name that is unique."""
    world = await _open_world()
    where = RunFilter(
        workflow=None if workflow is None else _identify(workflow),
        status=status,
        attributes=dict(attributes or {}),
    )
    cursor: str | None = None
    while True:
        page = await world.list_runs(where, cursor=cursor)
        for row in page.items:
            yield Run(world, _codec(), row.run_id)
        cursor = page.cursor
        if cursor is None:
            return


async def resume_hook(token: str, payload: Any = None) -> HookRecord:
    """Give a hook its next payload; durable on return, whatever happens to the run's worker.

    Raises HookNotFoundError when no open hook has the token, SerializationError (with the path to
    the value) when the payload cannot be recorded. A payload holds data, not steps or workflows.
    """
    world = await _open_world()
    hook = await get_hook_by_token(token)
    data = _codec().encode(payload, path="payload", references=False)
    posted = await world.post_to_token(token, Letter(kind="hook_received", payload=data))
    if posted.outcome in ("missing", "ended"):
        raise HookNotFoundError(token)
    return hook


async def resume_webhook(token: str, request: Any) -> web.Response:
    """Deliver a request to a webhook from one's own route, and get the response to send.

    `request` is a `workflow.Request` or a Starlette (FastAPI) request. Raises HookNotFoundError,
    TimeoutError and WebhookError, as a manual answer may not come.
    """
    from workflow import web

    world = await _open_world()
    if not isinstance(request, web.Request):
        request = await web.Request.from_starlette(request)
    return await webhooks.deliver(world, _codec(), token, request)


async def get_hook_by_token(token: str) -> HookRecord:
    """Look an open hook up. Raises HookNotFoundError."""
    hook = await (await _open_world()).get_hook(token)
    if hook is None:
        raise HookNotFoundError(token)
    return hook


def get_world() -> World:
    """The world of the running application; else the one set, or chosen by the environment."""
    world = current_world()
    if world is None:
        world = connect()
        set_current_world(world)
    return world


def set_world(world: World | None) -> None:
    """Use `world` in this process where no application is running; None forgets it."""
    set_current_world(world)


# -- inside ---------------------------------------------------------------------------------------


async def _open_world() -> World:
    world = get_world()
    if current() is None:
        await world.open()
    return world


def _codec() -> Codec:
    application = current()
    if application is not None:
        return application.codec
    local_build.know_classes()
    return ClientCodec()


def _base_url() -> str:
    application = current()
    if application is not None and application.base_url:
        return application.base_url
    given = os.environ.get("WORKFLOW_BASE_URL") or os.environ.get("WORKFLOW_EMBEDDED_BASE_URL")
    return given or f"http://localhost:{os.environ.get('PORT', '3000')}"


def _identify(workflow: Any) -> str:
    application = current()
    if application is not None:
        return application.project.registry.id_of(workflow)
    if isinstance(workflow, str):
        return workflow
    found = getattr(workflow, "workflow_id", None) or local_build.workflow_id(workflow)
    if found is None:
        name = getattr(workflow, "__qualname__", repr(workflow))
        raise WorkflowNotRegisteredError(
            f'{name} is not a workflow of a build. Mark it "use workflow" and run `wfc build`. A '
            "server loads the build by with_workflow(app); a script finds it in the folder "
            "generated, or where WORKFLOW_GENERATED says; other processes start runs by id"
        )
    return str(found)


def _call(
    workflow: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    """The workflow's id and the arguments by parameter name."""
    workflow_id = _identify(workflow)
    function = workflow
    if isinstance(workflow, str):
        application = current()
        function = application and application.project.registry.workflows.get(workflow_id)
        if function is None:
            if args:
                raise TypeError(
                    "a workflow started by its id in a process that does not have it takes "
                    "keyword arguments only: their names are what is recorded"
                )
            return workflow_id, kwargs
    recorded = record(function, args, kwargs)
    # `...` in a client module stands for a default that only the worker's side can compute.
    return workflow_id, {name: value for name, value in recorded.items() if value is not ...}


def __getattr__(name: str) -> Any:
    # Loaded when used: processes that only start runs need no HTTP.
    if name == "with_workflow":
        from workflow.http.mount import with_workflow

        return with_workflow
    raise AttributeError(f"module 'workflow.api' has no attribute {name!r}")
