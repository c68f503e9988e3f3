"""Bundles, secrets, listings, waiting for changes, opening and closing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

from workflow.errors import WorldError
from workflow.testing.cases.bench import (
    SECOND,
    Bench,
    Cases,
    called,
    raises,
    result,
    scenario,
    task,
)
from workflow.testing.clock import VirtualClock
from workflow.world.port import World
from workflow.world.records import (
    ChunkWrite,
    Finish,
    HookFilter,
    Letter,
    NewEvent,
    NewToken,
    Parked,
    Posted,
    RunFilter,
)

__all__ = ["LifeCases", "ReadCases", "WaitCases"]

T = TypeVar("T")


class ReadCases(Cases):
    """Secrets and listings."""

    @scenario
    async def test_secrets(self, b: Bench) -> None:
        """A secret has 32 bytes, stays the same, and differs by name."""
        one, same, other = await asyncio.gather(*map(b.world.secret, ("one", "one", "other")))
        assert len(one) == 32
        assert one == same == await b.world.secret("one")
        assert one != other

    @scenario
    async def test_nothing_there(self, b: Bench) -> None:
        """Reads of a run that does not exist are empty."""
        assert await b.world.get_run("nobody") is None
        assert await b.everything("nobody") == (None, (), (), (), ())
        assert await b.world.list_streams("nobody") == ()
        assert await b.world.get_hook("nothing") is None

    @scenario
    async def test_list_runs_in_pages(self, b: Bench) -> None:
        """Runs are listed newest first, and the cursors lead through all of them once."""
        for n in range(5):
            await b.start(f"r{n}")
            if n != 2:  # two runs share a time
                b.clock.advance(1)
        pages: list[list[str]] = []
        cursor: str | None = None
        while not pages or cursor is not None:
            page = await b.world.list_runs(RunFilter(), limit=2, cursor=cursor)
            pages.append([run.run_id for run in page.items])
            cursor = page.cursor
        assert pages == [["r4", "r3"], ["r2", "r1"], ["r0"]]
        assert (await b.world.list_runs(RunFilter(), limit=5)).cursor is None
        single = await b.world.list_runs(RunFilter(), limit=1)
        assert (len(single.items), single.cursor is None) == (1, False)
        with raises(ValueError):
            await b.world.list_runs(RunFilter(), cursor="nonsense")

    @scenario
    async def test_list_runs_filtered(self, b: Bench) -> None:
        """A listing holds the runs that match everything the filter names."""
        start = b.clock.now()
        await b.end(await b.own("ended", attributes={"a": "1", "b": "2"}))
        b.clock.advance(1)
        run = await b.own("parked", attributes={"a": "1"})
        await b.world.park("parked", "ann", run.fence, Parked(code="c", reason="r"))
        b.clock.advance(1)
        await b.start("other", workflow="other", attributes={'odd "key".x': "1", "a": "2"})

        async def found(**where: Any) -> set[str]:
            return {run.run_id for run in (await b.world.list_runs(RunFilter(**where))).items}

        assert await found(workflow="other") == {"other"}
        assert await found(status="completed") == {"ended"}
        assert await found(parked=True) == {"parked"}
        assert await found(parked=False) == {"ended", "other"}
        assert await found(attributes={"a": "1"}) == {"ended", "parked"}
        assert await found(attributes={"a": "1", "b": "2"}) == {"ended"}
        assert await found(attributes={'odd "key".x': "1"}) == {"other"}
        assert await found(created_from=start + SECOND) == {"parked", "other"}
        assert await found(created_before=start + SECOND) == {"ended"}
        assert await found(status="completed", parked=True) == set()

    @scenario
    async def test_list_events_in_pages(self, b: Bench) -> None:
        """Events are listed after a position, at most `limit` of them."""
        await b.turn(await b.own(), events=tuple(called(f"s{n}") for n in range(4)))
        events = await b.world.list_events("run", after=2, limit=2)
        assert [event.seq for event in events] == [3, 4]

    @scenario
    async def test_list_hooks(self, b: Bench) -> None:
        """Hooks are listed of one run or of all, in the order they were opened."""
        for run_id in ("one", "two"):
            token = NewToken(token=f"t {run_id}", ref="h")
            await b.turn(await b.own(run_id), open_tokens=(token,))
            b.clock.advance(1)
        assert [hook.token for hook in await b.world.list_hooks()] == ["t one", "t two"]
        assert [hook.token for hook in await b.world.list_hooks("two")] == ["t two"]

    @scenario
    async def test_find_hooks_in_pages(self, b: Bench) -> None:
        """Each hook that stays open is on one page, whatever is opened and disposed meanwhile."""
        runs = {}
        for run_id in ("b", "a", "c"):  # those of "b" and "a" are opened at one time
            tokens = tuple(NewToken(token=f"t {run_id}{n}", ref=f"h{n}") for n in range(2))
            runs[run_id] = await b.turn(await b.own(run_id), open_tokens=tokens)
            b.clock.advance(run_id == "a")
        first = await b.world.find_hooks(HookFilter(), limit=3)
        assert [hook.token for hook in first.items] == ["t a0", "t a1", "t b0"]
        await b.turn(runs["b"], close_tokens=("h0",))
        rest = await b.world.find_hooks(HookFilter(), limit=3, cursor=first.cursor)
        assert [hook.token for hook in rest.items] == ["t b1", "t c0", "t c1"]
        assert rest.cursor is None
        with raises(ValueError):
            await b.world.find_hooks(HookFilter(), cursor="nonsense")

    @scenario
    async def test_find_hooks_filtered(self, b: Bench) -> None:
        """A listing holds the hooks that match everything the filter names."""
        for run_id, token in (("one", "a%_:1"), ("one", "b"), ("two", "a%_:2"), ("two", "axx:3")):
            new = NewToken(token=token, ref=f"h {token}", webhook=token == "b", metadata=b"m")
            run = await b.world.get_run(run_id)
            await b.turn(run if run else await b.own(run_id), open_tokens=(new,))
            b.clock.advance(1)

        async def found(**where: Any) -> list[str]:
            page = await b.world.find_hooks(HookFilter(**where))
            assert all(hook.metadata == b"m" for hook in page.items)
            return [hook.token for hook in page.items]

        assert await found(run_id="two") == ["a%_:2", "axx:3"]
        assert await found(prefix="a%_:") == ["a%_:1", "a%_:2"]
        assert await found(run_id="one", prefix="a") == ["a%_:1"]
        assert await found(webhook=True) == await found(prefix="b") == ["b"]
        assert await found(webhook=False, prefix="axx:3") == ["axx:3"]
        assert await found(run_id="never") == []


class WaitCases(Cases):
    """`wait_for_change`."""

    @scenario
    async def test_wait_sees_commits(self, b: Bench) -> None:
        """Waiters, however many, are woken by a commit, also by one between look and wait."""
        seen = await b.world.wait_for_change(0, None)
        assert seen != 0
        await b.start()
        assert await asyncio.wait_for(b.world.wait_for_change(seen, None), 60) != seen
        seen = await b.quiet(seen)
        waiting = [asyncio.create_task(b.world.wait_for_change(seen, None)) for _ in range(3)]
        await asyncio.sleep(0)
        await b.world.post("run", Letter(kind="wake"))
        assert seen not in await asyncio.wait_for(asyncio.gather(*waiting), 60)

    @scenario
    async def test_wait_until(self, b: Bench) -> None:
        """A wait ends when the world's clock reaches its time, not before."""
        seen = await b.quiet(0)
        waiting = asyncio.create_task(b.world.wait_for_change(seen, b.clock.now() + SECOND))
        await asyncio.sleep(0)
        b.clock.advance(0.999999)
        done, _ = await asyncio.wait([waiting], timeout=0.05)
        assert not done
        b.clock.advance(0.000001)
        await asyncio.wait_for(waiting, 60)
        await asyncio.wait_for(b.world.wait_for_change(seen, b.clock.now() - 1), 60)

    @scenario
    async def test_wait_for_work(self, b: Bench) -> None:
        """Who waits for work is woken by everything that makes some: runs, letters, tasks, their
        ends, a run that is given up or may go on, and a timer."""
        seen = await b.quiet(0)

        async def wakes(change: Awaitable[T]) -> T:
            nonlocal seen
            waiting = asyncio.create_task(b.world.wait_for_change(seen, None, work=True))
            await asyncio.sleep(0)
            made = await change
            await asyncio.wait_for(waiting, 60)
            seen = await b.quiet(seen)
            return made

        await wakes(b.start())
        assert await b.claim() == ["run"]
        seen = await b.quiet(seen)
        run = await wakes(b.turn(await b.run(), add_tasks=(task("s"),)))
        assert await b.claim_task() is not None
        run = await wakes(b.turn(run, next_timer=b.clock.now() + SECOND))
        run = await wakes(b.turn(run, release=True, next_timer=None))
        done = Finish(run_id="run", step_id="s", worker="ann", attempt=1, letter=result("s"))
        await wakes(b.world.finish_tasks([done]))
        assert await b.claim() == ["run"]
        run = await b.run()
        await b.world.park("run", "ann", run.fence, Parked(code="a", reason="b"))
        seen = await b.quiet(seen)
        assert await wakes(b.world.unpark("run"))
        waiting = asyncio.create_task(
            b.world.wait_for_change(seen, b.clock.now() + SECOND, work=True)
        )
        await asyncio.sleep(0)
        b.clock.advance(1)
        await asyncio.wait_for(waiting, 60)

    @scenario
    async def test_idle_looks_wake_nobody(self, b: Bench) -> None:
        """Claims that find nothing are no change, or idle workers would wake each other."""
        seen = await b.quiet(0)
        assert await b.claim() == []
        assert await b.world.claim_tasks("ann", 9, ["step"]) == ()
        assert await b.quiet(seen) == seen


class LifeCases(Cases):
    """Opening, closing, and what stays."""

    @scenario
    async def test_open_twice(self, b: Bench) -> None:
        """Opening an open world changes nothing."""
        await b.start()
        await b.world.open()
        assert await b.claim() == ["run"]

    @scenario
    async def test_reopened(self, b: Bench) -> None:
        """A world that was closed and opened again has everything it had."""
        run = await b.turn(
            await b.own(),
            events=(called("s1"),),
            add_tasks=(task("s1"),),
            open_tokens=(NewToken(token="t", ref="h"),),
        )
        await b.world.post("run", Letter(kind="wake"))
        secret = await b.world.secret("s")
        before = await b.everything()
        await b.world.close()
        await b.world.open()
        freed = await b.everything()
        assert freed[1:] == before[1:]
        assert (await b.run()).head == run.head
        assert await b.world.secret("s") == secret

    @scenario
    async def test_closed(self, b: Bench) -> None:
        """A closed world answers every call with an error; closing it again is harmless."""
        await b.start()
        run = await b.run()
        world = b.world
        await world.close()
        letter, where = Letter(kind="wake"), RunFilter()
        chunk = ChunkWrite(run_id="run", stream="s", step_id="s", attempt=1, worker="ann")
        finish = Finish(run_id="run", step_id="s", worker="ann", attempt=1)
        event = NewEvent(type="run_cancelled", at=0)
        for call in (
            b.start("other"), world.post("run", letter), world.post_to_token("t", letter),
            world.load("run"), world.append(b.append(run)), b.claim(), b.claim_task(),
            world.park("run", "ann", 0, Parked(code="c", reason="r")), world.unpark("run"),
            world.terminate("run", event, b"", "code"), world.put_bundle("hash", b""),
            world.get_bundle("hash"), world.get_run("run"), world.list_runs(where),
            world.list_events("run"), world.list_tasks("run"), world.list_letters("run"),
            world.list_hooks(), world.get_hook("t"), world.prune(0), world.prune_bundles(0),
            world.list_unclaimed([]), world.finish_tasks([finish]), b.beat("ann"),
            world.list_workers(), world.leave("ann"), world.write_chunks(chunk),
            world.read_chunks("run", "s", 0, 1), world.list_streams("run"), world.secret("s"),
        ):  # fmt: skip
            with raises(WorldError):
                await call
        await world.close()

    @scenario
    async def test_cancelled_callers(self, b: Bench) -> None:
        """A caller that is cancelled may have been served or not; the others are."""
        await b.start()
        letters = [Letter(kind="wake", ref=str(n)) for n in range(20)]
        posts = [asyncio.create_task(b.world.post("run", letter)) for letter in letters]
        reads = [asyncio.create_task(b.world.load("run")) for _ in range(20)]
        await asyncio.sleep(0)
        for call in (*posts[::2], *reads[::2]):
            call.cancel()
        answers = await asyncio.gather(*posts, *reads, return_exceptions=True)
        assert not any(isinstance(answer, BaseException) for answer in answers[1::2])
        kept = {letter.ref for letter in await b.world.list_letters("run")}
        assert kept >= {letter.ref for letter in letters[1::2]}
        assert await b.claim() == ["run"]

    @scenario
    async def test_close_finishes_what_was_accepted(self, b: Bench) -> None:
        """What was asked before `close` is done, or refused with an error; never half done."""
        await b.start()
        posts = [b.world.post("run", Letter(kind="wake", ref=str(n))) for n in range(20)]
        waiting = [asyncio.create_task(post) for post in posts]
        await asyncio.sleep(0)
        await b.world.close()
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        await b.world.open()
        assert all(isinstance(answer, (Posted, WorldError)) for answer in answers)
        posted = sum(isinstance(answer, Posted) for answer in answers)
        assert len(await b.world.list_letters("run")) == posted > 0

    def test_several_event_loops(self) -> None:
        """A world can be used from one event loop after another."""
        clock = VirtualClock()
        worlds: list[World] = []

        async def first() -> None:
            worlds.append(await self.make_world(clock))
            await worlds[0].open()
            await Bench(worlds[0], clock).start()
            waiting = asyncio.create_task(worlds[0].wait_for_change(10**9, clock.now() + 1))
            await asyncio.sleep(0)
            waiting.cancel()

        async def second() -> None:
            b = Bench(worlds[0], clock)
            try:
                assert await b.claim() == ["run"]
                await b.end(await b.run())
            finally:
                await b.world.close()

        asyncio.run(first())
        asyncio.run(second())
