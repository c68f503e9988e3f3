"""`workflow.api` for code without an event loop: scripts, WSGI applications, threads.

The same functions, blocking. They run on an event loop in a thread of this process, started when
first needed. Inside a running event loop, such as that of a notebook, they raise
RuntimeError: there, use `workflow.api`.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Generic, ParamSpec, TypeVar, overload

from workflow import api, web
from workflow.authoring.hooks import HookDefinition
from workflow.engine.actions import PendingAction
from workflow.hook_record import HookRecord
from workflow.http.given import GivenRequest, begun, finished
from workflow.listing import HookPage, RunPage
from workflow.runs import Readable
from workflow.world.records import Status

__all__ = [
    "HookPage",
    "PendingAction",
    "Run",
    "RunPage",
    "Starter",
    "get_hook_by_token",
    "get_hooks",
    "get_run",
    "get_runs",
    "list_hooks",
    "list_runs",
    "read",
    "resume_hook",
    "resume_run",
    "resume_webhook",
    "start",
    "with_options",
]

P = ParamSpec("P")
T = TypeVar("T")
V = TypeVar("V")


class _Loop:
    """An event loop in a daemon thread; a forked child gets one of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def run(self, work: Coroutine[Any, Any, V]) -> V:
        """Run `work` to its end. Raises what it raises, RuntimeError inside an event loop."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            pass
        else:
            work.close()
            raise RuntimeError(
                "workflow.sync would block the running event loop; use workflow.api and await"
            )
        future = asyncio.run_coroutine_threadsafe(work, self._started())
        try:
            return future.result()
        except BaseException:
            future.cancel()  # Ctrl-C while waiting
            raise

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None or self._thread is None or not self._thread.is_alive():
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._loop.run_forever, name="workflow-sync", daemon=True
                )
                self._thread.start()
            return self._loop


_loop = _Loop()


class Run(Generic[T]):
    """One run; its properties are read from the world each time they are used."""

    def __init__(self, run: api.Run[T]) -> None:
        self._run = run
        self.run_id = run.run_id

    def __repr__(self) -> str:
        return repr(self._run)

    def __eq__(self, other: object) -> bool:
        """Handles of one run are equal."""
        return isinstance(other, Run) and other.run_id == self.run_id

    def __hash__(self) -> int:
        return hash(self.run_id)

    def _read(self, value: Any) -> Any:
        async def read() -> Any:
            return await value

        return _loop.run(read())

    @property
    def exists(self) -> bool:
        """Whether the world knows this run."""
        found: bool = self._read(self._run.exists)
        return found

    @property
    def status(self) -> Status:
        """`pending`, `running`, `paused`, `completed`, `failed` or `cancelled`."""
        found: Status = self._read(self._run.status)
        return found

    @property
    def workflow_name(self) -> str:
        """The workflow's function name, without its path."""
        found: str = self._read(self._run.workflow_name)
        return found

    @property
    def created_at(self) -> datetime:
        found: datetime = self._read(self._run.created_at)
        return found

    @property
    def started_at(self) -> datetime | None:
        found: datetime | None = self._read(self._run.started_at)
        return found

    @property
    def completed_at(self) -> datetime | None:
        """When it ended, in whatever way; None while it is open."""
        found: datetime | None = self._read(self._run.completed_at)
        return found

    @property
    def attributes(self) -> dict[str, str]:
        found: dict[str, str] = self._read(self._run.attributes)
        return found

    @property
    def deadline(self) -> datetime | None:
        """By when it has to be done, as it was started; None without such a time."""
        found: datetime | None = self._read(self._run.deadline)
        return found

    @property
    def pending_actions(self) -> tuple[PendingAction, ...]:
        """The questions that the run asks and nobody has answered, the oldest first."""
        found: tuple[PendingAction, ...] = self._read(self._run.pending_actions)
        return found

    @property
    def pending_action(self) -> PendingAction | None:
        """The oldest of the pending actions, None when there is none."""
        found: PendingAction | None = self._read(self._run.pending_action)
        return found

    @property
    def return_value(self) -> T:
        """As `result()`: waits for the end of the run, for as long as it takes."""
        return self.result()

    def result(self, timeout: str | float | timedelta | None = None) -> T:
        """Wait for the end of the run and return its result.

        Raises WorkflowRunFailedError (`__cause__` is the body's error), WorkflowRunCancelledError,
        and WorkflowRunNotCompletedError, which is a TimeoutError, after `timeout`, while the run
        goes on.
        """
        return _loop.run(self._run.result(timeout))

    def cancel(self, reason: str = "") -> None:
        """Ask the body to stop. Raises RunEndedError, WorkflowRunNotFoundError."""
        _loop.run(self._run.cancel(reason))

    def terminate(self, reason: str = "") -> None:
        """End the run now, without its body. Raises RunEndedError, WorkflowRunNotFoundError."""
        _loop.run(self._run.terminate(reason))

    def wake_up(self, *correlation_ids: str) -> None:
        """End the run's durable sleeps now, or only those with the given ids."""
        _loop.run(self._run.wake_up(*correlation_ids))

    @overload
    def resume(self) -> bool: ...
    @overload
    def resume(self, step: str, input: Any) -> None: ...
    def resume(self, *answer: Any, **named: Any) -> bool | None:
        """Answer the pending action `step` with `input`; without arguments, let a parked run go on.

        Raises what `workflow.api.Run.resume` raises.
        """
        done: bool | None = _loop.run(self._run.resume(*answer, **named))
        return done

    @overload
    def read(
        self,
        type: None = None,
        *,
        namespace: str | None = None,
        start_index: int = 0,
        skip_failed: bool = False,
    ) -> Iterator[Any]: ...
    @overload
    def read(
        self,
        type: type[V],
        *,
        namespace: str | None = None,
        start_index: int = 0,
        skip_failed: bool = False,
    ) -> Iterator[V]: ...
    def read(
        self,
        type: Any = None,
        *,
        namespace: str | None = None,
        start_index: int = 0,
        skip_failed: bool = False,
    ) -> Iterator[Any]:
        """The values of a stream of the run as they come, until it is closed.

        `type` only tells type checkers what they are; the others are as in `get_readable`.
        """
        return _values(
            self._run.get_readable(
                type, namespace=namespace, start_index=start_index, skip_failed=skip_failed
            )
        )


def read(readable: Readable[V]) -> Iterator[V]:
    """The values of a stream, such as one in a result, as they come, until it is closed.

    Raises StreamError when it broke off.
    """
    return _values(readable)


def _values(readable: Readable[V]) -> Iterator[V]:
    values = readable.__aiter__()
    while True:
        try:
            yield _loop.run(_next(values))
        except StopAsyncIteration:
            return


async def _next(values: Any) -> Any:
    return await anext(values)


class Starter:
    """Options of one start; see `with_options`."""

    def __init__(self, starter: api.Starter) -> None:
        self._starter = starter

    @overload
    def start(
        self, workflow: Callable[P, Coroutine[Any, Any, T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> Run[T]: ...
    @overload
    def start(self, workflow: str, /, *args: Any, **kwargs: Any) -> Run[Any]: ...
    def start(self, workflow: Any, /, *args: Any, **kwargs: Any) -> Run[Any]:
        """As `workflow.sync.start`, with these options."""
        return Run(_loop.run(self._starter.start(workflow, *args, **kwargs)))


@overload
def start(
    workflow: Callable[P, Coroutine[Any, Any, T]], /, *args: P.args, **kwargs: P.kwargs
) -> Run[T]: ...
@overload
def start(workflow: str, /, *args: Any, **kwargs: Any) -> Run[Any]: ...
def start(workflow: Any, /, *args: Any, **kwargs: Any) -> Run[Any]:
    """Start a run of a workflow function, or of the workflow with this id. Durable on return.

    Raises what `workflow.api.start` raises.
    """
    return Run(_loop.run(api.start(workflow, *args, **kwargs)))


def with_options(
    *,
    run_id: str | None = None,
    idempotency_key: str | None = None,
    attributes: Mapping[str, str] | None = None,
    delay: str | float | timedelta | datetime | None = None,
    deadline: str | float | timedelta | datetime | None = None,
    grace: str | float | timedelta | None = None,
    connection: Any = None,
) -> Starter:
    """Options for the next start; the same as those of `workflow.api.with_options`."""
    return Starter(
        api.with_options(
            run_id=run_id,
            idempotency_key=idempotency_key,
            attributes=attributes,
            delay=delay,
            deadline=deadline,
            grace=grace,
            connection=connection,
        )
    )


@overload
def get_run(run_id: str) -> Run[Any]: ...
@overload
def get_run(run_id: str, workflow: Callable[..., Coroutine[Any, Any, T]]) -> Run[T]: ...
def get_run(run_id: str, workflow: Any = None) -> Run[Any]:
    """The handle of a run. `workflow` only tells type checkers the type of its result."""

    async def found() -> api.Run[Any]:
        return api.get_run(run_id)

    return Run(_loop.run(found()))  # not here: inside an event loop it is to say so at once


def list_runs(
    *,
    workflow: str | Callable[..., Any] | None = None,
    status: Status | None = None,
    attributes: Mapping[str, str] | None = None,
    parent: str | Run[Any] | None = None,
) -> Iterator[Run[Any]]:
    """Runs, newest first. `workflow` is a function, an id, or a name that is unique.

    `parent` is the run, or its id, whose body or steps have started them.
    """
    above = parent.run_id if isinstance(parent, Run) else parent
    runs = api.list_runs(workflow=workflow, status=status, attributes=attributes, parent=above)
    while True:
        try:
            yield Run(_loop.run(_next(runs)))
        except StopAsyncIteration:
            return


def get_runs(
    *,
    workflow: str | Callable[..., Any] | None = None,
    status: Status | None = None,
    attributes: Mapping[str, str] | None = None,
    parent: str | Run[Any] | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> RunPage[Run[Any]]:
    """A page of what `list_runs` gives: up to `limit` runs after `cursor`.

    Raises what `workflow.api.get_runs` raises.
    """
    above = parent.run_id if isinstance(parent, Run) else parent
    page = _loop.run(
        api.get_runs(
            workflow=workflow,
            status=status,
            attributes=attributes,
            parent=above,
            limit=limit,
            cursor=cursor,
        )
    )
    return RunPage(tuple(Run(run) for run in page.runs), page.cursor)


def list_hooks(
    *,
    run: str | Run[Any] | None = None,
    token_prefix: str = "",
    webhook: bool | None = None,
) -> Iterator[HookRecord]:
    """Open hooks and webhooks, those that were opened first come first.

    The same as `workflow.api.list_hooks`.
    """
    of = run._run if isinstance(run, Run) else run
    hooks = api.list_hooks(run=of, token_prefix=token_prefix, webhook=webhook)
    while True:
        try:
            yield _loop.run(_next(hooks))
        except StopAsyncIteration:
            return


def get_hooks(
    *,
    run: str | Run[Any] | None = None,
    token_prefix: str = "",
    webhook: bool | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> HookPage:
    """A page of what `list_hooks` gives: up to `limit` hooks after `cursor`.

    Raises what `workflow.api.get_hooks` raises.
    """
    of = run._run if isinstance(run, Run) else run
    return _loop.run(
        api.get_hooks(
            run=of, token_prefix=token_prefix, webhook=webhook, limit=limit, cursor=cursor
        )
    )


def get_hook_by_token(token: str) -> HookRecord:
    """Look an open hook up. Raises HookNotFoundError."""
    return _loop.run(api.get_hook_by_token(token))


def resume_run(run_id: str, step: str, input: Any) -> None:
    """Answer the pending action `step` of a run; the same as `get_run(run_id).resume(…)`."""
    _loop.run(api.resume_run(run_id, step, input))


@overload
def resume_hook(token: str | HookRecord, payload: Any = None) -> HookRecord: ...
@overload
def resume_hook(token: str | HookRecord, payload: T, *, of: HookDefinition[T]) -> HookRecord: ...
def resume_hook(token: str | HookRecord, payload: Any = None, *, of: Any = None) -> HookRecord:
    """Give a hook its next payload; durable on return. It is named by its token or its record.

    With `of`, what `define_hook` has given, the payload is checked first. Raises HookNotFoundError
    when no open hook has the token, SerializationError, pydantic's ValidationError.
    """
    return _loop.run(api.resume_hook(token, payload, of=of))


def resume_webhook(token: str | HookRecord, request: GivenRequest) -> web.Response:
    """Deliver a request to a webhook from a route of your own, and get the response to send.

    `request` is a `workflow.Request` or a request of Flask or Django. Raises HookNotFoundError,
    TypeError for anything else, and TimeoutError and WebhookError, as a manual answer may not come.
    """
    parts = begun(request)  # in this thread, to which Flask's request belongs

    async def resume() -> web.Response:
        return await api.resume_webhook(token, await finished(parts))

    return _loop.run(resume())
