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
from workflow.authoring.context import attributes_of, current_step
from workflow.authoring.sources import Source, use_outside
from workflow.connect import opening
from workflow.engine.actions import PendingAction
from workflow.engine.application import current
from workflow.engine.uploads import Uploads
from workflow.errors import (
    WorkflowNotRegisteredError,
    WorldError,
)
from workflow.here import codec_here, get_world, open_world, set_world
from workflow.hook_record import HookRecord
from workflow.hooks_outside import (
    get_hook_by_token,
    get_hooks,
    list_hooks,
    resume_hook,
    resume_webhook,
)
from workflow.listing import HookPage, RunPage, check_page, filter_of
from workflow.policy.actions import lifetime_setting
from workflow.policy.arguments import passed, record, refuse_coroutine, refuse_inherited
from workflow.policy.base_url import local_url, url_setting
from workflow.policy.boundary import checked_by, fit
from workflow.policy.durations import deadline_of, due_of
from workflow.policy.lineage import lineage
from workflow.policy.run_ids import check_key, check_run_id
from workflow.replay.ids import ulid
from workflow.runs import Readable, Run
from workflow.world.port import World
from workflow.world.records import Created, NewRun, Status

if TYPE_CHECKING:
    from workflow.http.mount import with_workflow

__all__ = [
    "HookPage",
    "HookRecord",
    "PendingAction",
    "Readable",
    "Run",
    "RunPage",
    "get_hook_by_token",
    "get_hooks",
    "get_run",
    "get_runs",
    "get_world",
    "list_hooks",
    "list_runs",
    "resume_hook",
    "resume_run",
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

    An asynchronous iterable among the arguments, such as the body of a request, is an upload: the
    run gets a `Readable`, begins at once, and start() returns when everything is written. Raises
    TypeError when the arguments do not fit, SerializationError (with the path to the value) when
    one cannot be recorded, WorkflowNotRegisteredError for anything but a built workflow,
    StreamError when an upload breaks off.
    """
    return await Starter().start(workflow, *args, **kwargs)


def with_options(
    *,
    run_id: str | None = None,
    idempotency_key: str | None = None,
    attributes: Mapping[str, str] | None = None,
    delay: str | float | timedelta | datetime | None = None,
    deadline: str | float | timedelta | datetime | None = None,
    grace: str | float | timedelta | None = None,
    connection: Any = None,
    cancel_with_parent: bool = False,
) -> Starter:
    """Options for the next start: `await with_options(idempotency_key="o-1").start(fn, …)`.

    `run_id` chooses the id (it must begin with `wrun_`). A second start of the same workflow with
    the same `idempotency_key` returns the first run. `attributes` make runs findable. `delay` is a
    duration or an aware datetime before which the run does not begin. `deadline` is one by which it
    has to be done: then its body sees CancelledError, may clean up for `grace` (one minute), and
    the run fails with DeadlineExceededError. `connection` is a psycopg connection to the database
    of the PostgreSQL world: the run is created in its transaction, so your own changes and the run
    are committed together or not at all. `cancel_with_parent` is for the children of a workflow
    body; here it raises TypeError.
    """
    if cancel_with_parent:
        raise TypeError(
            "cancel_with_parent= is for runs that a workflow body starts; one that is started "
            "here, also by a step, is nobody's child"
        )
    # Looked at by start(), as everything else is.
    given: Any = {} if attributes is None else attributes
    return Starter(run_id, idempotency_key, given, delay, deadline, grace, connection)


@dataclass(frozen=True)
class Starter:
    """Options of one start; see `with_options`."""

    run_id: str | None = None
    idempotency_key: str | None = None
    attributes: dict[str, str] = field(default_factory=dict[str, str])
    delay: str | float | timedelta | datetime | None = None
    deadline: str | float | timedelta | datetime | None = None
    grace: str | float | timedelta | None = None
    connection: Any = None

    @overload
    async def start(
        self, workflow: Callable[P, Coroutine[Any, Any, T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> Run[T]: ...
    @overload
    async def start(self, workflow: str, /, *args: Any, **kwargs: Any) -> Run[Any]: ...
    async def start(self, workflow: Any, /, *args: Any, **kwargs: Any) -> Run[Any]:
        """As `workflow.api.start`, with these options. Raises ValueError for a deadline that has
        passed, or comes before the run begins; WorldError when a `connection` was given and the
        world cannot use it."""
        world = await open_world()
        create = world.create if self.connection is None else _on(world, self.connection)
        codec = codec_here()
        refuse_coroutine(workflow)
        workflow_id, arguments = _call(workflow, args, kwargs)
        refuse_inherited(workflow)
        run_id = self.run_id
        if run_id is None:
            run_id = f"wrun_{ulid(time.time_ns() // 1_000_000, secrets.token_bytes(10))}"
        check_run_id(run_id)
        check_key(self.idempotency_key)
        attributes = attributes_of(self.attributes)
        now = world.now()
        start_at = None if self.delay is None else due_of(self.delay, now, "delay=")
        # The seed of the run's random numbers and tokens: secret, unlike the run id.
        meta: dict[str, Any] = {"seed": secrets.token_hex(16), "base_url": _base_url()}
        meta |= deadline_of(self.deadline, self.grace, now, start_at)
        lifetime = lifetime_setting(os.environ)
        if lifetime is not None:
            meta["action_lifetime"] = lifetime
        step = current_step()
        parents: dict[str, str] = {}
        if step is not None:  # a run that a step starts belongs to the step's run
            meta |= {"parent": step.run_id, "root": step.root_run_id}
            parents = lineage(step.run_id, step.root_run_id)
        uploads = Uploads(world, run_id)
        data = codec.encode(arguments, path="args", adopt=uploads.adopt)
        if uploads.streams and self.connection is not None:
            raise TypeError(
                "an upload is written while the run is at work, and a run that is created in your "
                "transaction begins when that is committed. Leave connection= out, or store the "
                "data first and pass where it is"
            )
        try:
            await uploads.announce()
            created = await create(
                NewRun(
                    run_id=run_id,
                    workflow=workflow_id,
                    input=data,
                    meta=msgspec.json.encode(meta),
                    idempotency_key=self.idempotency_key,
                    attributes={**attributes, **parents},
                    start_at=uploads.not_before(start_at),
                )
            )
        except BaseException:
            await uploads.leave()  # nobody waits for them; what start() was given is as it was
            raise
        if created.created:
            await uploads.write(codec)
        else:
            await uploads.leave()
            if created.run_id == self.run_id:
                await _same_workflow(world, created.run_id, workflow_id)
        return Run(world, codec, created.run_id)


async def _same_workflow(world: World, run_id: str, workflow_id: str) -> None:
    """Raises ValueError when a chosen run id belongs to a run of something else."""
    row = await world.get_run(run_id)
    if row is not None and row.workflow != workflow_id:
        raise ValueError(f"{run_id} is a run of {row.workflow} already; choose another run_id=")


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
    """The handle of a run. `workflow` only tells type checkers the type of its result.

    Nothing is read until something of it is awaited. Raises TypeError for an id that is no text.
    """
    named = _id_text(run_id)
    world = get_world()
    return Run(world if current() is not None else opening(world), codec_here(), named)


async def list_runs(
    *,
    workflow: str | Callable[..., Any] | None = None,
    status: Status | None = None,
    attributes: Mapping[str, str] | None = None,
    parent: str | Run[Any] | None = None,
) -> AsyncIterator[Run[Any]]:
    """Runs, newest first. `workflow` is a function, an id, or a name that is unique.

    `parent` is the run, or its id, whose body or steps have started them. Raises ValueError for a
    status that no run can have, TypeError for attributes that are no texts.
    """
    cursor: str | None = None
    while True:
        page = await get_runs(
            workflow=workflow, status=status, attributes=attributes, parent=parent, cursor=cursor
        )
        for run in page.runs:
            yield run
        cursor = page.cursor
        if cursor is None:
            return


async def get_runs(
    *,
    workflow: str | Callable[..., Any] | None = None,
    status: Status | None = None,
    attributes: Mapping[str, str] | None = None,
    parent: str | Run[Any] | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> RunPage[Run[Any]]:
    """A page of what `list_runs` gives: up to `limit` runs, from 1 to 1000, after `cursor`.

    Runs that are started meanwhile move nothing on the pages that follow. Raises what `list_runs`
    raises, and ValueError for a `limit` or a `cursor` that is none.
    """
    workflow_id = None if workflow is None else _identify(workflow)
    where = filter_of(workflow_id, status, attributes, parent)
    check_page(limit, cursor)
    world = await open_world()
    page = await world.list_runs(where, limit=limit, cursor=cursor)
    codec = codec_here()
    return RunPage(tuple(Run(world, codec, row.run_id) for row in page.items), page.cursor)


async def resume_run(run_id: str, step: str, input: Any) -> None:
    """Answer the pending action `step` of a run; the same as `get_run(run_id).resume(…)`."""
    await get_run(run_id).resume(step, input)


# -- inside ---------------------------------------------------------------------------------------


def _id_text(run_id: object) -> str:
    if not isinstance(run_id, str):
        raise TypeError(f"get_run() takes the id of a run, which is text, not {run_id!r:.80}")
    return run_id


use_outside(lambda: Source(get_world(), codec_here()))


def _base_url() -> str:
    application = current()
    if application is not None and application.base_url:
        return application.base_url
    return url_setting(os.environ) or local_url(os.environ)


def _identify(workflow: Any) -> str:
    application = current()
    if application is not None:
        return application.project.registry.id_of(workflow)
    if isinstance(workflow, str):
        return local_build.id_of_name(workflow)
    found = getattr(workflow, "workflow_id", None) or local_build.workflow_id(workflow)
    if found is None:
        name = getattr(workflow, "__qualname__", repr(workflow))
        if local_build.is_step(workflow):
            raise WorkflowNotRegisteredError(
                f"{name} is a step; start() takes a workflow. Call a step from a workflow, or call "
                "it directly as an ordinary function"
            )
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
    if any(value is ... for value in recorded.values()):
        # In a client module it stands for a default that only the worker's side can compute.
        given = passed(function, args, kwargs)
        recorded = {n: value for n, value in recorded.items() if value is not ... or n in given}
    checks = checked_by(function)
    if not checks:
        return workflow_id, recorded
    return workflow_id, fit(function, checks, recorded, passed(function, args, kwargs))


def __getattr__(name: str) -> Any:
    # Loaded when used: processes that only start runs need no HTTP.
    if name == "with_workflow":
        from workflow.http.mount import with_workflow

        return with_workflow
    raise AttributeError(f"module 'workflow.api' has no attribute {name!r}")
