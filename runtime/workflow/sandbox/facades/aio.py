"""`asyncio` for workflow code: the real primitives, on the deterministic loop of the run.

Only what would differ between processes is replaced: `as_completed` starts coroutines in argument
order, futures hash by creation, and the loop is a view that hands out no run, thread or socket.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterable
from types import GenericAlias
from typing import Any, NoReturn

from workflow.errors import SandboxError
from workflow.replay.loop import DetFuture, DetTask
from workflow.sandbox.facades.clock import active
from workflow.sandbox.facades.contexts import native
from workflow.sandbox.facades.facade import named_like
from workflow.sets import settled

__all__ = ["ADVICE", "NAMES", "TWINS", "LoopView", "asyncio_members"]

_LISTED = """
ALL_COMPLETED Barrier BoundedSemaphore BrokenBarrierError CancelledError Condition Event
FIRST_COMPLETED FIRST_EXCEPTION Future InvalidStateError LifoQueue Lock PriorityQueue Queue
QueueEmpty QueueFull Semaphore Task TaskGroup Timeout TimeoutError as_completed create_task
current_task ensure_future gather get_event_loop get_running_loop iscoroutine
iscoroutinefunction isfuture shield sleep timeout timeout_at wait wait_for
"""
NAMES = frozenset(_LISTED.split()) | (
    {"QueueShutDown"} if hasattr(asyncio, "QueueShutDown") else set()
)
"""The members of the facade."""

_IO = "it reaches outside of the run; move the call into a step"
_THREAD = "a workflow has no threads; a plain `def` step runs in one"
_RUNNING = "the workflow is already running; just `await`"
ADVICE = {
    "all_tasks": "its order is not the same at every replay; keep your tasks in a list",
    "create_subprocess_exec": _IO,
    "create_subprocess_shell": _IO,
    "eager_task_factory": "eager tasks would change the order of a replay",
    "new_event_loop": _RUNNING,
    "open_connection": _IO,
    "open_unix_connection": _IO,
    "run": _RUNNING,
    "run_coroutine_threadsafe": _THREAD,
    "Runner": _RUNNING,
    "start_server": _IO,
    "to_thread": _THREAD,
}

_LOOP_ADVICE = {
    "run_in_executor": _THREAD,
    "run_forever": _RUNNING,
    "run_until_complete": _RUNNING,
    "call_soon_threadsafe": _THREAD,
}


class LoopView:
    """What `asyncio.get_running_loop()` gives workflow code: time, tasks, futures and timers."""

    __slots__ = ()

    def time(self) -> float:
        return active("the running loop").time()

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def create_task(self, coro: Any, *, name: str | None = None, context: Any = None) -> Any:
        return active("the running loop").create_task(coro, name=name, context=native(context))

    def create_future(self) -> Any:
        return active("the running loop").create_future()

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Any = None) -> Any:
        return active("the running loop").call_soon(callback, *args, context=native(context))

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, context: Any = None
    ) -> Any:
        return active("the running loop").call_later(
            delay, callback, *args, context=native(context)
        )

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: Any = None
    ) -> Any:
        return active("the running loop").call_at(when, callback, *args, context=native(context))

    def __getattr__(self, name: str) -> NoReturn:
        advice = _LOOP_ADVICE.get(name, _IO)
        raise AttributeError(f"loop.{name} is not available in workflow code: {advice}")

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise SandboxError("the event loop is read-only in workflow code")

    def __repr__(self) -> str:
        return "<event loop of the workflow run>"


_VIEW = LoopView()


def _get_running_loop() -> LoopView:
    active("the running loop")
    return _VIEW


class _Recognises(type):
    """Metaclass of the stand-ins for Task and Future: isinstance works, constructing is ours."""

    _real: type
    _make: Callable[..., Any]

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return cls._make(*args, **kwargs)

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, cls._real)

    def __subclasscheck__(cls, subclass: type) -> bool:
        real = subclass._real if isinstance(subclass, _Recognises) else subclass
        return issubclass(real, cls._real)

    def __getitem__(cls, item: Any) -> Any:
        return GenericAlias(cls, item)  # the real class is hidden behind no alias


def _make_future() -> Any:
    return active("a future").create_future()


def _make_task(*_: Any, **__: Any) -> NoReturn:
    raise SandboxError("tasks are made by asyncio.create_task() in workflow code")


class Future(metaclass=_Recognises):
    """`asyncio.Future` of workflow code: one that hashes by creation order."""

    _real = asyncio.Future
    _make = staticmethod(_make_future)

    def __init_subclass__(cls) -> None:
        raise SandboxError("asyncio.Future cannot be subclassed in workflow code")


class Task(metaclass=_Recognises):
    """`asyncio.Task` of workflow code, for isinstance and annotations."""

    _real = asyncio.Task
    _make = staticmethod(_make_task)

    def __init_subclass__(cls) -> None:
        raise SandboxError("asyncio.Task cannot be subclassed in workflow code")


named_like(Future, "_asyncio", "Future")
named_like(Task, "_asyncio", "Task")

TWINS: dict[type, Any] = {DetFuture: Future, DetTask: Task}
"""What workflow code knows the futures and tasks of its loop as."""


def _as_completed(fs: Iterable[Any], *, timeout: float | None = None) -> Any:
    # The original makes a set of the coroutines first, and so starts them in memory order.
    return asyncio.as_completed([asyncio.ensure_future(f) for f in fs], timeout=timeout)


async def _wait(
    fs: Iterable[Any], *, timeout: float | None = None, return_when: str = asyncio.ALL_COMPLETED
) -> Any:
    # The original gives built-in sets.
    if asyncio.isfuture(fs) or asyncio.iscoroutine(fs):
        return await asyncio.wait(fs)  # it says what is wrong
    given = dict.fromkeys(fs)
    done, pending = await asyncio.wait(given, timeout=timeout, return_when=return_when)
    return settled(done, given), settled(pending, given)


def _create_task(coro: Any, *, name: str | None = None, context: Any = None) -> Any:
    return active("a task").create_task(coro, name=name, context=native(context))


def _ensure_future(coro_or_future: Any, *, loop: Any = None) -> Any:
    return asyncio.ensure_future(coro_or_future)


def _current_task(loop: Any = None) -> Any:
    return asyncio.current_task()


def asyncio_members() -> dict[str, Any]:
    """The members of the `asyncio` facade."""
    replaced = {
        "Future": Future,
        "Task": Task,
        "as_completed": _as_completed,
        "create_task": _create_task,
        "current_task": _current_task,
        "ensure_future": _ensure_future,
        "wait": _wait,
        "get_event_loop": _get_running_loop,
        "get_running_loop": _get_running_loop,
        "iscoroutinefunction": inspect.iscoroutinefunction,
    }
    return {name: replaced.get(name) or getattr(asyncio, name) for name in NAMES}
