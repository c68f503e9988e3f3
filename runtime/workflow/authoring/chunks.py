"""Chunks of streams: what they hold, how many are read at a time, how a broken stream ends.

A chunk is a value as the codec writes it. A stream that broke off ends with one that is an error,
and says so in its first bytes; worlds know nothing of it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from workflow.authoring.sources import Source
from workflow.codec import Codec
from workflow.codec.streams import StreamReference
from workflow.errors import RunEndedError, SerializationError, StreamError
from workflow.events import Micros
from workflow.policy.counting import counted
from workflow.world.records import ChunkWrite

if TYPE_CHECKING:
    from workflow.world.port import World
    from workflow.world.records import ChunkPage

__all__ = [
    "MAX_CHUNK",
    "Paging",
    "broken",
    "encoded",
    "failed",
    "failure",
    "values_before",
]

MAX_CHUNK = 4 * 1024 * 1024  # bytes of one chunk as it is recorded
BUDGET = 4 * 1024 * 1024  # bytes of a page, about
LARGEST = 64  # chunks of a page
_FAILED = b"fail"
_FRESH = 1_000_000  # microseconds for which a lease that was seen is believed

_seen: dict[str, Micros] = {}  # when the workers of the last listing had a lease; ids are unique


def encoded(codec: Codec, value: object, name: str) -> bytes:
    """The chunk that holds `value`. Raises SerializationError for what is no value or too large."""
    data = codec.encode(value, path=f"{name} stream")
    if len(data) > MAX_CHUNK:
        raise SerializationError(
            f"this value takes {len(data):,} bytes, more than the {MAX_CHUNK:,} of one chunk. "
            "Write it in smaller pieces: readers get one piece at a time",
            path=f"{name} stream",
        )
    return data


def failed(codec: Codec, error: BaseException) -> bytes:
    """The last chunk of a stream that broke off with `error`."""
    return _FAILED + codec.encode_error(error)


def failure(data: bytes) -> bytes | None:
    """The encoded error of such a chunk, None for one that holds a value."""
    return data[len(_FAILED) :] if data.startswith(_FAILED) else None


class Paging:
    """How many chunks to read at a time: few large ones, many small ones."""

    def __init__(self) -> None:
        self.size = 1

    def saw(self, page: ChunkPage) -> None:
        """Learn from what was read."""
        largest = max((len(chunk.data) for chunk in page.chunks), default=1)
        self.size = max(1, min(self.size * 4, BUDGET // largest, LARGEST))


async def values_before(world: World, run_id: str, name: str, page: ChunkPage) -> int:
    """How many values a stream has; the error at its end is none."""
    if page.closed and page.next:
        last = await world.read_chunks(run_id, name, page.next - 1, 1)
        if failure(last.chunks[0].data) is not None:
            return page.next - 1
    return page.next


async def broken(source: Source, stream: StreamReference, seen: int) -> bool:
    """Close a stream whose writer has no lease any more, with an error for all its readers.

    `seen` is the index after the last chunk read. True when there is something to read instead.
    """
    world = source.world
    if await _has_lease(world, stream.writer):
        return False
    page = await world.read_chunks(stream.run_id, stream.name, seen, 1)
    if page.chunks or page.closed:
        return True  # its last words, before it left
    error = StreamError(
        f"the process that wrote this stream is gone; it had written {counted(page.next, 'value')}"
    )
    write = ChunkWrite(
        run_id=stream.run_id,
        stream=stream.name,
        step_id="",
        attempt=0,
        worker=stream.writer,
        chunks=(failed(source.codec, error),),
        close=True,
        own=True,
    )
    with suppress(RunEndedError):  # somebody else was first
        await world.write_chunks(write)
    return True


async def _has_lease(world: World, worker: str) -> bool:
    """Whether a worker is there. Many readers of its streams ask for one listing; that somebody is
    gone is never taken from an old one."""
    now = world.now()
    if 0 <= now - _seen.get(worker, now + 1) < _FRESH:
        return True
    found = {each.worker: now for each in await world.list_workers()}
    _seen.clear()
    _seen.update(found)
    return worker in found
