"""Streams with a writer of their own: who writes them, until when, and how they end.

A step that returns an asynchronous iterable has succeeded; its worker goes on and writes the items.
Uploads given to `start()` are written by whoever calls it. Such a stream ends in one of three ways,
and a reader can tell them apart: it is closed; it ends with an error; or its writer is gone, which
the next reader notices and turns into the second.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from workflow.authoring import news
from workflow.authoring.chunks import encoded, failed
from workflow.authoring.outflow import pour
from workflow.codec import Codec
from workflow.codec.layers import TAG, plain
from workflow.codec.streams import READABLE, noticed
from workflow.engine.intake import Outgoing, Returned, Spawn, let_go
from workflow.errors import RunEndedError, SerializationError, StreamError, WorldError
from workflow.policy.counting import counted
from workflow.world.port import ENDED, World
from workflow.world.records import ChunkWrite, RunRecord

if TYPE_CHECKING:
    from workflow.engine.worker import Worker

__all__ = ["Pump", "is_wanted", "see_through", "write_out"]

log = logging.getLogger("workflow.engine")

PATIENCE = 3.0  # seconds between tries at most while the world is away
LAST_WORDS = 2.0  # seconds that closing a stream may take when its writer is stopped


class Pump:
    """Writes one stream to its end. `writer` is the id that has a lease meanwhile."""

    def __init__(self, world: World, codec: Codec, writer: str, outgoing: Outgoing) -> None:
        self.world = world
        self.codec = codec
        self.run_id = outgoing.run_id
        self.name = outgoing.name
        self._writer = writer
        self._values = outgoing.values
        self._next = 0
        self._reason = "its writer was stopped"

    async def open(self) -> None:
        """Create the stream, unless nobody takes it any more."""
        with suppress(RunEndedError):
            await self._send(())

    async def run(self) -> BaseException | None:
        """Write the items and close the stream; what broke it off, None if nothing did.

        RunEndedError: nobody takes the rest. Cancelling it closes the stream with an error, too.
        """
        encode = partial(encoded, self.codec, name="result")
        try:
            await pour(self._values, encode, self._send)
            await self._send((), close=True)
        except RunEndedError as error:
            return error
        except asyncio.CancelledError:
            try:
                async with asyncio.timeout(LAST_WORDS):
                    await self.refuse(self._reason)
            except TimeoutError:
                pass  # readers notice that the writer is gone
            raise
        except Exception as error:
            log.warning("the stream %s of %s broke off: %r", self.name, self.run_id, error)
            await self._break_off(error)
            return error
        finally:
            await let_go(self._values)
        return None

    async def refuse(self, reason: str) -> None:
        """Close the stream with an error that names the reason."""
        await self._break_off(
            StreamError(f"{reason}; {counted(self._next, 'value')} had been written")
        )

    async def give_up(self, reason: str) -> None:
        """The same, for one whose items nobody will ask for."""
        await let_go(self._values)
        await self.refuse(reason)

    def stop(self, task: asyncio.Task[Any], reason: str) -> None:
        """Cancel `task`, in which this runs."""
        self._reason = reason
        task.cancel()

    async def _break_off(self, error: BaseException) -> None:
        with suppress(RunEndedError):  # it is closed already
            await self._send((failed(self.codec, error),), close=True)

    async def _send(self, chunks: tuple[bytes, ...], close: bool = False) -> None:
        """Write; while the world is away, look whether it is in before trying again."""
        write = ChunkWrite(
            run_id=self.run_id,
            stream=self.name,
            step_id="",
            attempt=0,
            worker=self._writer,
            chunks=chunks,
            close=close,
            own=True,
        )
        delay = 0.1
        doubtful = False
        while not (doubtful and await self._is_in(len(chunks), close)):
            try:
                if await self.world.write_chunks(write) is None:
                    raise RunEndedError(f"{self.run_id} is not there any more")
                break
            except WorldError as error:
                doubtful = True
                log.warning("%s: %s; trying again in %.1f s", self.name, error, delay)
                await asyncio.sleep(delay)
                delay = min(delay * 2, PATIENCE)
        self._next += len(chunks)
        news.tell(self.run_id, self.name)

    async def _is_in(self, count: int, close: bool) -> bool:
        try:
            page = await self.world.read_chunks(self.run_id, self.name, 0, 0)
        except WorldError:
            return False  # the write that follows fails the same way
        return page.next == self._next + count and page.closed >= close


def write_out(worker: Worker, returned: Returned | None, *, recorded: bool) -> None:
    """Have `worker` write the streams that a step has returned; end them, if its result was not
    recorded."""
    if returned is None:
        return
    for each in returned.streams:
        pump = Pump(worker.world, worker.codec, worker.id, each)
        if recorded:
            writing = see_through(pump, returned.spawn, worker.lease / 3, worker.beat_if_silent)
            worker.spawn(writing, f"stream {each.name}")
        else:
            worker.spawn(pump.give_up("this result of the step does not count"), each.name)


async def see_through(
    pump: Pump,
    spawn: Spawn,
    every: float,
    beat: Callable[[], Awaitable[Any]],
) -> BaseException | None:
    """Run a pump to its end, or until nobody can want its stream any more; what `run` returns.

    That is looked at every so many seconds, and `beat` is called as often.
    """
    task = spawn(pump.run(), f"stream {pump.name}")
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=every)
            if task.done():
                break
            try:
                await beat()
                run = await pump.world.get_run(pump.run_id)
                if not is_wanted(run, pump.name, pump.codec):
                    pump.stop(task, f"{pump.run_id} has ended and nobody has this stream")
            except WorldError as error:
                log.warning("cannot look after the stream %s: %s", pump.name, error)
        return None if task.cancelled() else await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def is_wanted(run: RunRecord | None, name: str, codec: Codec) -> bool:
    """Whether anybody can still want a stream: its run is open, or has it in its result."""
    if run is None:
        return False
    if run.status not in ENDED:
        return True
    if run.status != "completed":
        return False
    try:
        data = plain(run.output or b"")
        if data.startswith(TAG) and name.encode() not in data:
            return False  # making the value of a large result would take its time
        with noticed() as found:
            codec.decode(data)
    except SerializationError:
        return True  # of another build, or with a key that is not here: others may read it
    return any(stream.name == name and stream.tag == READABLE for stream in found)
