"""Handles of runs: what `start` and `get_run` return."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

import msgspec

from workflow.authoring.context import moment
from workflow.authoring.streams import DEFAULT_STREAM
from workflow.codec import Codec
from workflow.engine import endings
from workflow.engine.control import cancel, post, terminate
from workflow.errors import (
    InternalError,
    WorkflowRunCancelledError,
    WorkflowRunNotFoundError,
)
from workflow.policy.durations import seconds_of
from workflow.replay.children import failure_of
from workflow.world.port import World
from workflow.world.records import Letter, RunRecord, Status

__all__ = ["Readable", "Run"]

T = TypeVar("T")
V = TypeVar("V")

BETWEEN_READS = 25_000  # microseconds between two looks at a run that others may end
STILL_HERE = 0.25  # seconds until a run of a worker of this process is looked at all the same


class Reading(Generic[V]):
    """A value that is read when awaited, afresh each time."""

    def __init__(self, read: Callable[[], Awaitable[V]]) -> None:
        self._read = read

    def __await__(self) -> Generator[Any, Any, V]:
        return self._read().__await__()


class Readable(Generic[V]):
    """The reading end of a stream: `async for` gives every value, waiting for those to come.

    It ends when the stream is closed, which the end of the run does at the latest. Each iteration
    starts at `start_index` (negative: counted from the present end).
    """

    def __init__(self, world: World, codec: Codec, run_id: str, name: str, start: int) -> None:
        self._world = world
        self._codec = codec
        self._run_id = run_id
        self._name = name
        self._start = start

    async def __aiter__(self) -> AsyncIterator[V]:
        async for _, value in self.indexed():
            yield value

    async def indexed(self) -> AsyncIterator[tuple[int, V]]:
        """The values with their indices, which a reader can come back with as `start_index`."""
        change = 0
        index = self._start
        if index < 0:
            page = await self._world.read_chunks(self._run_id, self._name, 0, 0)
            index = max(0, page.next + index)
        while True:
            change = await self._world.wait_for_change(change, None)
            while True:
                page = await self._world.read_chunks(self._run_id, self._name, index, 256)
                for chunk in page.chunks:
                    index = chunk.index + 1
                    yield chunk.index, self._codec.decode(chunk.data)
                if not page.chunks:
                    break
            if page.closed:
                return

    async def get_tail_index(self) -> int:
        """The index of the last value written so far, -1 when there is none."""
        page = await self._world.read_chunks(self._run_id, self._name, 0, 0)
        return page.next - 1


class Run(Generic[T]):
    """One run. Its properties are read from the world each time they are awaited.

    Awaiting the run itself is awaiting `return_value`.
    """

    def __init__(self, world: World, codec: Codec, run_id: str) -> None:
        self._world = world
        self._codec = codec
        self.run_id = run_id

    def __repr__(self) -> str:
        return f"<Run {self.run_id}>"

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
        """`pending`, `running`, `completed`, `failed` or `cancelled`."""
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

    def get_readable(self, *, namespace: str | None = None, start_index: int = 0) -> Readable[Any]:
        """A stream of the run from `start_index`; negative counts from the present end."""
        return Readable(
            self._world, self._codec, self.run_id, namespace or DEFAULT_STREAM, start_index
        )

    async def result(self, timeout: str | float | timedelta | None = None) -> T:
        """As `return_value`, raising TimeoutError after `timeout`; the run goes on."""
        async with asyncio.timeout(None if timeout is None else seconds_of(timeout)):
            return await self._result()

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

        Raises RunEndedError, WorkflowRunNotFoundError.
        """
        meta = msgspec.json.encode(list(correlation_ids)) if correlation_ids else None
        await post(self._world, self.run_id, Letter(kind="wake", meta=meta))

    async def resume(self) -> bool:
        """Let a parked run go on. False when it was not parked."""
        await self._record()
        return await self._world.unpark(self.run_id)

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
        with endings.watch(self.run_id) as ended:
            while True:
                ended.clear()
                run = await self._record()
                if run.completed_at is not None:
                    return await self._outcome(run)
                if endings.is_here(self.run_id):
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(ended.wait(), STILL_HERE)
                    continue
                read_at = self._world.now()
                change = await _either(ended, self._world.wait_for_change(change, None)) or change
                pause = (read_at + BETWEEN_READS - self._world.now()) / 1_000_000
                if pause > 0:  # commits come thick and fast; our own end would be told
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(ended.wait(), pause)

    async def _outcome(self, run: RunRecord) -> T:
        match run.status:
            case "completed":
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
