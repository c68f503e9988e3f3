"""Handles of runs: what `start` and `get_run` return."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar, overload

import msgspec

from workflow.authoring.context import moment
from workflow.authoring.readable import Readable
from workflow.authoring.sources import Source, bound
from workflow.authoring.streams import stream_name
from workflow.codec import Codec
from workflow.engine import endings, nobody
from workflow.engine.actions import PendingAction, answer, pending
from workflow.engine.control import cancel, post, terminate
from workflow.errors import (
    InternalError,
    WorkflowRunCancelledError,
    WorkflowRunNotCompletedError,
    WorkflowRunNotFoundError,
)
from workflow.policy.durations import seconds_of
from workflow.replay.children import failure_of
from workflow.waiting import is_set_within
from workflow.world.port import World
from workflow.world.records import Letter, RunRecord, Status

__all__ = ["Readable", "Run"]

T = TypeVar("T")
V = TypeVar("V")

_MISSING: Any = object()

# Microseconds between two looks at a run that others may end. The first look after a quiet time
# costs nothing to anybody; in a storm of commits the looks become rarer.
SOON, BETWEEN_READS = 1_000, 25_000
STILL_HERE = 0.25  # seconds until a run of a worker of this process is looked at all the same


class Reading(Generic[V]):
    """A value that is read when awaited, afresh each time."""

    def __init__(self, read: Callable[[], Awaitable[V]]) -> None:
        self._read = read

    def __await__(self) -> Generator[Any, Any, V]:
        return self._read().__await__()


class Run(Generic[T]):
    """One run. Its properties are read from the world each time they are awaited.

    Awaiting the run itself is awaiting `return_value`.
    """

    def __init__(self, world: World, codec: Codec, run_id: str) -> None:
        self._world = world
        self._codec = codec
        self._source = Source(world, codec)
        self.run_id = run_id

    def __repr__(self) -> str:
        return f"<Run {self.run_id}>"

    def __eq__(self, other: object) -> bool:
        """Handles of one run are equal."""
        return isinstance(other, Run) and other.run_id == self.run_id

    def __hash__(self) -> int:
        return hash(self.run_id)

    def __await__(self) -> Generator[Any, Any, T]:
        return self._result().__await__()

    @property
    def exists(self) -> Reading[bool]:
        """Whether the world knows this run."""

        async def read() -> bool:
            return await self._world.get_run(self.run_id) is not None

        return Reading(read)

    @property
    def status(self) -> Reading[Status]:
        """`pending`, `running`, `paused`, `completed`, `failed` or `cancelled`.

        `paused`: it waits for answers to pending actions, and for nothing else.
        """
        return self._of(lambda run: run.status)

    @property
    def workflow_name(self) -> Reading[str]:
        """The workflow's function name, without its path."""
        return self._of(lambda run: run.workflow.rpartition("//")[2])

    @property
    def created_at(self) -> Reading[datetime]:
        return self._of(lambda run: moment(run.created_at))

    @property
    def started_at(self) -> Reading[datetime | None]:
        return self._of(lambda run: _moment(run.started_at))

    @property
    def completed_at(self) -> Reading[datetime | None]:
        """When it ended, in whatever way; None while it is open."""
        return self._of(lambda run: _moment(run.completed_at))

    @property
    def attributes(self) -> Reading[dict[str, str]]:
        return self._of(lambda run: dict(run.attributes))

    @property
    def deadline(self) -> Reading[datetime | None]:
        """By when it has to be done, as it was started; None without such a time."""

        async def read() -> datetime | None:
            await self._record()
            (first,) = await self._world.list_events(self.run_id, limit=1)
            return _moment(msgspec.json.decode(first.meta or b"{}").get("deadline"))

        return Reading(read)

    @property
    def pending_actions(self) -> Reading[tuple[PendingAction, ...]]:
        """The questions that the run asks and nobody has answered, the oldest first."""
        return Reading(lambda: pending(self._world, self.run_id))

    @property
    def pending_action(self) -> Reading[PendingAction | None]:
        """The oldest of the pending actions, None when there is none."""

        async def read() -> PendingAction | None:
            return next(iter(await pending(self._world, self.run_id)), None)

        return Reading(read)

    @property
    def return_value(self) -> Reading[T]:
        """The result, waiting for the end of the run.

        Raises WorkflowRunFailedError (`__cause__` is the body's error) or
        WorkflowRunCancelledError.
        """
        return Reading(self._result)

    @property
    def readable(self) -> Readable[Any]:
        """The default stream from its beginning."""
        return self.get_readable()

    @overload
    def get_readable(
        self,
        type: None = None,
        *,
        namespace: str | None = None,
        start_index: int = 0,
        skip_failed: bool = False,
    ) -> Readable[Any]: ...
    @overload
    def get_readable(
        self,
        type: type[V],
        *,
        namespace: str | None = None,
        start_index: int = 0,
        skip_failed: bool = False,
    ) -> Readable[V]: ...
    def get_readable(
        self,
        type: Any = None,
        *,
        namespace: str | None = None,
        start_index: int = 0,
        skip_failed: bool = False,
    ) -> Readable[Any]:
        """A stream of the run from `start_index`; negative counts from the present end.

        `type` only tells type checkers what is in it; `get_writable` checks what is written. With
        `skip_failed`, what attempts of steps wrote that then failed is left out; each value comes
        when the attempt that wrote it has succeeded. Raises TypeError for a `namespace` that is no
        text and a `start_index` that is no whole number, ValueError for a `namespace` that no
        stream can have.
        """
        if isinstance(type, str):
            raise TypeError(f"get_readable() takes a type; the stream's name is namespace={type!r}")
        name = stream_name(namespace)
        if isinstance(start_index, bool) or not isinstance(start_index, int):
            raise TypeError(f"start_index= is a whole number, not {start_index!r:.80}")
        return Readable(
            self.run_id,
            name,
            start_index,
            source=self._source,
            skip_failed=skip_failed,
        )

    async def result(self, timeout: str | float | timedelta | None = None) -> T:
        """As `return_value`, raising WorkflowRunNotCompletedError, which is a TimeoutError, after
        `timeout`; the run goes on."""
        if timeout is None:
            return await self._result()
        seconds = seconds_of(timeout, "timeout= of run.result()")
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                return await self._result()
        except TimeoutError:
            if not limit.expired():
                raise
        status = await self.status
        raise WorkflowRunNotCompletedError(self.run_id, status, seconds)

    async def cancel(self, reason: str = "") -> None:
        """Ask the body to stop: it sees CancelledError and may clean up durably.

        A parked run, whose body cannot run, ends at once. Raises RunEndedError when the run has
        ended, WorkflowRunNotFoundError.
        """
        await cancel(self._world, self._codec, self.run_id, reason)

    async def terminate(self, reason: str = "") -> None:
        """End the run now, without its body. Raises RunEndedError, WorkflowRunNotFoundError."""
        await terminate(self._world, self._codec, self.run_id, reason)

    async def wake_up(self, *correlation_ids: str) -> None:
        """End the run's durable sleeps now, or only those with the given ids.

        Raises RunEndedError, WorkflowRunNotFoundError, TypeError for an id that is no text.
        """
        for each in correlation_ids:
            if not isinstance(each, str):
                raise TypeError(f"wake_up() takes ids, one by one, not {each!r:.80}")
        meta = msgspec.json.encode(list(correlation_ids)) if correlation_ids else None
        await post(self._world, self.run_id, Letter(kind="wake", meta=meta))

    @overload
    async def resume(self) -> bool: ...
    @overload
    async def resume(self, step: str, input: Any) -> None: ...
    async def resume(self, step: str | None = None, input: Any = _MISSING) -> bool | None:
        """Answer the pending action `step` with `input`; durable on return, and final.

        Raises PendingActionError when the run does not ask that (any more), or when the input is
        none of the options or not of the type; RunEndedError, WorkflowRunNotFoundError,
        SerializationError. Without arguments, let a parked run go on: False when it was not parked.
        """
        if step is None:
            if input is not _MISSING:
                raise TypeError("resume() needs the name of the question that the input answers")
            await self._record()
            return await self._world.unpark(self.run_id)
        if input is _MISSING:
            raise TypeError(f"resume({step!r}) needs the input as well: what answers the question")
        await answer(self._world, self._codec, self.run_id, step, input)
        return None

    # -- inside --------------------------------------------------------------------------------

    def _of(self, pick: Callable[[RunRecord], V]) -> Reading[V]:
        async def read() -> V:
            return pick(await self._record())

        return Reading(read)

    async def _record(self) -> RunRecord:
        run = await self._world.get_run(self.run_id)
        if run is None:
            raise WorkflowRunNotFoundError(self.run_id)
        return run

    async def _result(self) -> T:
        change = 0
        between = SOON
        with endings.watch(self.run_id) as ended, nobody.told(self._world, self.run_id):
            while True:
                ended.clear()
                run = await self._record()
                if run.completed_at is not None:
                    return await self._outcome(run)
                if endings.is_here(self.run_id):
                    await is_set_within(ended, STILL_HERE)
                    continue
                read_at = self._world.now()
                change = await _either(ended, self._world.wait_for_change(change, None)) or change
                waited = self._world.now() - read_at
                between = SOON if waited > BETWEEN_READS else min(2 * between, BETWEEN_READS)
                pause = (between - waited) / 1_000_000
                if pause > 0:  # commits come thick and fast; our own end would be told
                    await is_set_within(ended, pause)

    async def _outcome(self, run: RunRecord) -> T:
        match run.status:
            case "completed":
                with bound(self._source):
                    value: T = self._codec.decode(run.output or b"", path="return value")
                return value
            case "failed":
                cause = self._codec.decode_error(run.output or b"")
                raise failure_of(self.run_id, cause, run.error_code or "")
            case "cancelled":
                raise WorkflowRunCancelledError(self.run_id, await self._reason())
            case _:
                raise InternalError(f"{run.run_id} is {run.status} and has an end")

    async def _reason(self) -> str:
        """Why the run was cancelled, as far as its log says."""
        for event in reversed(await self._world.list_events(self.run_id)):
            if event.meta and event.type in ("run_cancel_requested", "run_cancelled"):
                return str(msgspec.json.decode(event.meta).get("reason", ""))
        return ""


async def _either(event: asyncio.Event, other: Coroutine[Any, Any, V]) -> V | None:
    """Wait for the event or for the coroutine: its value, None if the event was first."""
    first = asyncio.ensure_future(event.wait())
    second = asyncio.ensure_future(other)
    try:
        await asyncio.wait((first, second), return_when=asyncio.FIRST_COMPLETED)
        return second.result() if second.done() else None
    finally:
        first.cancel()
        second.cancel()


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else moment(micros)
