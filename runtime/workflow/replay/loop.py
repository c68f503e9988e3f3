"""A small event loop whose order of execution is a function of the facts fed to it alone.

No selector, no threads, no wall clock: a queue of callbacks that are ready, and timers that are
durable waits of the run. asyncio's own primitives (gather, wait, TaskGroup, timeout, Queue, Lock …)
run on it unchanged, with C tasks. Two things about stock asyncio would differ between processes and
are replaced: tasks and futures hash by address, so sets of them iterate in memory order (here: by
creation order), and asynchronous generators are closed whenever the garbage collector runs (here:
they are held until the run ends).

This module is the one place in `replay` that touches asyncio's internals.
"""

from __future__ import annotations

import asyncio
import decimal
import math
import sys
from asyncio import events as _events
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from contextvars import Context, copy_context
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

from workflow.addresses import without_addresses
from workflow.errors import BusyWorkflowError, ContextError
from workflow.replay import limits, sampling, unawaited, warned
from workflow.replay.uttered import Utterance

if TYPE_CHECKING:
    from workflow.replay.live import LiveRun

__all__ = ["DetFuture", "DetLoop", "DetTask", "Handle", "pristine", "running"]

_NEVER = 253_402_300_800
"""Seconds since the epoch: what is due in the year 10,000 or later is due never, and no wait."""

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


def _state(future: asyncio.Future[Any]) -> str:
    if future.cancelled():
        return "cancelled"
    return "finished" if future.done() else "pending"


class DetTask(asyncio.Task[T]):
    """A task that hashes by creation order."""

    def __init__(self, coro: Coroutine[Any, Any, T], *, order: int, **options: Any) -> None:
        self._order = order
        super().__init__(coro, **options)

    def __hash__(self) -> int:
        return self._order

    def __repr__(self) -> str:
        # The original shows where the interpreter is installed.
        coroutine = getattr(self.get_coro(), "__qualname__", "")
        return f"<Task {_state(self)} name={self.get_name()!r} coro=<{coroutine}()>>"


class DetFuture(asyncio.Future[T]):
    """A future that hashes by creation order and tells when the body gives up on it."""

    # No __init__ in Python: it would cost a microsecond per future.
    _order: int = 0
    _on_cancel: Callable[[], None] | None = None

    def __hash__(self) -> int:
        return self._order

    def __repr__(self) -> str:
        return f"<Future {_state(self)}>"

    def cancel(self, msg: Any | None = None) -> bool:
        cancelled = super().cancel(msg)
        if cancelled and self._on_cancel is not None:
            self._on_cancel()
        return cancelled


def pristine() -> Context:
    """A context with nothing of the host's in it, and the decimal arithmetic every run begins with.

    What a body sets there (`contextvars`, `decimal.localcontext`) is its own.
    """
    context = Context()
    traps = [decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow]
    arithmetic = decimal.Context(
        prec=28,
        rounding=decimal.ROUND_HALF_EVEN,
        Emin=-999_999,
        Emax=999_999,
        capitals=1,
        clamp=0,
        flags=[],
        traps=traps,
    )
    context.run(decimal.setcontext, arithmetic)
    return context


class Handle(asyncio.TimerHandle):
    """A scheduled callback. asyncio only needs `cancel`, `cancelled` and `when` of it."""

    __slots__ = ("_on_cancel",)

    # Slots of the base class are reused; its __init__ (debug tracebacks, loop lookups) is not.
    def __init__(
        self,
        callback: Callable[..., Any],
        args: tuple[Any, ...],
        context: Context | None,
        when: float,
    ) -> None:
        self._callback = callback
        self._args = args
        self._context = context if context is not None else copy_context()
        self._when = when
        self._cancelled = False
        self._scheduled = False
        self._on_cancel: Callable[[], None] | None = None

    def __repr__(self) -> str:
        return f"<Handle {'cancelled' if self._cancelled else 'waiting'}>"

    def cancel(self) -> None:
        if not self._cancelled:
            self._cancelled = True
            if self._on_cancel is not None:
                self._on_cancel()

    def run(self) -> None:
        self._context.run(self._callback, *self._args)


class DetLoop(asyncio.AbstractEventLoop):
    """The loop one live run is driven by. `now` is the time of the fact being applied."""

    def __init__(self, run: LiveRun) -> None:
        self.run = run
        self.now: int = 0
        self.random = Random(0)
        self.utterances: list[Utterance] = []
        self.said = 0  # a digest of all that the body has spoken, for this process only
        self._ready: deque[Handle] = deque()
        self._order = 0
        self._open = True
        self._generators: dict[int, Any] = {}
        # Held here, or the garbage collector would finish a forgotten task at a random moment, and
        # its `finally` would run inside whatever run is executing then.
        self._tasks: list[DetTask[Any]] = []
        self._prune_at = 64
        self._outside: tuple[asyncio.AbstractEventLoop | None, Any, Any, int, bool] | None = None
        self.rounds = limits.ROUNDS
        self.below: int | None = None  # calls below this turn's, once somebody asked (`stack.py`)
        self.context = pristine()
        self._executing = False

    # -- what workflow code and the sandbox's emulations see -----------------------------------

    def time(self) -> float:
        """Seconds since the epoch, of the fact being applied."""
        return self.now / 1_000_000

    def speak(
        self, logger: str, level: int, message: str, extra: Mapping[str, Any] | None = None
    ) -> None:
        """Keep something printed or logged until the turn is recorded; replays drop it. `extra` is
        plain data, and the caller's no more."""
        self.utterances.append(Utterance(logger, level, message, extra or {}))
        texts = (message, repr(extra)) if extra else (message,)
        self.said = hash((self.said, logger, level, *map(without_addresses, texts)))

    # -- scheduling ----------------------------------------------------------------------------

    def call_soon(
        self,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> Handle:
        handle = Handle(callback, args, context, 0.0)
        self._ready.append(handle)
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> Handle:
        if self.time() + delay >= _NEVER:
            return Handle(callback, args, context, math.inf)
        # From the integer clock: going through `time()` would lose a microsecond now and then.
        return self._call_at(self.now + max(0, round(delay * 1_000_000)), callback, args, context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> Handle:
        if when >= _NEVER:
            return Handle(callback, args, context, math.inf)
        return self._call_at(round(when * 1_000_000), callback, args, context)

    def _call_at(
        self, due: int, callback: Callable[..., Any], args: tuple[Any, ...], context: Context | None
    ) -> Handle:
        handle = Handle(callback, args, context, due / 1_000_000)
        if due <= self.now:
            self._ready.append(handle)
        else:
            self.run.open_wait(due, handle)
        return handle

    def fire(self, handle: Handle) -> None:
        """Make a timer's callback ready: its wait is over."""
        if not handle.cancelled():
            self._ready.append(handle)

    def create_future(self) -> DetFuture[Any]:
        self._order += 1
        future: DetFuture[Any] = DetFuture(loop=self)
        future._order = self._order
        return future

    def create_task(
        self,
        coro: Any,
        *,
        name: object | None = None,
        context: Context | None = None,
        **options: Any,
    ) -> DetTask[Any]:
        if options.get("eager_start"):
            raise RuntimeError("eager tasks are not available in workflow code")
        self._order += 1
        # Default task names come from a counter of the whole process: name them per run.
        label = str(name) if name is not None else f"task-{self._order}"
        if context is None and not self._executing:
            context = self.context  # the host begins the body
        extra: dict[str, Any] = {} if context is None else {"context": context}
        task: DetTask[Any] = DetTask(coro, order=self._order, loop=self, name=label, **extra)
        self._tasks.append(task)
        if len(self._tasks) > self._prune_at:
            self._tasks = [task for task in self._tasks if not task.done()]
            self._prune_at = 2 * len(self._tasks) + 64
        return task

    # -- what asyncio's own code asks of a loop ------------------------------------------------

    def is_running(self) -> bool:
        return self._outside is not None

    def is_closed(self) -> bool:
        return not self._open

    def get_debug(self) -> bool:
        return False

    def get_task_factory(self) -> None:
        return None

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Nothing to do: timers are not in a heap of the loop."""

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        error = context.get("exception")
        text = context.get("message", "unhandled exception")
        text = f"{text}: {error!r}" if error is not None else str(text)
        # Not `said`: when an error counts as never seen is for the garbage collector to say.
        self.utterances.append(Utterance("asyncio", 40, text))

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        self.call_exception_handler(context)

    def dismiss(self) -> None:
        """End every task that is still there: cancelled once, then closed. The loop must run."""
        for task in list(self._tasks):
            task.cancel()
        self.run_until_idle(limit=10_000)
        self._close_in_generators()
        closed: set[int] = set()
        # A body that goes on after its cancellation, or while it is closed, begins further tasks.
        # The latter have not run yet, so closing them begins no more.
        while left := [t for t in self._tasks if not t.done() and id(t) not in closed]:
            for task in left:
                closed.add(id(task))
                task._log_destroy_pending = False  # type: ignore[attr-defined]  # meant to be
                self.context.run(_close, task.get_coro())
        self._close_in_generators()
        self._tasks.clear()

    def _close_in_generators(self) -> None:
        """End what asynchronous generators await. They themselves are left as they are."""
        for generator in reversed(self._generators.values()):
            self.context.run(_close, generator.ag_await)

    def close(self) -> None:
        self._open = False
        self._ready.clear()
        self._generators.clear()

    # -- driving -------------------------------------------------------------------------------

    def __enter__(self) -> DetLoop:
        """Become the running loop of this thread, also from inside another running loop."""
        before = limits.begin(self.rounds)
        hooks, depth = sys.get_asyncgen_hooks(), unawaited.watch()
        self._outside = (_events._get_running_loop(), hooks, before, depth, warned.begin())
        sys.set_asyncgen_hooks(firstiter=self._hold, finalizer=_leave_open)
        _events._set_running_loop(self)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._outside is not None
        loop, hooks, before, depth, quiet = self._outside
        if quiet:
            warned.end()
        sys.set_coroutine_origin_tracking_depth(depth)
        limits.resume(before)
        self._outside = None
        _events._set_running_loop(loop)
        sys.set_asyncgen_hooks(*hooks)

    def run_until_idle(self, limit: float = math.inf) -> None:
        """Run everything that is ready, and what becomes ready by it. No time passes.

        With a `limit`, stop after so many callbacks and forget the rest.
        """
        self.below = None
        self._executing = True
        try:
            self._run_ready(limit)
        finally:
            self._executing = False
        busy = limits.overrun()
        if busy is not None:
            self.run.abort(busy)

    def _run_ready(self, limit: float) -> None:
        ready = self._ready
        while ready:
            limit -= 1
            if limit < 0:
                ready.clear()
                break
            handle = ready.popleft()
            if handle._cancelled:
                continue
            try:
                limits.spend(limits.CALLBACK)
                sampling.at_once()
                handle.run()
            except BusyWorkflowError:
                ready.clear()  # and below the run ends
            except Exception as error:
                self.call_exception_handler({"message": "callback failed", "exception": error})
            except BaseException as error:
                self.run.abort(error)

    BOTTOM = _run_ready.__code__
    """Of the function below all calls of a body."""

    def complain(self, message: str) -> None:
        """Speak of something whose moment is for the garbage collector to say: it is not `said`."""
        self.utterances.append(Utterance("workflow", 30, message))

    def _hold(self, generator: Any) -> None:
        self._generators[id(generator)] = generator


CLOSINGS = 100  # how often what goes on waiting is closed again

# Coroutines that would not end. Never collected, so that none of their code ever runs again.
_immortal: list[Any] = []


def _close(coroutine: Any) -> None:
    """Close a coroutine and what it awaits, even if that swallows GeneratorExit.

    From the inside out: closed from the outside, one that goes on waiting would be let go of.
    """
    refused = 0
    while chain := _suspended(coroutine):
        if refused > CLOSINGS:
            _immortal.extend(chain)
            return
        innermost = chain[-1]
        try:
            innermost.close()
        except BaseException:
            # It awaited something instead of ending, as `finally` blocks do, or raised.
            refused += innermost.cr_frame is not None


def _suspended(coroutine: Any) -> list[Any]:
    """A coroutine, what it awaits, what that awaits, and so on, as far as it can be closed."""
    chain: list[Any] = []
    while getattr(coroutine, "cr_frame", None) is not None:
        chain.append(coroutine)
        coroutine = coroutine.cr_await
    return chain


def _refused(name: str) -> Callable[..., Any]:
    def refuse(self: DetLoop, *_: Any, **__: Any) -> Any:
        raise ContextError(
            f"workflow code is replayed and cannot use loop.{name}(). "
            'Do it in a function marked "use step" and await that here'
        )

    return refuse


# Everything of a real loop that reaches outside: say so, instead of NotImplementedError.
_REFUSED = """
    run_in_executor call_soon_threadsafe getaddrinfo getnameinfo create_connection
    create_server create_unix_connection create_unix_server create_datagram_endpoint
    connect_accepted_socket start_tls sendfile connect_read_pipe connect_write_pipe
    subprocess_shell subprocess_exec add_reader remove_reader add_writer remove_writer
    sock_recv sock_recv_into sock_recvfrom sock_recvfrom_into sock_sendall sock_sendto
    sock_connect sock_accept sock_sendfile add_signal_handler remove_signal_handler
    run_forever run_until_complete set_default_executor set_task_factory set_debug
    set_exception_handler stop
"""
for _name in _REFUSED.split():
    setattr(DetLoop, _name, _refused(_name))


def _leave_open(generator: Any) -> None:
    """Generators are closed with their run, never by the garbage collector."""


def running() -> DetLoop | None:
    """The loop of the workflow body that is executing right now, None outside of one."""
    loop = _events._get_running_loop()
    return loop if type(loop) is DetLoop else None


def _complaints() -> Callable[[str], None] | None:
    loop = running()
    return loop.complain if loop is not None else None


unawaited.report_to(_complaints)
