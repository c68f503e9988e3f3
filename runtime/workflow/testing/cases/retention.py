"""Deleting old runs, and the code that none of them needs."""

from __future__ import annotations

from workflow.errors import WorldError
from workflow.testing.cases.bench import SECOND, Bench, Cases, raises, scenario
from workflow.world.records import ChunkWrite, Letter, NewEvent, NewRun, Parked, RunFilter

__all__ = ["BundleCases", "PruneCases"]


class PruneCases(Cases):
    """`prune`."""

    @scenario
    async def test_only_ended_runs_are_pruned(self, b: Bench) -> None:
        """A run goes when it ended before the time, however old open ones are."""
        await b.start("open")
        owned = await b.own("late")
        await b.end(await b.own("old"))
        b.clock.advance(SECOND)
        await b.end(owned)
        assert await b.world.prune(b.clock.now()) == ("old",)
        assert await b.world.prune(b.clock.now()) == ()
        left = {run.run_id for run in (await b.world.list_runs(RunFilter())).items}
        assert left == {"open", "late"}
        assert await b.world.prune(b.clock.now() + 1) == ("late",)

    @scenario
    async def test_pruned_by_status(self, b: Bench) -> None:
        """Only runs that ended in one of the given ways are pruned."""
        await b.end(await b.own("good"))
        await b.end(await b.own("bad"), end="failed", error_code="user-error")
        await b.start("stopped")
        event = NewEvent(type="run_cancelled", at=b.clock.now())
        assert await b.world.terminate("stopped", event, b"", "terminated")
        b.clock.advance(SECOND)
        assert await b.world.prune(b.clock.now(), ["failed"]) == ("bad",)
        assert await b.world.prune(b.clock.now(), []) == ()
        await b.start("open")
        b.clock.advance(1)
        assert await b.world.prune(b.clock.now(), ["pending", "running", "paused"]) == ()
        rest = await b.world.prune(b.clock.now(), ["completed", "cancelled"])
        assert set(rest) == {"good", "stopped"}

    @scenario
    async def test_pruned_in_portions(self, b: Bench) -> None:
        """`limit` bounds a call, the runs created first go first; a dry run deletes nothing."""
        for n in range(5):
            await b.end(await b.own(f"r{n}"))
            b.clock.advance(SECOND)
        now = b.clock.now()
        assert await b.world.prune(now, limit=9, dry_run=True) == ("r0", "r1", "r2", "r3", "r4")
        assert await b.world.prune(now, limit=2) == ("r0", "r1")
        assert await b.world.prune(now, limit=2) == ("r2", "r3")
        assert await b.world.prune(now, limit=2) == ("r4",)

    @scenario
    async def test_pruned_run_leaves_nothing(self, b: Bench) -> None:
        """Nothing of a pruned run is left, and its id and its keys can be used again."""
        run = await b.own("run", idempotency_key="key")
        chunks = ChunkWrite(
            run_id="run", stream="s", step_id="s1", attempt=1, worker="ann", fence=run.fence,
            chunks=(b"old",),
        )  # fmt: skip
        assert await b.world.write_chunks(chunks) == 0
        await b.world.post("run", Letter(kind="wake", dedupe="once"))
        await b.end(await b.run("run"))
        b.clock.advance(SECOND)
        assert await b.world.prune(b.clock.now()) == ("run",)
        assert await b.everything() == (None, (), (), (), ())
        assert await b.world.list_streams("run") == ()
        assert (await b.world.post("run", Letter(kind="wake"))).outcome == "missing"
        again = NewRun(
            run_id="run", workflow="flow", input=b"new", meta=b"{}", idempotency_key="key"
        )
        assert (await b.world.create(again)).created
        assert (await b.run("run")).input == b"new"
        assert await b.world.list_letters("run") == ()
        assert (await b.world.post("run", Letter(kind="wake", dedupe="once"))).outcome == "posted"
        assert await b.claim() == ["run"]
        page = await b.world.read_chunks("run", "s", 0, 9)
        assert (page.chunks, page.next) == ((), 0)

    @scenario
    async def test_prune_closed(self, b: Bench) -> None:
        """A limit of nothing deletes nothing; a world that is closed says so."""
        await b.end(await b.own("run"))
        b.clock.advance(SECOND)
        assert await b.world.prune(b.clock.now(), limit=0) == ()
        await b.world.close()
        with raises(WorldError):
            await b.world.prune(b.clock.now())
        await b.world.open()


class BundleCases(Cases):
    """`put_bundle`, `get_bundle` and `prune_bundles`."""

    @scenario
    async def test_bundles(self, b: Bench) -> None:
        """A bundle is found under its hash; putting it again changes nothing in it."""
        assert await b.world.get_bundle("hash") is None
        for source in (b"source", b"source", b"other"):
            await b.world.put_bundle("hash", source)
        assert await b.world.get_bundle("hash") == b"source"

    @scenario
    async def test_bundles_without_runs_are_pruned(self, b: Bench) -> None:
        """A bundle goes when it was last put before the time, and all others stay."""
        then = b.clock.now()
        for bundle in ("old", "used", "also old"):
            await b.world.put_bundle(bundle, b"source")
        b.clock.advance(SECOND)
        await b.world.put_bundle("used", b"source")
        await b.world.put_bundle("young", b"source")
        now = b.clock.now()
        assert await b.world.prune_bundles(then) == ()
        assert await b.world.prune_bundles(now, dry_run=True) == ("also old", "old")
        assert await b.world.prune_bundles(now) == ("also old", "old")
        assert await b.world.prune_bundles(now) == ()
        for bundle in ("old", "also old"):
            assert await b.world.get_bundle(bundle) is None
        for bundle in ("used", "young"):
            assert await b.world.get_bundle(bundle) == b"source"
        await b.world.put_bundle("old", b"source")
        assert await b.world.get_bundle("old") == b"source"
        assert await b.world.prune_bundles(now + 1) == ("old", "used", "young")

    @scenario
    async def test_bundles_of_runs_stay(self, b: Bench) -> None:
        """What a run is pinned to stays as long as the run, open or ended, and goes after it."""
        for bundle in ("first", "other", "again"):
            await b.world.put_bundle(bundle, b"source")
        await b.start("unpinned")
        open_run = await b.turn(await b.own("open"), bundle="first")
        await b.end(await b.own("ended"), bundle="other")
        b.clock.advance(SECOND)
        now = b.clock.now()
        assert await b.world.prune_bundles(now) == ("again",)
        assert await b.world.prune(now) == ("ended",)
        assert await b.world.prune_bundles(now) == ("other",)
        parked = Parked(code="test", reason="a test")
        assert await b.world.park("open", "ann", open_run.fence, parked)
        await b.world.put_bundle("again", b"source")
        assert await b.world.unpark("open", bundle="again")
        b.clock.advance(SECOND)
        assert await b.world.prune_bundles(b.clock.now()) == ("first",)
        assert await b.world.get_bundle("again") == b"source"

    @scenario
    async def test_prune_bundles_closed(self, b: Bench) -> None:
        """A world that is closed says so."""
        await b.world.close()
        with raises(WorldError):
            await b.world.prune_bundles(b.clock.now())
        await b.world.open()
