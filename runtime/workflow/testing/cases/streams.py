"""Streams: chunks of attempts, of others' runs, and of writers of their own."""

from __future__ import annotations

import asyncio
from typing import Any

from workflow.errors import RunEndedError, WorkflowRunNotFoundError
from workflow.testing.cases.bench import Bench, Cases, raises, scenario, task
from workflow.world.port import OWN_STREAM
from workflow.world.records import ChunkWrite, RunRecord

__all__ = ["OwnStreamCases", "StreamCases"]

OWN = f"{OWN_STREAM}1"


class StreamCases(Cases):
    """`write_chunks`, `read_chunks` and `list_streams`."""

    def _chunks(self, run: RunRecord, *data: bytes, **more: Any) -> ChunkWrite:
        fields = {"stream": "s", "step_id": "s1", "attempt": 1, "fence": run.fence, **more}
        worker = fields.pop("worker", run.owner)
        return ChunkWrite(run_id=run.run_id, worker=worker, chunks=data, **fields)

    @scenario
    async def test_indices(self, b: Bench) -> None:
        """Chunks get indices without gaps per stream, and keep who wrote them."""
        run = await b.own()
        assert await b.world.write_chunks(self._chunks(run, b"a", b"b")) == 0
        assert await b.world.write_chunks(self._chunks(run, b"c", attempt=2)) == 2
        assert await b.world.write_chunks(self._chunks(run, b"x", stream="other")) == 0
        page = await b.world.read_chunks("run", "s", 0, 10)
        assert [(c.index, c.data, c.attempt) for c in page.chunks] == [
            (0, b"a", 1),
            (1, b"b", 1),
            (2, b"c", 2),
        ]
        assert (page.next, page.closed, page.chunks[0].step_id) == (3, False, "s1")
        assert await b.world.list_streams("run") == ("other", "s")

    @scenario
    async def test_concurrent_writers(self, b: Bench) -> None:
        """Chunks written at the same time never share an index."""
        run = await b.own()
        writes = [self._chunks(run, b"x", b"y", step_id=f"s{n}") for n in range(10)]
        firsts = await asyncio.gather(*map(b.world.write_chunks, writes))
        assert sorted(first or 0 for first in firsts) == list(range(0, 20, 2))
        page = await b.world.read_chunks("run", "s", 0, 100)
        assert [chunk.index for chunk in page.chunks] == list(range(20))

    @scenario
    async def test_pages(self, b: Bench) -> None:
        """A read starts at an index, holds at most `limit` chunks, and tells where the end is."""
        run = await b.own()
        await b.world.write_chunks(self._chunks(run, b"a", b"b", b"c"))
        page = await b.world.read_chunks("run", "s", 1, 1)
        assert ([chunk.data for chunk in page.chunks], page.next) == ([b"b"], 3)
        page = await b.world.read_chunks("run", "s", 3, 1)
        assert (page.chunks, page.next, page.closed) == ((), 3, False)
        page = await b.world.read_chunks("run", "never written", 0, 1)
        assert (page.chunks, page.next, page.closed) == ((), 0, False)
        with raises(WorkflowRunNotFoundError):
            await b.world.read_chunks("nobody", "s", 0, 1)

    @scenario
    async def test_stale_inline_writer(self, b: Bench) -> None:
        """Under another fence or from another worker nothing is written."""
        run = await b.own()
        assert await b.world.write_chunks(self._chunks(run, b"x", fence=run.fence - 1)) is None
        assert await b.world.write_chunks(self._chunks(run, b"x", worker="bob")) is None
        assert await b.world.list_streams("run") == ()

    @scenario
    async def test_stale_task_writer(self, b: Bench) -> None:
        """A task's attempt writes while it is the current one, and nothing afterwards."""
        run = await b.with_tasks(task("s1"))
        await b.claim_task("ann")
        attempt = {"fence": None, "worker": "ann"}
        assert await b.world.write_chunks(self._chunks(run, b"a", **attempt)) == 0
        assert await b.world.write_chunks(self._chunks(run, b"x", **attempt, attempt=2)) is None
        await b.world.leave("ann")
        await b.claim_task("bob")
        assert await b.world.write_chunks(self._chunks(run, b"x", **attempt)) is None
        again = {"fence": None, "worker": "bob", "attempt": 2}
        assert await b.world.write_chunks(self._chunks(run, b"b", **again)) == 1

    @scenario
    async def test_closed_stream(self, b: Bench) -> None:
        """A closed stream reads as closed and takes nothing more."""
        run = await b.own()
        assert await b.world.write_chunks(self._chunks(run, b"a", close=True)) == 0
        assert (await b.world.read_chunks("run", "s", 0, 9)).closed
        with raises(RunEndedError):
            await b.world.write_chunks(self._chunks(run, b"b"))
        assert (await b.world.read_chunks("run", "s", 0, 9)).next == 1

    @scenario
    async def test_streams_of_ended_run(self, b: Bench) -> None:
        """Streams of a run that has ended read as closed and take nothing more."""
        run = await b.own()
        await b.world.write_chunks(self._chunks(run, b"a"))
        await b.end(run)
        with raises(RunEndedError):
            await b.world.write_chunks(self._chunks(run, b"b"))
        page = await b.world.read_chunks("run", "s", 0, 9)
        assert (page.next, page.closed) == (1, True)
        assert (await b.world.read_chunks("run", "never written", 0, 9)).closed

    @scenario
    async def test_stream_of_another_run(self, b: Bench) -> None:
        """An attempt may write to another run's stream while both are what they have to be."""
        child = await b.own("child")
        parent = await b.own("parent")
        assert await b.world.write_chunks(self._chunks(child, b"a", of="parent")) == 0
        stale = self._chunks(child, b"x", of="parent", fence=child.fence - 1)
        assert await b.world.write_chunks(stale) is None
        assert await b.world.write_chunks(self._chunks(child, b"x", of="nobody")) is None
        assert await b.world.list_streams("child") == ()
        page = await b.world.read_chunks("parent", "s", 0, 9)
        assert [chunk.data for chunk in page.chunks] == [b"a"]
        await b.end(child)
        assert await b.world.write_chunks(self._chunks(child, b"x", of="parent")) is None
        other = await b.own("other")
        await b.end(parent)
        with raises(RunEndedError):
            await b.world.write_chunks(self._chunks(other, b"x", of="parent"))

    @scenario
    async def test_cut_streams(self, b: Bench) -> None:
        """A reader is told whether a writer has closed a stream, or only the end of the run."""
        run = await b.own()
        await b.world.write_chunks(self._chunks(run, b"a", close=True))
        await b.world.write_chunks(self._chunks(run, b"a", stream="left open"))
        assert not (await b.world.read_chunks("run", "left open", 0, 9)).cut
        await b.end(run)
        assert not (await b.world.read_chunks("run", "s", 0, 9)).cut
        assert (await b.world.read_chunks("run", "left open", 0, 9)).cut
        assert (await b.world.read_chunks("run", "never written", 0, 9)).cut


class OwnStreamCases(Cases):
    """Streams that one writer of their own writes, which is no attempt of a step."""

    def _own(self, *data: bytes, **more: Any) -> ChunkWrite:
        fields = {"run_id": "run", "stream": OWN, "worker": "ann", **more}
        return ChunkWrite(step_id="", attempt=0, chunks=data, own=True, **fields)

    def _opening(self, run: RunRecord) -> ChunkWrite:
        owner = run.owner or ""
        return ChunkWrite(
            run_id=run.run_id, stream=OWN, step_id="s", attempt=1, worker=owner, fence=run.fence
        )

    @scenario
    async def test_own_stream_needs_no_attempt(self, b: Bench) -> None:
        """Its chunks are taken whoever owns the run, until it is closed."""
        await b.with_tasks(task("s1"))
        assert await b.world.write_chunks(self._own(b"a", b"b")) == 0
        assert await b.world.write_chunks(self._own(b"c", close=True)) == 2
        with raises(RunEndedError):
            await b.world.write_chunks(self._own(b"x"))
        page = await b.world.read_chunks("run", OWN, 0, 9)
        assert [(c.data, c.step_id, c.attempt) for c in page.chunks] == [
            (b"a", "", 0),
            (b"b", "", 0),
            (b"c", "", 0),
        ]
        assert (page.closed, page.cut) == (True, False)
        assert await b.world.write_chunks(self._own(b"x", run_id="nobody")) is None

    @scenario
    async def test_opened_stream(self, b: Bench) -> None:
        """A stream that an attempt opens without a chunk is there, empty and open."""
        run = await b.own()
        assert await b.world.write_chunks(self._opening(run)) == 0
        assert await b.world.list_streams("run") == (OWN,)
        page = await b.world.read_chunks("run", OWN, 0, 9)
        assert (page.chunks, page.next, page.closed) == ((), 0, False)

    @scenario
    async def test_own_stream_outlives_a_completed_run(self, b: Bench) -> None:
        """One that was there goes on, as it may be the result; none begins any more."""
        run = await b.own()
        await b.world.write_chunks(self._opening(run))
        await b.end(run)
        assert not (await b.world.read_chunks("run", OWN, 0, 9)).closed
        assert await b.world.write_chunks(self._own(b"a")) == 0
        assert await b.world.write_chunks(self._own(close=True)) == 1
        page = await b.world.read_chunks("run", OWN, 0, 9)
        assert (page.next, page.closed, page.cut) == (1, True, False)
        late = f"{OWN_STREAM}late"
        with raises(RunEndedError):
            await b.world.write_chunks(self._own(b"x", stream=late))
        page = await b.world.read_chunks("run", late, 0, 9)
        assert (page.closed, page.cut) == (True, True)

    @scenario
    async def test_other_ends_cut_own_streams(self, b: Bench) -> None:
        """A run that has failed takes nothing more, and its open streams read as cut."""
        run = await b.own()
        await b.world.write_chunks(self._opening(run))
        await b.world.write_chunks(self._own(b"a"))
        await b.end(run, end="failed", error_code="x")
        with raises(RunEndedError):
            await b.world.write_chunks(self._own(b"x"))
        page = await b.world.read_chunks("run", OWN, 0, 9)
        assert (page.next, page.closed, page.cut) == (1, True, True)
