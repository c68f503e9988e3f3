"""Tasks and the leases of workers."""

from __future__ import annotations

import asyncio

from workflow.policy.crashes import ALONE, after_crash, run_after_crash
from workflow.testing.cases.bench import SECOND, Bench, Cases, called, result, scenario, task
from workflow.world.records import Finish, Letter, Parked, WorkerRecord

__all__ = ["LeaseCases", "TaskCases"]


def _finish(step_id: str, worker: str, attempt: int) -> Finish:
    return Finish(
        run_id="run", step_id=step_id, worker=worker, attempt=attempt, letter=result(step_id)
    )


class TaskCases(Cases):
    """`claim_tasks` and `finish_tasks`."""

    @scenario
    async def test_claim_counts_the_attempt(self, b: Bench) -> None:
        """A claim hands out the task with its attempt counted, the time in `run_at`, and its other
        fields as they were given."""
        await b.with_tasks(task("s1", attempt=2, created_at=5, error=b"e", meta=b"m", run_at=6))
        (claimed,) = await b.world.claim_tasks("ann", 9, {"step"})
        assert (claimed.run_id, claimed.step_id, claimed.name) == ("run", "s1", "step")
        assert (claimed.attempt, claimed.owner, claimed.payload) == (3, "ann", b"{}")
        assert (claimed.created_at, claimed.error, claimed.meta, claimed.run_at) == (
            5,
            b"e",
            b"m",
            b.clock.now(),
        )
        assert await b.world.list_tasks("run") == (claimed,)
        assert await b.claim_task("bob") is None

    @scenario
    async def test_claims_due_and_known_steps(self, b: Bench) -> None:
        """Tasks are handed out when due, the oldest first, to workers that know the step."""
        now = b.clock.now()
        await b.with_tasks(
            task("later", run_at=now + SECOND),
            task("second", run_at=now - 1),
            task("first", run_at=now - 2),
            task("third", run_at=now),
            task("foreign", name="foreign"),
        )
        assert await b.world.claim_tasks("ann", 9, ()) == ()
        claimed = await b.world.claim_tasks("ann", 2, ["step"])
        assert [each.step_id for each in claimed] == ["first", "second"]
        assert [x.step_id for x in await b.world.claim_tasks("ann", 9, ["step"])] == ["third"]
        b.clock.advance(1)
        rest = await b.world.claim_tasks("ann", 9, ["step", "foreign"])
        assert {each.step_id for each in rest} == {"later", "foreign"}

    @scenario
    async def test_concurrent_claims_of_tasks(self, b: Bench) -> None:
        """Two claimers never get the same task."""
        await b.with_tasks(*(task(f"s{n}") for n in range(10)))
        claims = await asyncio.gather(
            *(b.world.claim_tasks(f"worker {n}", 3, ["step"]) for n in range(5))
        )
        steps = [each.step_id for claimed in claims for each in claimed]
        assert sorted(steps) == [f"s{n}" for n in range(10)]

    @scenario
    async def test_list_unclaimed(self, b: Bench) -> None:
        """Due and free tasks of steps that nobody here knows, the oldest first, can be seen."""
        now = b.clock.now()
        await b.with_tasks(
            task("s1", name="gone", run_at=now - 1),
            task("s2", name="lost", run_at=now - 2),
            task("s3"),
            task("s4", name="gone", run_at=now + SECOND),
            task("s5", name="taken"),
        )
        await b.claim_task("ann", "taken")
        assert [t.step_id for t in await b.world.list_unclaimed(["step"])] == ["s2", "s1"]
        assert [t.name for t in await b.world.list_unclaimed(["step"], limit=1)] == ["lost"]
        assert {t.step_id for t in await b.world.list_unclaimed([])} == {"s1", "s2", "s3"}
        assert await b.world.list_unclaimed(["step", "gone", "lost"]) == ()
        b.clock.advance(1)
        assert len(await b.world.list_unclaimed(["step"])) == 3
        await b.world.post("run", Letter(kind="nudge"))
        await b.claim("ann")
        fence = (await b.run()).fence
        assert await b.world.park("run", "ann", fence, Parked(code="test", reason="a test"))
        assert await b.world.list_unclaimed(["step"]) == ()

    @scenario
    async def test_list_workers(self, b: Bench) -> None:
        """Everybody with a lease is listed with the hash of its code, and nobody else."""
        until = b.clock.now() + 10 * SECOND
        await b.world.beat(WorkerRecord(worker="ann", lease_until=until, registry="one"))
        await b.beat("bob", 20)
        await b.beat("eve", 20)
        listed = {each.worker: each.registry for each in await b.world.list_workers()}
        assert listed == {"ann": "one", "bob": "", "eve": ""}
        await b.world.leave("eve")
        b.clock.advance(15)
        assert [each.worker for each in await b.world.list_workers()] == ["bob"]

    @scenario
    async def test_finish(self, b: Bench) -> None:
        """A finished task is gone, its letter is in the mail, and its run is due."""
        await b.with_tasks(task("s1"))
        await b.claim_task("bob")
        assert await b.world.finish_tasks([_finish("s1", "bob", 1)]) == (True,)
        assert await b.world.list_tasks("run") == ()
        (letter,) = await b.world.list_letters("run")
        assert (letter.kind, letter.ref, letter.payload) == ("step_completed", "s1", b"done")
        assert await b.claim() == ["run"]
        assert await b.world.finish_tasks([_finish("s1", "bob", 1)]) == (False,)
        assert len(await b.world.list_letters("run")) == 1

    @scenario
    async def test_late_finish(self, b: Bench) -> None:
        """Results and retries of another worker, another attempt, or nobody's task are dropped."""
        await b.with_tasks(task("s1"))
        await b.claim_task("ann")
        await b.world.leave("ann")
        assert await b.world.finish_tasks([_finish("s1", "ann", 1)]) == (False,)
        await b.claim_task("bob")
        before = await b.everything()
        late = [
            _finish("s1", "ann", 1),
            _finish("s1", "ann", 2),
            _finish("s1", "bob", 1),
            _finish("s2", "bob", 2),
            Finish(run_id="run", step_id="s1", worker="bob", attempt=1, run_at=0, error=b"late"),
        ]
        assert await b.world.finish_tasks(late) == (False,) * 5
        assert await b.everything() == before
        assert await b.world.finish_tasks([_finish("s1", "bob", 2)]) == (True,)

    @scenario
    async def test_finishes_are_independent(self, b: Bench) -> None:
        """One late finish does not spoil the others of its batch."""
        await b.with_tasks(task("s1"), task("s2"))
        await b.world.claim_tasks("ann", 9, ["step"])
        finishes = [_finish("s1", "ann", 1), _finish("s1", "ann", 1), _finish("s2", "ann", 1)]
        assert await b.world.finish_tasks(finishes) == (True, False, True)
        assert [letter.ref for letter in await b.world.list_letters("run")] == ["s1", "s2"]

    @scenario
    async def test_retry(self, b: Bench) -> None:
        """A retry frees the task until its time with its error, and is no news for the run."""
        await b.with_tasks(task("s1"))
        await b.claim_task("ann")
        later = b.clock.now() + SECOND
        retry = Finish(
            run_id="run", step_id="s1", worker="ann", attempt=1, run_at=later, error=b"boom"
        )
        before = await b.run()
        assert await b.world.finish_tasks([retry]) == (True,)
        assert await b.run() == before
        (free,) = await b.world.list_tasks("run")
        assert (free.owner, free.attempt, free.error, free.run_at) == (None, 1, b"boom", later)
        assert await b.claim_task("bob") is None
        b.clock.advance(1)
        claimed = await b.claim_task("bob")
        assert claimed is not None
        assert (claimed.attempt, claimed.error) == (2, b"boom")

    @scenario
    async def test_uncount(self, b: Bench) -> None:
        """A task handed back unstarted has not used an attempt, and keeps its last error."""
        await b.with_tasks(task("s1", attempt=1, error=b"before"))
        await b.claim_task("ann")
        back = Finish(run_id="run", step_id="s1", worker="ann", attempt=2, uncount=True)
        assert await b.world.finish_tasks([back]) == (True,)
        (free,) = await b.world.list_tasks("run")
        assert (free.owner, free.attempt, free.error) == (None, 1, b"before")

    @scenario
    async def test_dropped_task(self, b: Bench) -> None:
        """The result of a task that its run took back is dropped."""
        run = await b.turn(await b.own(), add_tasks=(task("s1"),))
        await b.claim_task("bob")
        await b.turn(run, drop_tasks=("s1",))
        assert await b.world.finish_tasks([_finish("s1", "bob", 1)]) == (False,)
        assert await b.world.list_letters("run") == ()


class LeaseCases(Cases):
    """`beat` and `leave`."""

    @scenario
    async def test_lapsed_lease(self, b: Bench) -> None:
        """When a lease has run out, anybody's beat frees its runs and tasks and says how many."""
        await b.beat("ann", 10)
        run = await b.turn(await b.own(), events=(called("s1"),), add_tasks=(task("s1"),))
        await b.claim_task("ann")
        b.clock.advance(9.999999)
        assert await b.beat("bob") == 0
        assert (await b.run()).owner == "ann"
        b.clock.advance(0.000001)
        assert await b.beat("bob") == 2
        freed = await b.run()
        assert (freed.owner, freed.mail, freed.head) == (None, run.mail + 1, run.head)
        assert (freed.fence, await b.world.list_letters("run")) == (run.fence, ())
        (free,) = await b.world.list_tasks("run")
        assert (free.owner, free.attempt) == (None, 1)
        assert await b.claim("bob") == ["run"]
        b.clock.advance(1)
        claimed = await b.claim_task("bob")
        assert claimed is not None
        assert claimed.attempt == 2

    @scenario
    async def test_crashed_tasks_come_back_one_by_one(self, b: Bench) -> None:
        """Tasks whose worker died are due at different times, later with every crash.

        So a step that kills its process does not take the same others with it until they are out
        of attempts.
        """
        steps = [f"s{n}" for n in range(20)]
        await b.with_tasks(*(task(step) for step in steps))
        spans = []
        for crash in (1, 2):
            assert len(await b.world.claim_tasks("ann", 99, ["step"])) == len(steps)
            now = b.clock.now()
            assert await b.beat("bob") == len(steps)
            tasks = await b.world.list_tasks("run")
            due = {each.step_id: each.run_at for each in tasks}
            assert due == {step: after_crash("run", step, crash, now) for step in steps}
            assert len(set(due.values())) == len(steps)
            spans.append(max(due.values()) - now)
            b.clock.advance(spans[-1] / SECOND)
        assert spans[0] < SECOND / 2 < spans[1] < SECOND

    async def _died_twice(self, b: Bench, *steps: str) -> list[str]:
        """Tasks that were with two workers that died, in the order in which they are due now."""
        await b.with_tasks(*map(task, steps))
        for _ in range(2):
            assert len(await b.world.claim_tasks("ann", 99, ["step"])) == len(steps)
            await b.beat("bob")
            b.clock.advance(1)
        due = {each.step_id: each.run_at for each in await b.world.list_tasks("run")}
        return sorted(steps, key=lambda step: due[step])

    @scenario
    async def test_a_task_that_died_twice_is_claimed_alone(self, b: Bench) -> None:
        """A task that was with two workers that died is handed out alone when it is due for
        longest, else left out, and its worker is given no other one while it is new there.

        So it takes no others with it, and no others take it with them.
        """
        first, second = await self._died_twice(b, "one", "two")
        now = b.clock.now()
        other = (task("old", run_at=now - 2 * SECOND), task("new", run_at=now))
        await b.with_tasks(*other, run_id="other")
        names = ["step"]
        claimed = await b.world.claim_tasks("ann", 99, names)
        assert [each.step_id for each in claimed] == ["old", "new"]
        await b.with_tasks(task("newest", run_at=now), run_id="newest")
        for n, step in enumerate((first, second)):
            assert (await b.world.claim_runs("ann", 99)).next_due is None
            (only,) = await b.world.claim_tasks("ann", 99, names)
            assert (only.step_id, only.attempt, only.error) == (step, 3, None)
            assert await b.world.claim_tasks("ann", 99, names) == ()
            assert (await b.world.claim_runs("ann", 99)).next_due == b.clock.now() + ALONE
            b.clock.advance((ALONE - 1) / SECOND)
            assert await b.world.claim_tasks("ann", 99, names) == ()
            if n == 0:
                b.clock.advance(0.000001)
        assert await b.world.finish_tasks([_finish(second, "ann", 3)]) == (True,)
        claimed = await b.world.claim_tasks("ann", 99, names)
        assert [each.step_id for each in claimed] == ["newest"]

    @scenario
    async def test_others_get_tasks_beside_a_suspect(self, b: Bench) -> None:
        """What one worker is not given, because it has a task that died twice, another one gets."""
        first, second = await self._died_twice(b, "one", "two")
        assert [t.step_id for t in await b.world.claim_tasks("ann", 99, ["step"])] == [first]
        assert [t.step_id for t in await b.world.claim_tasks("bob", 99, ["step"])] == [second]

    @scenario
    async def test_the_suspect_that_was_claimed_last_comes_first(self, b: Bench) -> None:
        """When a worker dies with several tasks that it was given one by one, the last one is due
        first: the others had been running for a while."""
        order = await self._died_twice(b, "one", "two", "three")
        for step in order:
            assert [t.step_id for t in await b.world.claim_tasks("ann", 99, ["step"])] == [step]
            b.clock.advance(ALONE / SECOND)
        assert await b.beat("bob") == len(order)
        due = {each.step_id: each.run_at for each in await b.world.list_tasks("run")}
        assert sorted(order, key=lambda step: due[step]) == order[::-1]
        assert b.clock.now() < min(due.values()) < max(due.values()) < b.clock.now() + 2 * SECOND

    @scenario
    async def test_tasks_that_failed_are_no_suspects(self, b: Bench) -> None:
        """Tasks whose attempts have raised errors, however often, are claimed together, also with
        one that died once."""
        failed = [task(f"s{n}", attempt=3, error=b"e") for n in range(3)]
        await b.with_tasks(*failed, task("died", attempt=1))
        assert len(await b.world.claim_tasks("ann", 99, ["step"])) == 4
        await b.beat("bob")
        died = await b.world.list_tasks("run")
        assert [each.error for each in died] == [None] * 4

    @scenario
    async def test_crashed_runs_come_back_one_by_one(self, b: Bench) -> None:
        """Runs are due at once when their worker died, but not the second time without an append.

        So a run that kills its process does not take the same others with it for ever, and a timer
        that has passed makes no difference. Others still can be claimed at once.
        """
        names = [f"r{n}" for n in range(20)]
        for name in names:
            await b.start(name)
        assert sorted(await b.claim("ann", 99)) == sorted(names)
        assert await b.beat("bob") == len(names)
        assert sorted(await b.claim("ann", 99)) == sorted(names)
        now = b.clock.now()
        assert await b.beat("bob") == len(names)
        await b.start("other")
        due = {name: run_after_crash(name, 2, now) for name in names}
        claimed = await b.world.claim_runs("bob", 99)
        assert [run.run_id for run in claimed.runs] == ["other"]
        assert claimed.next_due == min(due.values())
        b.clock.advance((max(due.values()) - now) / SECOND)
        for name in sorted(names, key=lambda name: due[name]):
            assert await b.claim("bob", 99) == [name]

    @scenario
    async def test_a_run_that_crashed_twice_is_claimed_alone(self, b: Bench) -> None:
        """A run that was with two workers that died is handed out alone when it is due for longest,
        else left out, and the claim says that there may be more. An append makes it as good as new.
        """
        for name in ("first", "second"):
            await b.start(name)
        for _ in range(2):
            b.clock.advance(1)
            assert sorted(await b.claim("ann", 99)) == ["first", "second"]
            await b.beat("bob")
        await b.start("new")
        b.clock.advance(1)
        claimed = await b.world.claim_runs("bob", 99)
        assert ([run.run_id for run in claimed.runs], claimed.more) == (["new"], True)
        await b.start("later")
        order = sorted(["first", "second"], key=lambda name: run_after_crash(name, 2, 0))
        for name in order:
            claimed = await b.world.claim_runs("bob", 99)
            assert [(run.run_id, run.claims) for run in claimed.runs] == [(name, 3)]
            assert claimed.more
        claimed = await b.world.claim_runs("bob", 99)
        assert ([run.run_id for run in claimed.runs], claimed.more) == (["later"], False)

    @scenario
    async def test_a_left_task_is_due_at_once(self, b: Bench) -> None:
        """The tasks of a worker that leaves in order do not wait."""
        await b.with_tasks(task("s1"), task("s2"))
        await b.world.claim_tasks("ann", 9, ["step"])
        await b.world.leave("ann")
        assert len(await b.world.claim_tasks("bob", 9, ["step"])) == 2

    @scenario
    async def test_renewed_lease(self, b: Bench) -> None:
        """A worker that beats in time keeps what it has."""
        await b.beat("ann", 10)
        await b.own()
        for _ in range(3):
            b.clock.advance(6)
            assert await b.beat("ann") == 0
            assert await b.beat("bob") == 0
        assert (await b.run()).owner == "ann"

    @scenario
    async def test_beat_from_a_thread(self, b: Bench) -> None:
        """A thread with an event loop of its own renews leases while others write."""
        await b.own()
        await b.beat("ann")
        b.clock.advance(9)
        record = WorkerRecord(worker="ann", lease_until=b.clock.now() + 10 * SECOND)
        beating = asyncio.to_thread(lambda: asyncio.run(b.world.beat(record)))
        freed, *_ = await asyncio.gather(beating, *(b.start(f"r{n}") for n in range(5)))
        assert freed == 0
        b.clock.advance(9)
        assert await b.beat("bob") == 0

    @scenario
    async def test_late_beat(self, b: Bench) -> None:
        """A worker whose lease ran out unnoticed keeps what it has when it beats again."""
        await b.beat("ann", 10)
        await b.own()
        b.clock.advance(20)
        assert await b.beat("ann") == 0
        assert (await b.run()).owner == "ann"

    @scenario
    async def test_who_was_silent_itself_leaves_others_their_leases(self, b: Bench) -> None:
        """When nobody could beat for longer than a lease, since the store or the machine was away,
        the first to come back frees nothing of others who come a moment later."""
        await b.beat("ann", 10)
        await b.beat("bob", 10)
        await b.own()
        b.clock.advance(60)
        assert await b.beat("bob", 10) == 0
        b.clock.advance(4)
        assert await b.beat("bob", 10) == 0
        assert await b.beat("ann", 10) == 0
        b.clock.advance(6)
        assert await b.beat("bob", 10) == 0
        assert (await b.run()).owner == "ann"

    @scenario
    async def test_who_does_not_come_back_after_a_silence_is_lost(self, b: Bench) -> None:
        """The others have five seconds, or as long as a lease if that is less."""
        for worker in ("ann", "bob"):
            await b.beat(worker, 4)
        await b.own()
        b.clock.advance(60)
        assert await b.beat("bob", 4) == 0
        b.clock.advance(3.9)
        assert await b.beat("bob", 4) == 0
        b.clock.advance(0.1)
        assert await b.beat("bob", 4) == 1

    @scenario
    async def test_who_is_silent_again_and_again_frees_what_is_lost(self, b: Bench) -> None:
        """A worker that beats only when it is given work ends the leases that ran out before its
        sign of life before."""
        for worker in ("ann", "bob"):
            await b.beat(worker, 10)
        await b.own()
        b.clock.advance(60)
        assert await b.beat("bob", 10) == 0
        b.clock.advance(60)
        assert await b.beat("bob", 10) == 1

    @scenario
    async def test_owner_without_lease(self, b: Bench) -> None:
        """What is held by somebody who has no lease at all is freed too."""
        await b.own(worker="never beat")
        assert await b.beat("bob") == 1
        assert await b.claim("bob") == ["run"]

    @scenario
    async def test_leave(self, b: Bench) -> None:
        """A worker that leaves gives up its runs and tasks at once, and nobody else's."""
        await b.beat("ann")
        await b.beat("bob")
        await b.own("kept", worker="bob")
        await b.turn(await b.own(), add_tasks=(task("s1"),))
        await b.claim_task("ann")
        await b.world.leave("ann")
        assert (await b.run()).owner is None
        assert (await b.run("kept")).owner == "bob"
        assert await b.claim("bob") == ["run"]
        assert await b.claim_task("bob") is not None

    @scenario
    async def test_mail_of_freed_runs(self, b: Bench) -> None:
        """Freeing a run keeps its mail and its timer."""
        run = await b.turn(await b.own(), next_timer=b.clock.now() + SECOND)
        await b.world.post("run", Letter(kind="wake", ref="w"))
        await b.world.leave("ann")
        assert [letter.ref for letter in await b.world.list_letters("run")] == ["w"]
        assert (await b.run()).next_timer == run.next_timer
