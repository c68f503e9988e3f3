"""The reading end of a run's streams."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from workflow.authoring import news
from workflow.authoring.attempts import Attempts
from workflow.authoring.chunks import Paging, broken, failure, values_before
from workflow.authoring.sources import Source, bound_source, source_here
from workflow.authoring.writers import WriterOf
from workflow.codec.streams import READABLE, StreamReference
from workflow.errors import StreamError
from workflow.policy.counting import counted
from workflow.world.port import OWN_STREAM

if TYPE_CHECKING:
    from workflow.world.records import Chunk, ChunkPage

__all__ = ["Readable", "StreamChunk", "StreamPage"]

T = TypeVar("T")
V = TypeVar("V")

LOOK = 2_000_000  # microseconds between two looks whether the writer of a silent stream is there
MOST = 1000  # chunks of a page
_CURSOR = re.compile("[0-9]{1,100}")
LAST = 2**63 - 1  # the highest index that worlds can count to


@dataclass(frozen=True)
class StreamChunk(Generic[V]):
    """One value of a stream. `step_id` and `attempt` say who wrote it; "" and 0: no step did."""

    index: int
    value: V
    step_id: str
    attempt: int


@dataclass(frozen=True)
class StreamPage(Generic[V]):
    """Some values of a stream. `cursor` leads to the next page.

    `has_more`: the next page is not empty now. `done`: the stream is closed, and this was all of
    it; `cursor` is None then.
    """

    chunks: tuple[StreamChunk[V], ...]
    cursor: str | None
    has_more: bool
    done: bool


class Readable(StreamReference, Generic[V], tag=READABLE):
    """The reading end of a stream: `async for` gives every value, waiting for those to come.

    It is a value: steps take and return it, workflows pass it on, and the result of a run may hold
    it. Only steps and applications read it. Iterating ends when the stream is closed, and raises
    StreamError when it broke off. Each iteration starts at the first value, or at the index that
    `get_readable` or `from_index` was given.
    """

    def __init__(
        self,
        run_id: str,
        name: str,
        start: int = 0,
        writer: str = "",
        *,
        source: Source | None = None,
        skip_failed: bool = False,
    ) -> None:
        super().__init__(run_id, name, start, writer)
        self._source = source or bound_source()
        self._skip_failed = skip_failed
        self._values: AsyncIterable[V] | None = None

    @staticmethod
    def of(values: AsyncIterable[T]) -> Readable[T]:
        """A stream of the items of `values`, for a step to return or `start()` to take.

        It is written when it is returned or given to `start()`; before, iterating it iterates
        `values` themselves.
        """
        if not hasattr(type(values), "__aiter__"):
            raise TypeError(f"Readable.of() takes an asynchronous iterable, not {values!r}")
        made: Readable[T] = Readable("", "")
        made._values = values
        return made

    def from_index(self, start_index: int) -> Readable[V]:
        """The same stream from `start_index`; negative counts from the present end.

        Raises TypeError for what is no whole number, and for a stream that is not written yet.
        """
        if not isinstance(start_index, int):
            raise TypeError(f"start_index is a whole number, not {start_index!r:.80}")
        self._refuse_unwritten()
        return Readable(
            self.run_id,
            self.name,
            start_index,
            self.writer,
            source=self._source,
            skip_failed=self._skip_failed,
        )

    async def __aiter__(self) -> AsyncIterator[V]:
        if self._values is not None:
            async for value in self._values:
                yield value
            return
        async for chunk in self.chunks():
            yield chunk.value

    async def indexed(self) -> AsyncIterator[tuple[int, V]]:
        """The values with their indices, which a reader can come back with as `start_index`."""
        async for chunk in self.chunks():
            yield chunk.index, chunk.value

    async def chunks(self) -> AsyncIterator[StreamChunk[V]]:
        """The values with who wrote them. Raises as iterating does."""
        source = self._here()
        if not self._skip_failed:
            async for chunk in self._written(source):
                yield self._made(chunk, source)
            return
        attempts = Attempts(source.world, self.run_id, self.name)
        async for chunk in self._written(source):
            if await attempts.wrote(chunk):
                yield self._made(chunk, source)

    async def get_tail_index(self) -> int:
        """The index of the last value written so far, -1 when there is none."""
        source = self._here()
        return await self._count(source) - 1

    async def get_chunks(self, *, limit: int = 100, cursor: str | None = None) -> StreamPage[V]:
        """A page of up to `limit` values (at most 1000), from `cursor` of the page before on.

        It does not wait: while the stream is open a page may be empty, and its cursor is good to
        ask again with. Raises ValueError for a cursor of anything else, StreamError in the place
        where the stream broke off.
        """
        size: object = limit
        if not isinstance(size, int) or not 0 < size <= MOST:
            raise ValueError(f"a page has 1 to {MOST} values, not {limit!r:.80}")
        source = self._here()
        if cursor is None:
            first = await self._first(source)
        elif _CURSOR.fullmatch(str(cursor)) and cursor == str(cursor):
            first = min(int(cursor), LAST)
        else:
            raise ValueError(f"{cursor!r:.80} is not the cursor of a page of a stream")
        made: list[StreamChunk[V]] = []
        paging = Paging()
        while True:
            room = min(limit - len(made), paging.size)
            page = await source.world.read_chunks(self.run_id, self.name, first, room)
            for chunk in page.chunks:
                if made and failure(chunk.data) is not None:
                    return StreamPage(tuple(made), str(first), has_more=True, done=False)
                self._refuse_failure(chunk, source)
                made.append(self._made(chunk, source))
                first = chunk.index + 1
            paging.saw(page)
            if len(made) == limit or first >= page.next:
                break
        more = first < page.next
        if page.closed and not more:
            if self._is_cut(page):
                if not made:
                    raise self._cut_off()
                return StreamPage(tuple(made), str(first), has_more=False, done=False)
            return StreamPage(tuple(made), None, has_more=False, done=True)
        return StreamPage(tuple(made), str(first), has_more=more, done=False)

    # -- as a value ----------------------------------------------------------------------------

    def waiting(self) -> AsyncIterable[Any] | None:
        """The items that are not written yet."""
        return self._values

    def written_as(self, reference: StreamReference) -> None:
        """From now on this is the stream that its items are written to."""
        self.run_id, self.name, self.writer = reference.run_id, reference.name, reference.writer
        self._values = None

    # -- reading -------------------------------------------------------------------------------

    def _here(self) -> Source:
        source = source_here(self._source)
        self._refuse_unwritten()
        return source

    def _refuse_unwritten(self) -> None:
        if self._values is not None:
            raise TypeError("this stream is not written yet: return it from a step, or start() it")

    async def _written(self, source: Source) -> AsyncIterator[Chunk]:
        """The chunks from `start` on, as they come, until the stream is closed."""
        with news.watch(self.run_id, self.name) as watch:
            async for chunk in self._watched(source, watch):
                yield chunk

    async def _watched(self, source: Source, watch: news.Watch) -> AsyncIterator[Chunk]:
        world = source.world
        index = await self._first(source)
        paging = Paging()
        change = 0
        watched = self.name.startswith(OWN_STREAM)
        writer = WriterOf(source, self.run_id, self.name)
        look = world.now() + LOOK
        while True:
            change = await world.wait_for_change(change, look if watched else None)
            watch.looks()
            before = index
            while True:
                page = await world.read_chunks(self.run_id, self.name, index, paging.size)
                for chunk in page.chunks:
                    self._refuse_failure(chunk, source)
                    index = chunk.index + 1
                    look = world.now() + LOOK
                    yield chunk
                paging.saw(page)
                if index >= page.next:
                    break
                await asyncio.sleep(0)  # a world in this process reads without a pause
            if page.closed:
                if self._is_cut(page):
                    raise self._cut_off()
                return
            if watched and world.now() >= look:
                look = world.now() + LOOK
                self.writer = self.writer or await writer.find()  # it was opened by its name
                if self.writer and await broken(source, self, index):
                    change = 0  # what there is to read has changed
                    continue
            if index > before:
                watch.found()
            else:
                await watch.rest()

    async def _first(self, source: Source) -> int:
        if self.start >= 0:
            return min(self.start, LAST)
        return max(0, await self._count(source) + self.start)

    async def _count(self, source: Source) -> int:
        page = await source.world.read_chunks(self.run_id, self.name, 0, 0)
        return await values_before(source.world, self.run_id, self.name, page)

    def _made(self, chunk: Chunk, source: Source) -> StreamChunk[V]:
        value = source.codec.decode(chunk.data, path=f"{self.name}[{chunk.index}]")
        return StreamChunk(chunk.index, cast(V, value), chunk.step_id, chunk.attempt)

    def _refuse_failure(self, chunk: Chunk, source: Source) -> None:
        data = failure(chunk.data)
        if data is None:
            return
        cause = source.codec.decode_error(data)
        if type(cause) is StreamError:
            raise cause
        raise StreamError(
            f"the stream broke off after {counted(chunk.index, 'value')}: "
            f"{type(cause).__name__}: {cause}"
        ) from cause

    def _is_cut(self, page: ChunkPage) -> bool:
        """Whether the end of the run cut the stream off before its writer was done."""
        return page.cut and self.name.startswith(OWN_STREAM)

    def _cut_off(self) -> Exception:
        return StreamError(f"{self.run_id} ended before this stream was written to its end")
