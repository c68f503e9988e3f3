"""Tokens, parking and ending runs from outside."""

from __future__ import annotations

import asyncio

from msgspec import json
from msgspec.structs import replace

from workflow.testing.cases.bench import SECOND, Bench, Cases, called, result, scenario, task
from workflow.world.records import (
    Finish,
    HookRecord,
    Letter,
    NewEvent,
    NewToken,
    Parked,
    RunRecord,
)

__all__ = ["ParkCases", "TerminateCases", "TokenCases"]

_WHY = Parked(code="divergence", reason="the code changed", position=7)


class TokenCases(Cases):
    """`open_tokens` and `close_tokens`."""

    @scenario
    async def test_free_token(self, b: Bench) -> None:
        """Opening a free token writes `hook_created` after the append's events and returns it."""
        run = await b.own()
        token = NewToken(token="t", ref="h", webhook=True, metadata=b"data", meta=b"{}")
        answer = await b.world.append(b.append(run, events=(called("s"),), open_tokens=(token,)))
        (opened,) = answer.opened
        assert (opened.seq, opened.type, opened.ref, opened.name) == (3, "hook_created", "h", "t")
        assert (answer.head, opened.at) == (3, b.clock.now())
        assert (await b.log())[-1] == opened
        hook = HookRecord(
            run_id="run",
            hook_id="h",
            token="t",
            created_at=b.clock.now(),
            webhook=True,
            metadata=b"data",
            meta=b"{}",
        )
        assert await b.world.get_hook("t") == hook
        assert await b.world.list_hooks("run") == await b.world.list_hooks() == (hook,)

    @scenario
    async def test_taken_token(self, b: Bench) -> None:
        """Opening a token that is held, even by the run itself, writes `hook_conflict`."""
        holder = await b.turn(await b.own("holder"), open_tokens=(NewToken(token="t", ref="h"),))
        tokens = (NewToken(token="t", ref="h1"), NewToken(token="free", ref="h2"))
        answer = await b.world.append(b.append(await b.own(), open_tokens=tokens))
        conflict, created = answer.opened
        assert [event.seq for event in answer.opened] == [2, 3]
        assert (conflict.type, conflict.ref, conflict.name) == ("hook_conflict", "h1", "t")
        assert json.decode(conflict.meta or b"") == {"run_id": "holder"}
        assert created.type == "hook_created"
        again = b.append(holder, open_tokens=(NewToken(token="t", ref="h3"),))
        assert [event.type for event in (await b.world.append(again)).opened] == ["hook_conflict"]
        assert {hook.hook_id for hook in await b.world.list_hooks()} == {"h", "h2"}

    @scenario
    async def test_token_race(self, b: Bench) -> None:
        """Of many runs that open one token at the same time one gets it."""
        owned = [await b.own(f"r{n}") for n in range(8)]
        token = NewToken(token="t", ref="h")
        answers = await asyncio.gather(
            *(b.world.append(b.append(run, open_tokens=(token,))) for run in owned)
        )
        types = sorted(answer.opened[0].type for answer in answers)
        assert types == ["hook_conflict"] * 7 + ["hook_created"]

    @scenario
    async def test_closed_token_is_free(self, b: Bench) -> None:
        """A token closed by an append can be opened in the same one."""
        run = await b.turn(await b.own(), open_tokens=(NewToken(token="t", ref="h"),))
        again = (NewToken(token="t", ref="h2"),)
        answer = await b.world.append(b.append(run, close_tokens=("h",), open_tokens=again))
        assert [event.type for event in answer.opened] == ["hook_created"]
        assert [hook.hook_id for hook in await b.world.list_hooks()] == ["h2"]

    @scenario
    async def test_only_own_tokens_are_closed(self, b: Bench) -> None:
        """Ids of hooks are a run's own: closing one leaves those of other runs."""
        for run_id in ("one", "two"):
            token = NewToken(token=f"t {run_id}", ref="h")
            await b.turn(await b.own(run_id), open_tokens=(token,))
        await b.turn(await b.run("one"), close_tokens=("h",))
        assert [hook.token for hook in await b.world.list_hooks()] == ["t two"]
        assert (await b.world.post_to_token("t two", Letter(kind="wake"))).run_id == "two"

    @scenario
    async def test_opened_and_closed_at_once(self, b: Bench) -> None:
        """A hook opened and closed in one append is created and never holds its token."""
        tokens = (NewToken(token="t", ref="h"), NewToken(token="t", ref="h2"))
        asked = b.append(await b.own(), open_tokens=tokens, close_tokens=("h",))
        answer = await b.world.append(asked)
        assert [event.type for event in answer.opened] == ["hook_created", "hook_created"]
        assert [hook.hook_id for hook in await b.world.list_hooks()] == ["h2"]

    @scenario
    async def test_end_frees_tokens(self, b: Bench) -> None:
        """A token of a run that has ended can be opened by another."""
        run = await b.turn(await b.own("first"), open_tokens=(NewToken(token="t", ref="h"),))
        await b.end(run)
        asked = b.append(await b.own(), open_tokens=(NewToken(token="t", ref="h"),))
        assert [event.type for event in (await b.world.append(asked)).opened] == ["hook_created"]

    @scenario
    async def test_opening_keeps_the_run(self, b: Bench) -> None:
        """An append that opens tokens does not release: their outcome is still to be fed."""
        tokens = (NewToken(token="t", ref="h"),)
        run = await b.turn(await b.own(), open_tokens=tokens, release=True)
        assert run.owner == "ann"


class ParkCases(Cases):
    """`park` and `unpark`."""

    async def _parked(self, b: Bench) -> RunRecord:
        run = await b.turn(await b.own(), next_timer=b.clock.now(), add_tasks=(task("s1"),))
        assert await b.world.park("run", "ann", run.fence, _WHY)
        return await b.run()

    @scenario
    async def test_parked_is_never_due(self, b: Bench) -> None:
        """A parked run is open and unowned, and neither mail nor timers make it due."""
        run = await self._parked(b)
        assert (run.status, run.owner, run.parked) == ("pending", None, _WHY)
        assert await b.claim() == []
        later = await b.turn(await b.own("later"), next_timer=b.clock.now() + 20 * SECOND)
        assert await b.world.park("later", "ann", later.fence, _WHY)
        assert (await b.world.post("run", Letter(kind="nudge"))).outcome == "posted"
        b.clock.advance(10)
        claimed = await b.world.claim_runs("bob", 9)
        assert (claimed.runs, claimed.look, claimed.next_due) == ((), (), None)

    @scenario
    async def test_tasks_and_letters_go_on(self, b: Bench) -> None:
        """Tasks of a parked run are claimed, retried and finished, and letters reach its mail."""
        await self._parked(b)
        assert (await b.claim_task("bob")) is not None
        retry = Finish(run_id="run", step_id="s1", worker="bob", attempt=1, run_at=b.clock.now())
        assert await b.world.finish_tasks([retry]) == (True,)
        assert (await b.claim_task("bob")) is not None
        done = Finish(run_id="run", step_id="s1", worker="bob", attempt=2, letter=result("s1"))
        assert await b.world.finish_tasks([done]) == (True,)
        assert (await b.world.post("run", Letter(kind="wake"))).outcome == "posted"
        assert len(await b.world.list_letters("run")) == 2

    @scenario
    async def test_park_needs_the_fence(self, b: Bench) -> None:
        """Parking under another fence, or a run that has ended, does nothing."""
        run = await b.own()
        before = await b.everything()
        assert not await b.world.park("run", "ann", run.fence - 1, _WHY)
        assert not await b.world.park("nobody", "ann", 1, _WHY)
        assert await b.everything() == before
        run = await b.end(run)
        assert not await b.world.park("run", "ann", run.fence, _WHY)

    @scenario
    async def test_unpark(self, b: Bench) -> None:
        """A run let go is due, re-pinned if asked, without claims, and keeps its mail and timer."""
        before = await self._parked(b)
        assert await b.world.unpark("run", bundle="new")
        run = await b.run()
        assert (run.parked, run.bundle, run.claims) == (None, "new", 0)
        assert (run.next_timer, run.mail) == (before.next_timer, before.mail + 1)
        assert not await b.world.unpark("run")
        assert not await b.world.unpark("nobody")
        assert await b.claim() == ["run"]

    @scenario
    async def test_unpark_keeps_the_pin(self, b: Bench) -> None:
        """Without a bundle the pin stays."""
        run = await b.turn(await b.own(), bundle="old")
        await b.world.park("run", "ann", run.fence, _WHY)
        assert await b.world.unpark("run")
        assert (await b.run()).bundle == "old"

    @scenario
    async def test_unpark_offers_what_was_handed_back(self, b: Bench) -> None:
        """A task that nobody could begin is due at once; the time of a retry stays."""
        soon = b.clock.now() + 60 * SECOND
        tasks = (task("s1"), task("s2", attempt=1, run_at=soon))
        run = await b.turn(await b.own(), add_tasks=tasks)
        assert await b.world.park("run", "ann", run.fence, _WHY)
        claimed = await b.claim_task("bob")
        assert claimed is not None
        assert claimed.step_id == "s1"
        back = Finish(
            run_id="run", step_id="s1", worker="bob", attempt=1, run_at=soon, uncount=True
        )
        assert await b.world.finish_tasks([back]) == (True,)
        assert (await b.claim_task("bob")) is None
        assert await b.world.unpark("run")
        assert await b.claim_task("bob") == replace(claimed, run_at=b.clock.now())
        assert (await b.claim_task("bob")) is None

    @scenario
    async def test_unpark_raises_the_fence(self, b: Bench) -> None:
        """A live copy from before the repair can append nothing."""
        run = await b.own()
        await b.world.park("run", "ann", run.fence, _WHY)
        await b.world.unpark("run")
        assert (await b.run()).claims == 0
        assert not (await b.world.append(b.append(run, events=(called("s"),)))).ok


class TerminateCases(Cases):
    """`terminate`."""

    @scenario
    async def test_terminate(self, b: Bench) -> None:
        """An open run ends as cancelled, its owner is shut out, its tasks and tokens are gone."""
        run = await b.own()
        token = NewToken(token="t", ref="h")
        run = await b.turn(run, add_tasks=(task("s1"),), open_tokens=(token,))
        claimed = await b.claim_task("bob")
        assert claimed is not None
        event = NewEvent(type="run_cancelled", at=b.clock.now() + SECOND, payload=b"why")
        assert await b.world.terminate("run", event, b"why", "cancelled")
        ended = await b.run()
        assert (ended.status, ended.output, ended.error_code) == ("cancelled", b"why", "cancelled")
        assert (ended.owner, ended.completed_at, ended.head) == (None, event.at, run.head + 1)
        last = (await b.log())[-1]
        assert (last.type, last.seq, last.at) == ("run_cancelled", ended.head, event.at)
        assert not (await b.world.append(b.append(run, events=(called("s2"),)))).ok
        late = Finish(run_id="run", step_id="s1", worker="bob", attempt=1, letter=result("s1"))
        assert await b.world.finish_tasks([late]) == (False,)
        assert await b.world.get_hook("t") is None
        assert await b.claim() == []

    @scenario
    async def test_terminate_raises_the_fence(self, b: Bench) -> None:
        """The fence grows, so that what was in flight cannot fit."""
        run = await b.own()
        await b.world.terminate("run", NewEvent(type="run_cancelled", at=0), b"", "cancelled")
        assert (await b.run()).fence > run.fence

    @scenario
    async def test_terminate_parked(self, b: Bench) -> None:
        """A parked run can be ended without its body, and is then no longer parked."""
        run = await b.own()
        await b.world.park("run", "ann", run.fence, _WHY)
        event = NewEvent(type="run_cancelled", at=b.clock.now())
        assert await b.world.terminate("run", event, b"", "cancelled")
        ended = await b.run()
        assert (ended.status, ended.parked) == ("cancelled", None)

    @scenario
    async def test_terminate_twice(self, b: Bench) -> None:
        """A run that has ended, or does not exist, cannot be terminated."""
        await b.end(await b.own())
        before = await b.everything()
        event = NewEvent(type="run_cancelled", at=b.clock.now())
        assert not await b.world.terminate("run", event, b"", "cancelled")
        assert not await b.world.terminate("nobody", event, b"", "cancelled")
        assert await b.everything() == before

    @scenario
    async def test_time_does_not_go_back(self, b: Bench) -> None:
        """The event that ends a run is not older than the one before it."""
        run = await b.own()
        ahead = b.clock.now() + SECOND
        await b.turn(run, events=(called("s", at=ahead),))
        await b.world.terminate("run", NewEvent(type="run_cancelled", at=0), b"", "cancelled")
        assert [event.at for event in await b.log()] == [ahead, ahead]
