"""Two objects on one store, as two processes have them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from workflow.testing.cases.bench import SECOND, Bench, Cases, called, result, scenario, task
from workflow.world.port import Clock, World
from workflow.world.records import Finish, Letter, NewRun, NewToken, WorkerRecord

__all__ = ["SharedCases"]


class SharedCases(Cases):
    """What holds for two callers holds for two processes as well."""

    async def make_twin(self, world: World, clock: Clock) -> World:
        """A second object on the store of `world`, as another process would have; not open yet.

        The suite closes it first. A world that only one process can have returns `world` itself,
        and the cases check two callers of one object.
        """
        return world

    async def _with_twin(self, b: Bench, case: Callable[[Bench, Bench], Awaitable[None]]) -> None:
        twin = await self.make_twin(b.world, b.clock)
        await twin.open()
        try:
            await case(b, Bench(twin, b.clock))
        finally:
            if twin is not b.world:
                await twin.close()

    @scenario
    async def test_what_one_writes_the_other_reads(self, b: Bench) -> None:
        """The next read of the other shows an answered call; its claims do once it is told."""

        async def case(b: Bench, twin: Bench) -> None:
            assert await twin.claim("bob") == []
            assert await twin.claim_task("bob") is None
            await b.start()
            assert await twin.claim_soon("bob") == ["run"]
            assert await b.claim("ann") == []
            await twin.turn(await twin.run(), add_tasks=(task("s1"),), release=True)
            assert await b.claim_task("ann") is not None
            done = Finish(run_id="run", step_id="s1", worker="ann", attempt=1, letter=result("s1"))
            assert await b.world.finish_tasks([done]) == (True,)
            assert await twin.claim_soon("bob") == ["run"]
            assert await b.everything() == await twin.everything()

        await self._with_twin(b, case)

    @scenario
    async def test_the_other_is_woken(self, b: Bench) -> None:
        """Who waits for a change learns of a commit of the other."""

        async def case(b: Bench, twin: Bench) -> None:
            seen = await twin.quiet()
            waiting = asyncio.create_task(twin.world.wait_for_change(seen, None))
            await asyncio.sleep(0)
            await b.start()
            assert await asyncio.wait_for(waiting, 60) != seen

        await self._with_twin(b, case)

    @scenario
    async def test_both_at_once(self, b: Bench) -> None:
        """Keys, tokens, numbers and secrets are handed out once, whoever asks whom."""

        async def case(b: Bench, twin: Bench) -> None:
            both = [b, twin] * 6
            keyed = await asyncio.gather(
                *(
                    each.world.create(
                        NewRun(
                            run_id=f"k{n}", workflow="f", input=b"", meta=b"{}", idempotency_key="k"
                        )
                    )
                    for n, each in enumerate(both)
                )
            )
            assert sum(each.created for each in keyed) == 1
            assert len({each.run_id for each in keyed}) == 1
            made = await asyncio.gather(*(each.world.secret("s") for each in both))
            assert len(set(made)) == 1
            run_id = keyed[0].run_id
            await asyncio.gather(
                *(each.world.post(run_id, Letter(kind="wake", dedupe="d")) for each in both),
                *(each.world.post(run_id, Letter(kind="wake")) for each in both),
            )
            letters = await b.world.list_letters(run_id)
            assert [letter.n for letter in letters] == list(range(2, 3 + len(both)))
            assert [letter.dedupe for letter in letters].count("d") == 1
            owned = [await each.own(f"r{n}") for n, each in enumerate(both)]
            token = (NewToken(token="t", ref="h"),)
            opened = await asyncio.gather(
                *(
                    each.world.append(each.append(run, open_tokens=token))
                    for each, run in zip(both, owned, strict=True)
                )
            )
            types = sorted(answer.opened[0].type for answer in opened)
            assert types == ["hook_conflict"] * (len(both) - 1) + ["hook_created"]

        await self._with_twin(b, case)

    @scenario
    async def test_both_claim(self, b: Bench) -> None:
        """Of many runs and tasks none is given to both."""

        async def case(b: Bench, twin: Bench) -> None:
            await b.with_tasks(*(task(f"s{n}") for n in range(12)), run_id="tasks")
            for n in range(12):
                await b.start(f"r{n}")
            workers = [(b, "ann"), (twin, "bob")] * 3
            runs = await asyncio.gather(*(each.claim(who, 3) for each, who in workers))
            tasks = await asyncio.gather(
                *(each.world.claim_tasks(who, 3, ["step"]) for each, who in workers)
            )
            runs += [await b.claim("ann"), await twin.claim("bob")]
            tasks += [await b.world.claim_tasks("ann", 99, ["step"])]
            handed = sorted(run_id for claimed in runs for run_id in claimed)
            assert handed == sorted(f"r{n}" for n in range(12))
            steps = sorted(each.step_id for claimed in tasks for each in claimed)
            assert steps == sorted(f"s{n}" for n in range(12))

        await self._with_twin(b, case)

    @scenario
    async def test_both_append(self, b: Bench) -> None:
        """Of two appends at one head one is accepted, and none of an owner of before."""

        async def case(b: Bench, twin: Bench) -> None:
            run = await b.own()
            answers = await asyncio.gather(
                *(
                    each.world.append(each.append(run, events=(called(f"s{n}"),)))
                    for n, each in enumerate([b, twin] * 4)
                )
            )
            assert sum(answer.ok for answer in answers) == 1
            run = await b.run()
            await twin.world.leave("ann")
            assert await twin.claim("bob") == ["run"]
            assert not (await b.world.append(b.append(run, events=(called("late"),)))).ok
            assert len(await twin.log()) == 1

        await self._with_twin(b, case)

    @scenario
    async def test_the_others_lease(self, b: Bench) -> None:
        """A beat frees what is held by a worker of the other whose lease has run out."""

        async def case(b: Bench, twin: Bench) -> None:
            await b.beat("ann", 10)
            await b.own()
            until = b.clock.now() + 30 * SECOND
            await twin.world.beat(WorkerRecord(worker="bob", lease_until=until))
            assert {each.worker for each in await b.world.list_workers()} == {"ann", "bob"}
            assert await twin.claim("bob") == []
            b.clock.advance(10)
            assert await twin.beat("bob") == 1
            assert await twin.claim("bob") == ["run"]

        await self._with_twin(b, case)
