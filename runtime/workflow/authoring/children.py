"""Runs of other workflows, started and awaited by a workflow body: its children.

`workflow.api` of workflow code. A child is created with the decision that started it, in one
append, under an id that follows from the parent's seed; its end comes to the parent as a fact. So
nothing is started twice and no end is lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, NoReturn, TypeVar, cast

from workflow.authoring.context import attributes_of, body
from workflow.codec.references import WorkflowReference
from workflow.errors import (
    ContextError,
    RunEndedError,
    WorkflowNotRegisteredError,
    WorkflowRunNotCompletedError,
)
from workflow.policy.arguments import record, refuse_coroutine, refuse_inherited
from workflow.policy.durations import deadline_of, due_of, seconds_of
from workflow.policy.endings import reason_of
from workflow.policy.names import full_id
from workflow.replay.children import ChildState
from workflow.replay.live import LiveRun

__all__ = ["CANCEL_STEP", "Run", "Starter", "start", "with_options"]

T = TypeVar("T")

CANCEL_STEP = "step//workflow//cancel_run"


class Run(Generic[T]):
    """A child of the workflow whose body holds it. Awaiting it waits, durably, for its result."""

    def __init__(self, live: LiveRun, state: ChildState) -> None:
        self._live = live
        self._state = state

    def __repr__(self) -> str:
        return f"<Run {self.run_id}>"

    @property
    def run_id(self) -> str:
        """The child's id, known at once and the same in every replay."""
        return self._state.run_id

    def __await__(self) -> Generator[Any, Any, T]:
        return cast(Generator[Any, Any, T], self._state.result().__await__())

    @property
    def return_value(self) -> Run[T]:
        """What to await for the result; the same as the run itself.

        Raises WorkflowRunFailedError (`__cause__` is the error of the child's body) or
        WorkflowRunCancelledError.
        """
        return self

    async def result(self, timeout: str | float | timedelta | None = None) -> T:
        """As `return_value`, raising WorkflowRunNotCompletedError, a TimeoutError, after `timeout`;
        the child goes on."""
        if timeout is None:
            return await self
        seconds = seconds_of(timeout, "timeout= of run.result()")
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                return await self
        except TimeoutError:
            if not limit.expired():
                raise
        raise WorkflowRunNotCompletedError(self.run_id, seconds=seconds)

    async def cancel(self, reason: str = "") -> None:
        """Ask the child's body to stop; durable when this returns. A parked child ends at once.

        Raises RunEndedError when the child has ended already.
        """
        call = {"run_id": self.run_id, "reason": reason_of(reason)}
        if self._state.status or not await self._live.call_step(CANCEL_STEP, call):
            raise RunEndedError(f"{self.run_id} has ended; there is nothing left to stop")

    def __getattr__(self, name: str) -> NoReturn:
        if name in _OUTSIDE:
            raise ContextError(
                f"run.{name} is read from the database, where a replay would find something else. "
                f"Call get_run(run_id).{name} in a step"
            )
        raise AttributeError(f"a run has no attribute {name!r}")


_OUTSIDE = frozenset(
    {
        *("attributes", "completed_at", "created_at", "deadline", "exists", "get_readable"),
        *("pending_action", "pending_actions", "readable", "resume", "started_at", "status"),
        *("terminate", "wake_up", "workflow_name"),
    }
)


async def start(workflow: Any, /, *args: Any, **kwargs: Any) -> Run[Any]:
    """Start a run of a workflow function, or of the workflow with this id, as a child of this run.

    It is created together with this decision and goes on when this run ends. Raises TypeError when
    the arguments do not fit, SerializationError (with the path to the value) when one cannot be
    recorded, WorkflowNotRegisteredError for anything but a workflow of the build.
    """
    return await Starter().start(workflow, *args, **kwargs)


def with_options(
    *,
    attributes: Mapping[str, str] | None = None,
    delay: str | float | timedelta | datetime | None = None,
    deadline: str | float | timedelta | datetime | None = None,
    grace: str | float | timedelta | None = None,
    cancel_with_parent: bool = False,
    **others: Any,
) -> Starter:
    """Options for the next start: `await with_options(attributes={…}).start(fn, …)`.

    `attributes` make the child findable; `delay` is a duration or an aware datetime before which it
    does not begin, `deadline` one by which it has to be done, and `grace` how long it may clean up
    after that. A child goes on when its parent ends; with `cancel_with_parent` it is asked to stop
    then. A child's id follows from its parent, and it begins with its parent's decision: `run_id`,
    `idempotency_key` and `connection` raise TypeError.
    """
    for name in others:
        if name not in ("run_id", "idempotency_key", "connection"):
            raise TypeError(f"with_options() has no option {name!r}")
        raise TypeError(
            f"{name}= is not for workflow code: a child is created together with the decision that "
            "starts it, once, under an id that follows from this run. Leave the option out, or "
            "start the run in a step"
        )
    given = attributes_of({} if attributes is None else attributes)
    return Starter(given, delay, deadline, grace, cancel_with_parent)


@dataclass(frozen=True)
class Starter:
    """Options of one start; see `with_options`."""

    attributes: dict[str, str] = field(default_factory=dict[str, str])
    delay: str | float | timedelta | datetime | None = None
    deadline: str | float | timedelta | datetime | None = None
    grace: str | float | timedelta | None = None
    cancel_with_parent: bool = False

    async def start(self, workflow: Any, /, *args: Any, **kwargs: Any) -> Run[Any]:
        """As `start` of this module, with these options."""
        live = body("start() of a child", "Import start from workflow.api there.")
        refuse_coroutine(workflow)
        workflow_id, function = _find(live, workflow)
        options: dict[str, Any] = {}
        if self.attributes:
            options["attributes"] = self.attributes
        if self.delay is not None:
            options["start_at"] = due_of(self.delay, live.loop.now, "delay=")
        options |= deadline_of(self.deadline, self.grace, live.loop.now, options.get("start_at"))
        if self.cancel_with_parent:
            options["cancel_with_parent"] = True
        return Run(live, live.start_child(workflow_id, record(function, args, kwargs), options))


def _find(live: LiveRun, workflow: Any) -> tuple[str, Callable[..., Coroutine[Any, Any, Any]]]:
    """The id and the function of a workflow of the run's bundle."""
    functions = live.codec.functions
    if isinstance(workflow, WorkflowReference):
        workflow = workflow.id
    if isinstance(workflow, str):
        workflow_id = full_id(workflow, functions.workflow_ids())
        return workflow_id, functions.find_workflow(workflow_id)
    known = functions.identify(workflow)
    if known is not None and known.kind == "workflow":
        return known.id, workflow
    if functions.identify(getattr(workflow, "__func__", None)) is not None:
        refuse_inherited(workflow)
    name = getattr(workflow, "__qualname__", None) or type(workflow).__name__
    if known is not None:
        raise WorkflowNotRegisteredError(
            f"{name} is a step; start() takes a workflow. Await the step itself"
        )
    raise WorkflowNotRegisteredError(
        f'{name} is not a workflow. Mark it "use workflow", or await it as part of this run'
    )
