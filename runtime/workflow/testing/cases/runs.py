"""Creating runs, mail, and who may claim what when."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from workflow.errors import WorkflowRunNotFoundError
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
from workflow.world.records import Created, Letter, NewRun, NewToken

__all__ = ["ClaimCases", "CreateCases", "MailCases"]


class CreateCases(Cases):
    """`create`."""

    @scenario
    async def test_create_writes_event_one(self, b: Bench) -> None:
        """A new run is pending and its log holds `run_created` with its input and meta."""
        await b.start(attributes={"a": "1"}, meta=b'{"seed": "5"}', parent_ref=None)
        run = await b.run()
        assert (run.status, run.head, run.owner, run.fence) == ("pending", 1, None, 0)
        assert (run.input, run.attributes, run.created_at) == (b"in", {"a": "1"}, b.clock.now())
        (event,) = await b.world.list_events("run")
        assert (event.seq, event.type, event.payload) == (1, "run_created", b"in")
        assert (event.name, event.meta, event.at) == ("flow", b'{"seed": "5"}', b.clock.now())

    @scenario
    async def test_create_makes_due(self, b: Bench) -> None:
        """A new run is due at once, for one claimer."""
        await b.start()
        assert await b.claim("ann") == ["run"]
        assert await b.claim("bob") == []

    @scenario
    async def test_create_later(self, b: Bench) -> None:
        """A run with a start time is due from that time on and not before."""
        await b.start(start_at=b.clock.now() + 5 * SECOND)
        b.clock.advance(4.999999)
        assert await b.claim() == []
        b.clock.advance(0.000001)
        assert await b.claim() == ["run"]

    @scenario
    async def test_idempotency_key(self, b: Bench) -> None:
        """A key gives the same run again for the same workflow, also after the run has ended."""
        await b.end(await b.own("first", idempotency_key="k"))
        again = NewRun(run_id="second", workflow="flow", input=b"", meta=b"{}", idempotency_key="k")
        assert await b.world.create(again) == Created(run_id="first", created=False)
        assert await b.world.get_run("second") is None
        await b.start("third", workflow="other", idempotency_key="k")

    @scenario
    async def test_idempotency_key_race(self, b: Bench) -> None:
        """Many creations under one key at the same time make one run."""
        created = await asyncio.gather(
            *(
                b.world.create(
                    NewRun(run_id=f"r{n}", workflow="f", input=b"", meta=b"{}", idempotency_key="k")
                )
                for n in range(20)
            )
        )
        assert sum(each.created for each in created) == 1
        assert len({each.run_id for each in created}) == 1

    @scenario
    async def test_existing_run_id(self, b: Bench) -> None:
        """Creating a run that exists changes nothing and says so."""
        await b.start()
        before = await b.everything()
        again = NewRun(run_id="run", workflow="other", input=b"x", meta=b"{}")
        assert await b.world.create(again) == Created(run_id="run", created=False)
        assert await b.everything() == before


class MailCases(Cases):
    """`post` and `post_to_token`."""

    @scenario
    async def test_letters_are_numbered_in_order(self, b: Bench) -> None:
        """Each letter raises the mail counter by one and lies under that number."""
        await b.start()
        b.clock.advance(1)
        for ref in ("a", "b"):
            posted = await b.world.post("run", Letter(kind="wake", ref=ref, payload=b"", meta=b"m"))
            assert (posted.outcome, posted.run_id) == ("posted", "run")
        letters = await b.world.list_letters("run")
        assert [(x.n, x.ref, x.at) for x in letters] == [
            (2, "a", b.clock.now()),
            (3, "b", b.clock.now()),
        ]
        assert (letters[0].payload, letters[0].meta, letters[0].kind) == (b"", b"m", "wake")
        assert (await b.run()).mail == 3

    @scenario
    async def test_concurrent_letters(self, b: Bench) -> None:
        """Letters posted at the same time get numbers without gaps."""
        await b.start()
        await asyncio.gather(
            *(b.world.post("run", Letter(kind="wake", ref=str(n))) for n in range(20))
        )
        letters = await b.world.list_letters("run")
        assert [x.n for x in letters] == list(range(2, 22))
        assert {x.ref for x in letters} == {str(n) for n in range(20)}

    @scenario
    async def test_missing_run(self, b: Bench) -> None:
        """A letter to a run that does not exist is answered `missing`."""
        assert (await b.world.post("nobody", Letter(kind="wake"))).outcome == "missing"

    @scenario
    async def test_dedupe(self, b: Bench) -> None:
        """A dedupe key is accepted once per run, also when its letter was used long ago."""
        run = await b.own()
        letter = Letter(kind="hook_received", dedupe="k")
        assert (await b.world.post("run", letter)).outcome == "posted"
        assert (await b.world.post("run", letter)).outcome == "duplicate"
        run = await b.turn(await b.run(), eat=(2,))
        assert (await b.world.post("run", letter)).outcome == "duplicate"
        assert (run.mail, await b.world.list_letters("run")) == (2, ())
        await b.start("other")
        assert (await b.world.post("other", letter)).outcome == "posted"

    @scenario
    async def test_duplicate_after_end(self, b: Bench) -> None:
        """A letter that came in time is still answered `duplicate` when its run has ended."""
        run = await b.own()
        letter = Letter(kind="hook_received", dedupe="k")
        await b.world.post("run", letter)
        await b.end(run)
        assert (await b.world.post("run", letter)).outcome == "duplicate"

    @scenario
    async def test_nudge(self, b: Bench) -> None:
        """A nudge makes a run due and leaves no letter."""
        await b.turn(await b.own(), release=True)
        assert await b.claim() == []
        assert (await b.world.post("run", Letter(kind="nudge"))).outcome == "posted"
        assert await b.world.list_letters("run") == ()
        assert await b.claim() == ["run"]

    @scenario
    async def test_mail_of_ended_run(self, b: Bench) -> None:
        """Letters that come after the end are answered `ended`, kept once, and make nothing due."""
        await b.end(await b.own())
        letter = Letter(kind="hook_received", ref="h", dedupe="k")
        for _ in range(2):
            assert (await b.world.post("run", letter)).outcome == "ended"
        assert (await b.world.post("run", Letter(kind="nudge"))).outcome == "ended"
        assert [x.ref for x in await b.world.list_letters("run")] == ["h"]
        assert await b.claim() == []

    @scenario
    async def test_undelivered_mail_is_kept(self, b: Bench) -> None:
        """A letter that no turn used before the end stays readable."""
        run = await b.own()
        await b.world.post("run", Letter(kind="hook_received", ref="h"))
        await b.end(run)
        assert [x.ref for x in await b.world.list_letters("run")] == ["h"]

    @scenario
    async def test_post_to_token(self, b: Bench) -> None:
        """A letter to a token goes to the run that holds it, with the hook's id as its ref."""
        run = await b.turn(await b.own(), open_tokens=(NewToken(token="t", ref="hook_1"),))
        posted = await b.world.post_to_token("t", Letter(kind="hook_received", payload=b"p"))
        assert (posted.outcome, posted.run_id, posted.ref) == ("posted", "run", "hook_1")
        (letter,) = await b.world.list_letters("run")
        assert (letter.ref, letter.payload) == ("hook_1", b"p")
        run = await b.turn(run, close_tokens=("hook_1",))
        for token in ("t", "never"):
            posted = await b.world.post_to_token(token, Letter(kind="hook_received"))
            assert posted.outcome == "missing"

    @scenario
    async def test_post_to_token_of_one_hook(self, b: Bench) -> None:
        """A letter with a ref is for the hook with this id, not for another that has its token."""
        run = await b.turn(await b.own(), open_tokens=(NewToken(token="t", ref="h1"),))
        letter = Letter(kind="hook_received", ref="h1", payload=b"p")
        assert (await b.world.post_to_token("t", letter)).outcome == "posted"
        second = NewToken(token="t", ref="h2")
        await b.turn(run, close_tokens=("h1",), open_tokens=(second,))
        assert (await b.world.post_to_token("t", letter)).outcome == "missing"
        assert (await b.world.post_to_token("t", replace(letter, ref="h2"))).outcome == "posted"
        assert [x.ref for x in await b.world.list_letters("run")] == ["h1", "h2"]


class ClaimCases(Cases):
    """`claim_runs`: when a run is due, and who gets it."""

    @scenario
    async def test_claim_takes_ownership(self, b: Bench) -> None:
        """A claim sets the owner and raises the fence and the count of claims."""
        await b.start()
        (run,) = (await b.world.claim_runs("ann", 1)).runs
        assert (run.owner, run.fence, run.claims) == ("ann", 1, 1)
        assert await b.run() == run

    @scenario
    async def test_claims_are_counted_until_an_append(self, b: Bench) -> None:
        """Claims add up while nothing is appended, and an append sets the count to zero."""
        await b.start()
        for n in (1, 2, 3):
            assert await b.claim(f"worker {n}") == ["run"]
            run = await b.run()
            assert (run.fence, run.claims) == (n, n)
            await b.world.leave(f"worker {n}")
        await b.claim()
        assert (await b.turn(await b.run())).claims == 0

    @scenario
    async def test_oldest_due_first(self, b: Bench) -> None:
        """Runs are handed out in the order they became due, at most `limit` of them."""
        await b.start("timer", start_at=b.clock.now() + 2 * SECOND)
        b.clock.advance(1)
        await b.start("early")
        b.clock.advance(2)
        await b.start("late")
        assert await b.claim(limit=2) == ["early", "timer"]
        assert await b.claim(limit=2) == ["late"]

    @scenario
    async def test_due_since_the_oldest_unseen_letter(self, b: Bench) -> None:
        """Further letters do not put a run back in the queue; an append does, with mail unseen."""
        for run_id in ("one", "two", "three"):
            await b.turn(await b.own(run_id), release=True)
        for run_id in ("two", "one", "three", "two"):
            await b.world.post(run_id, Letter(kind="wake"))
            b.clock.advance(1)
        first, second = (await b.world.claim_runs("ann", 2)).runs
        assert (first.run_id, second.run_id) == ("two", "one")
        await b.turn(first, seen=0, release=True)
        assert await b.claim() == ["three", "two"]

    @scenario
    async def test_concurrent_claims(self, b: Bench) -> None:
        """Two claimers never get the same run."""
        for n in range(10):
            await b.start(f"r{n}")
        claimed = await asyncio.gather(*(b.claim(f"worker {n}", 3) for n in range(5)))
        handed = [run_id for each in claimed for run_id in each]
        assert sorted(handed) == [f"r{n}" for n in range(10)]

    @scenario
    async def test_mail_is_counted_not_flagged(self, b: Bench) -> None:
        """A letter that comes while the owner appends keeps the run due after its release."""
        run = await b.own()
        await b.world.post("run", Letter(kind="wake"))
        await b.turn(run, release=True)  # has seen the mail as it was before the letter
        assert await b.claim() == ["run"]

    @scenario
    async def test_seen_mail_is_not_due(self, b: Bench) -> None:
        """A run whose owner has seen all mail and released it is not due, eaten letters or not."""
        await b.own()
        await b.world.post("run", Letter(kind="wake"))
        await b.turn(await b.run(), release=True)
        assert await b.claim() == []
        assert len(await b.world.list_letters("run")) == 1

    @scenario
    async def test_timers(self, b: Bench) -> None:
        """A released run is due from its `next_timer` on; the next append replaces the timer."""
        run = await b.own()
        await b.turn(run, next_timer=b.clock.now() + SECOND, release=True)
        b.clock.advance(0.999999)
        assert await b.claim() == []
        b.clock.advance(0.000001)
        assert await b.claim() == ["run"]
        await b.turn(await b.run(), next_timer=None, release=True)
        b.clock.advance(100)
        assert await b.claim() == []

    @scenario
    async def test_timers_missed_while_down(self, b: Bench) -> None:
        """Timers that passed while nobody claimed are handed out in due order, each once."""
        for run_id, seconds in (("c", 3), ("a", 1), ("b", 2)):
            await b.start(run_id, start_at=b.clock.now() + seconds * SECOND)
        b.clock.advance(60)
        assert await b.claim() == ["a", "b", "c"]
        assert await b.claim() == []

    @scenario
    async def test_look(self, b: Bench) -> None:
        """`look` names own runs with unseen mail or a due timer, not the newly claimed ones."""
        mailed = await b.own("mailed")
        timed = await b.own("timed")
        await b.own("foreign", worker="bob")
        mailed, timed = await b.turn(mailed), await b.turn(timed, next_timer=b.clock.now() + SECOND)
        assert (await b.world.claim_runs("ann", 9)).look == ()
        await b.world.post("mailed", Letter(kind="wake"))
        await b.world.post("foreign", Letter(kind="wake"))
        await b.start("new")
        claimed = await b.world.claim_runs("ann", 9)
        assert ([run.run_id for run in claimed.runs], claimed.look) == (["new"], ("mailed",))
        b.clock.advance(1)
        look = (await b.world.claim_runs("ann", 0)).look
        assert sorted(look) == ["mailed", "new", "timed"]

    @scenario
    async def test_next_due(self, b: Bench) -> None:
        """`next_due` is the next later timer of own and unowned runs, or of free tasks."""
        now = b.clock.now()
        assert (await b.world.claim_runs("ann", 9)).next_due is None
        foreign = await b.own("foreign", worker="bob")
        await b.turn(foreign, next_timer=now + SECOND)
        assert (await b.world.claim_runs("ann", 9)).next_due is None
        own = await b.turn(await b.own("own"), next_timer=now + 5 * SECOND)
        assert (await b.world.claim_runs("ann", 9)).next_due == now + 5 * SECOND
        await b.start("unowned", start_at=now + 4 * SECOND)
        assert (await b.world.claim_runs("ann", 9)).next_due == now + 4 * SECOND
        await b.turn(own, add_tasks=(task("s", run_at=now + 3 * SECOND),))
        assert (await b.world.claim_runs("ann", 9)).next_due == now + 3 * SECOND
        b.clock.advance(3)
        assert (await b.world.claim_runs("ann", 9)).next_due == now + 4 * SECOND

    @scenario
    async def test_load(self, b: Bench) -> None:
        """`load` gives the run, the events after a position, and the first letters in order."""
        run = await b.own()
        run = await b.turn(
            run, events=(called("s1"), called("s2"), called("s3")), add_tasks=(task("s1"),)
        )
        await b.world.post("run", Letter(kind="wake"))
        await b.world.post("run", result("s2"))
        await b.world.post("run", Letter(kind="step_failed", ref="s3"))
        loaded = await b.world.load("run", after=2, limit=1)
        assert loaded.run == await b.run()
        assert [event.seq for event in loaded.events] == [3, 4]
        assert [letter.kind for letter in loaded.letters] == ["wake"]
        assert (loaded.tasks, loaded.lettered) == (frozenset({"s1"}), frozenset({"s2", "s3"}))
        assert loaded.now == b.clock.now()
        with raises(WorkflowRunNotFoundError):
            await b.world.load("nobody")
