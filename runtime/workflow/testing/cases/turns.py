"""Appends: applied whole or not at all, under the fence and at the head."""

from __future__ import annotations

import asyncio

from msgspec import json, structs

from workflow.testing.cases.bench import Bench, Cases, called, scenario, task
from workflow.world.records import (
    Append,
    Letter,
    NewEvent,
    NewRun,
    NewToken,
    Parked,
    RunFilter,
    RunRecord,
)

__all__ = ["AppendCases", "RefusalCases"]


class AppendCases(Cases):
    """What an accepted append does."""

    @scenario
    async def test_events_are_numbered_without_gaps(self, b: Bench) -> None:
        """Events are written in order, with all their fields, and the head is the last one's."""
        run = await b.own()
        first = NewEvent(type="a", at=5, ref="r", name="n", payload=b"", meta=b"{}")
        answer = await b.world.append(b.append(run, events=(first, called("s1"))))
        assert (answer.ok, answer.head, answer.mail, answer.opened) == (True, 3, 1, ())
        one, two = await b.log()
        assert (one.seq, one.type, one.at, one.ref, one.name) == (2, "a", 5, "r", "n")
        assert (one.payload, one.meta, two.seq, two.ref) == (b"", b"{}", 3, "s1")
        run = await b.turn(await b.run(), events=(NewEvent(type="b", at=6),))
        third = (await b.log())[-1]
        assert (run.head, third.seq, third.payload, third.meta) == (4, 4, None, None)

    @scenario
    async def test_first_append_starts_the_run(self, b: Bench) -> None:
        """The first append that writes events makes the run `running`, once."""
        run = await b.own()
        run = await b.turn(run)
        assert (run.status, run.started_at) == ("pending", None)
        b.clock.advance(1)
        run = await b.turn(run, events=(called("s1"),))
        started = b.clock.now()
        assert (run.status, run.started_at) == ("running", started)
        b.clock.advance(1)
        assert (await b.turn(run, events=(called("s2"),))).started_at == started

    @scenario
    async def test_times_are_those_of_the_append(self, b: Bench) -> None:
        """Start, end and hooks of a run have the time that its owner gives, not the world's."""
        run = await b.own()
        at = b.clock.now()
        b.clock.advance(1)
        asked = b.append(run, at=at, open_tokens=(NewToken(token="t", ref="h"),))
        (opened,) = (await b.world.append(asked)).opened
        (hook,) = await b.world.list_hooks()
        assert (opened.at, hook.created_at, (await b.run()).started_at) == (at, at, at)
        assert (await b.end(await b.run(), at=at + 1)).completed_at == at + 1

    @scenario
    async def test_a_run_is_paused_and_goes_on(self, b: Bench) -> None:
        """`status` of an append is the run's from then on, and can be searched; an end is stronger.

        A paused run is open: it takes letters, is claimed, parked and terminated like any other.
        """
        run = await b.own()
        run = await b.turn(run, events=(called("s1"),), status="paused")
        assert (run.status, run.started_at) == ("paused", b.clock.now())
        assert (await b.turn(run, events=(called("s2"),))).status == "paused"
        page = await b.world.list_runs(RunFilter(status="paused"))
        assert [each.run_id for each in page.items] == ["run"]
        assert (await b.world.post("run", Letter(kind="wake"))).outcome == "posted"
        run = await b.turn(await b.run(), status="running")
        assert run.status == "running"
        assert (await b.world.list_runs(RunFilter(status="paused"))).items == ()
        run = await b.turn(run, status="paused")
        reason = Parked(code="divergence", reason="for a test")
        assert await b.world.park("run", run.owner or "", run.fence, reason)
        assert (await b.run()).status == "paused"
        assert await b.world.unpark("run")
        assert await b.claim() == ["run"]
        run = await b.run()
        run = await b.turn(run, status="paused", end="completed", output=b"")
        assert run.status == "completed"

    @scenario
    async def test_used_letters_are_deleted(self, b: Bench) -> None:
        """`eat` deletes exactly the letters it names, and `seen` never goes back."""
        run = await b.own()
        for ref in "abc":
            await b.world.post("run", Letter(kind="wake", ref=ref))
        run = await b.turn(run, eat=(2, 4), seen=4)
        assert [letter.ref for letter in await b.world.list_letters("run")] == ["b"]
        assert run.seen == 4
        assert (await b.turn(run, seen=1)).seen == 4

    @scenario
    async def test_release(self, b: Bench) -> None:
        """An append keeps the run its worker's, unless it gives the run up."""
        run = await b.turn(await b.own())
        assert run.owner == "ann"
        assert (await b.turn(run, release=True)).owner is None

    @scenario
    async def test_attributes_are_merged(self, b: Bench) -> None:
        """Attributes of an append are added to the run's, and None removes one."""
        run = await b.own(attributes={"a": "1", "b": "2"})
        run = await b.turn(run, attributes={"b": None, "c": "3", "never": None})
        assert run.attributes == {"a": "1", "c": "3"}
        assert (await b.turn(run)).attributes == {"a": "1", "c": "3"}

    @scenario
    async def test_pin(self, b: Bench) -> None:
        """Bundle and Python of the first turn stay when later appends name none."""
        run = await b.turn(await b.own(), bundle="hash", python="3.12")
        assert (run.bundle, run.python) == ("hash", "3.12")
        run = await b.turn(run)
        assert (run.bundle, run.python) == ("hash", "3.12")

    @scenario
    async def test_letters_to_other_runs(self, b: Bench) -> None:
        """Letters of an append reach open runs, stay with ended ones, and skip missing ones."""
        run = await b.own()
        await b.turn(await b.own("open"), release=True)
        await b.end(await b.own("ended"))
        letter = Letter(kind="cancel", ref="c", dedupe="k")
        sent = tuple((to, letter) for to in ("open", "open", "ended", "missing", "run"))
        answer = await b.world.append(b.append(run, letters=sent))
        assert answer.mail == 2, "a letter to itself counts"
        for run_id in ("open", "ended", "run"):
            assert [x.ref for x in await b.world.list_letters(run_id)] == ["c"]
        assert await b.claim("bob") == ["open"]

    @scenario
    async def test_tasks_are_added_and_dropped(self, b: Bench) -> None:
        """An append drops tasks first, then adds those that are not there yet."""
        run = await b.turn(await b.own(), add_tasks=(task("a", attempt=3), task("b"), task("c")))
        await b.turn(run, drop_tasks=("b", "c"), add_tasks=(task("a"), task("c", attempt=1)))
        tasks = {each.step_id: each.attempt for each in await b.world.list_tasks("run")}
        assert tasks == {"a": 3, "c": 1}

    @scenario
    async def test_children(self, b: Bench) -> None:
        """Children are created with their parent's append; one that exists is left alone."""
        run = await b.own()
        await b.start("old", input=b"old")
        fields = {"workflow": "kid", "input": b"new", "meta": b"{}", "parent_run": "run"}
        children = tuple(
            NewRun(run_id=run_id, parent_ref=f"ref {run_id}", **fields)  # type: ignore[arg-type]
            for run_id in ("old", "new")
        )
        await b.turn(run, children=children)
        old, new = await b.run("old"), await b.run("new")
        assert (old.input, old.parent_run) == (b"old", None)
        assert (new.input, new.parent_run, new.parent_ref) == (b"new", "run", "ref new")
        assert (await b.world.list_events("new"))[0].type == "run_created"
        assert sorted(await b.claim()) == ["new", "old"]

    @scenario
    async def test_end(self, b: Bench) -> None:
        """A terminal append sets the outcome and removes owner, timer, tasks and tokens."""
        run = await b.own()
        run = await b.turn(
            run, add_tasks=(task("s1"),), open_tokens=(NewToken(token="t", ref="h"),), next_timer=1
        )
        b.clock.advance(1)
        run = await b.end(run, end="failed", output=b"why", error_code="fatal")
        assert (run.status, run.output, run.error_code) == ("failed", b"why", "fatal")
        assert (run.completed_at, run.owner, run.next_timer) == (b.clock.now(), None, None)
        assert await b.world.list_tasks("run") == ()
        assert await b.world.get_hook("t") is None
        b.clock.advance(100)
        assert await b.claim() == []

    @scenario
    async def test_end_posts_to_the_parent(self, b: Bench) -> None:
        """The end of a child puts a `child_ended` letter into its parent's mail with the end."""
        await b.own("parent")
        child = {"parent_run": "parent", "parent_ref": "child_1"}
        await b.end(await b.own("kid 1", **child), end="completed", output=b"out")
        await b.own("kid 2", **child)
        await b.world.terminate("kid 2", NewEvent(type="run_cancelled", at=0), b"err", "cut")
        letters = await b.world.list_letters("parent")
        assert [(x.kind, x.ref, x.name, x.payload) for x in letters] == [
            ("child_ended", "child_1", "flow", b"out"),
            ("child_ended", "child_1", "flow", b"err"),
        ]
        assert [json.decode(x.meta or b"") for x in letters] == [
            {"status": "completed"},
            {"status": "cancelled", "code": "cut"},
        ]

    @scenario
    async def test_end_of_an_orphan(self, b: Bench) -> None:
        """A child may end after its parent; the letter is kept undelivered."""
        await b.end(await b.own("parent"))
        await b.end(await b.own("kid", parent_run="parent", parent_ref="child_1"))
        assert [x.kind for x in await b.world.list_letters("parent")] == ["child_ended"]
        await b.end(await b.own("lost", parent_run="pruned long ago", parent_ref="child_1"))


class RefusalCases(Cases):
    """When an append is refused, and that nothing of it is left then."""

    async def _refused(self, b: Bench, append: Append) -> None:
        await b.own("other", worker="zoe")
        before = await b.everything(append.run_id), await b.everything("other")
        full = {
            "events": (called("x"),),
            "eat": (1, 2, 3),
            "add_tasks": (task("x"),),
            "drop_tasks": ("s1",),
            "open_tokens": (NewToken(token="x", ref="x"),),
            "close_tokens": ("h",),
            "children": (NewRun(run_id="x", workflow="f", input=b"", meta=b"{}"),),
            "letters": (("other", Letter(kind="cancel")),),
            "attributes": {"x": "x"},
            "bundle": "x",
            "release": True,
        }
        answer = await b.world.append(structs.replace(append, **full))
        assert not answer.ok
        assert (await b.everything(append.run_id), await b.everything("other")) == before
        assert await b.world.get_run("x") is None
        assert await b.world.get_hook("x") is None

    async def _busy(self, b: Bench) -> RunRecord:
        """A run that has one of everything."""
        run = await b.own()
        await b.world.post("run", Letter(kind="wake"))
        token = NewToken(token="t", ref="h")
        return await b.turn(run, add_tasks=(task("s1"),), open_tokens=(token,))

    @scenario
    async def test_old_fence(self, b: Bench) -> None:
        """After another claim the old owner's append is refused although the head has not moved."""
        run = await self._busy(b)
        await b.world.leave("ann")
        assert await b.claim("bob") == ["run"]
        assert (await b.run()).head == run.head
        await self._refused(b, b.append(run))

    @scenario
    async def test_wrong_head(self, b: Bench) -> None:
        """An append that expects another head is refused, be it too old or too new."""
        run = await self._busy(b)
        for expected in (run.head - 1, run.head + 1):
            answer = await b.world.append(b.append(run, expected=expected, events=(called("x"),)))
            assert not answer.ok
        await self._refused(b, b.append(run, expected=run.head - 1))

    @scenario
    async def test_repeated(self, b: Bench) -> None:
        """The same append sent again is refused: its head and fence tell that it is in."""
        run = await b.own()
        asked = b.append(run, events=(called("s1"),))
        assert (await b.world.append(asked)).ok
        assert not (await b.world.append(asked)).ok
        now = await b.run()
        assert (now.head, now.fence) == (asked.expected + 1, asked.fence)

    @scenario
    async def test_ended(self, b: Bench) -> None:
        """Nothing is appended to a run that has ended."""
        run = await b.end(await self._busy(b))
        await self._refused(b, b.append(run))

    @scenario
    async def test_parked(self, b: Bench) -> None:
        """Nothing is appended to a parked run."""
        run = await self._busy(b)
        assert await b.world.park("run", "ann", run.fence, Parked(code="c", reason="r"))
        await self._refused(b, b.append(run))

    @scenario
    async def test_missing(self, b: Bench) -> None:
        """An append to a run that does not exist is refused."""
        run = await b.own()
        asked = structs.replace(b.append(run), run_id="nobody")
        assert not (await b.world.append(asked)).ok

    @scenario
    async def test_racing(self, b: Bench) -> None:
        """Of many appends at the same head one is accepted."""
        run = await b.own()
        appends = [b.append(run, events=(called(f"s{n}"),)) for n in range(10)]
        answers = await asyncio.gather(*map(b.world.append, appends))
        assert sum(answer.ok for answer in answers) == 1
        assert len(await b.log()) == 1

    @scenario
    async def test_freed_but_not_claimed(self, b: Bench) -> None:
        """Losing the lease alone refuses nothing: the fence decides, and the run is owned again."""
        run = await b.own()
        await b.world.leave("ann")
        run = await b.turn(run, events=(called("s1"),))
        assert run.owner == "ann"
