"""What a world has to keep as it was given: any bytes, any text; and what it cannot keep."""

from __future__ import annotations

import asyncio
from typing import Any

from workflow.errors import WorkflowError
from workflow.testing.cases.bench import SECOND, Bench, Cases, scenario
from workflow.world.records import (
    Append,
    ChunkWrite,
    Finish,
    HookFilter,
    Letter,
    NewEvent,
    NewRun,
    NewTask,
    NewToken,
    Parked,
    RunFilter,
    WorkerRecord,
)

__all__ = ["ValueCases"]

BYTES = bytes(range(256))
TEXT = "Zürich \N{SNOWMAN} \U0001f600 ' \" \\ %s {} \n -- ; é"
OTHERS = ("Ä", "a", "B", "_", "%")


class ValueCases(Cases):
    """Payloads are opaque, names are any text that is Unicode."""

    @scenario
    async def test_bytes_are_kept(self, b: Bench) -> None:
        """Every payload comes back byte for byte, and an empty one is not a missing one."""
        world = b.world
        for given in (BYTES, b""):
            run = await b.own(f"run {len(given)}", input=given)
            run_id = run.run_id
            await world.post(run_id, Letter(kind="wake", payload=given, meta=given))
            run = await b.turn(
                run,
                events=(NewEvent(type="x", at=1, payload=given, meta=given),),
                add_tasks=(NewTask(step_id="s", name="n", payload=given, error=given, meta=given),),
                open_tokens=(NewToken(token=run_id, ref="h", metadata=given, meta=given),),
            )
            wrote = ChunkWrite(
                run_id=run_id, stream="s", step_id="s", attempt=1, worker="ann", fence=run.fence,
                chunks=(given, given),
            )  # fmt: skip
            assert await world.write_chunks(wrote) == 0
            await world.put_bundle(run_id, given)
            page = await world.read_chunks(run_id, "s", 0, 9)
            (letter,) = await world.list_letters(run_id)
            (task,) = await world.list_tasks(run_id)
            (hook,) = await world.list_hooks(run_id)
            first, second, _ = await world.list_events(run_id)
            for kept in (
                run.input, first.payload, second.payload, second.meta, letter.payload, letter.meta,
                task.payload, task.error, task.meta, hook.metadata, hook.meta,
                *(chunk.data for chunk in page.chunks), await world.get_bundle(run_id),
            ):  # fmt: skip
                assert kept == given
            assert (await b.end(await b.run(run_id), output=given)).output == given

    @scenario
    async def test_nothing_is_not_empty(self, b: Bench) -> None:
        """What was not given comes back as None."""
        await b.start("other")
        run = await b.turn(
            await b.own(),
            events=(NewEvent(type="x", at=1),),
            add_tasks=(NewTask(step_id="s", name="n", payload=b""),),
            open_tokens=(NewToken(token="t", ref="h"),),
        )
        await b.world.post("run", Letter(kind="wake"))
        assert (run.idempotency_key, run.parent_run, run.parent_ref) == (None, None, None)
        assert (run.output, run.error_code, run.bundle, run.python) == (None, None, None, None)
        assert (run.next_timer, run.parked, run.completed_at) == (None, None, None)
        (letter,) = await b.world.list_letters("run")
        (task,) = await b.world.list_tasks("run")
        (hook,) = await b.world.list_hooks("run")
        event = (await b.log())[0]
        assert (letter.payload, letter.meta, letter.dedupe) == (None, None, None)
        assert (task.error, task.meta, task.owner) == (None, None, None)
        assert (hook.metadata, hook.meta, hook.webhook) == (None, None, False)
        assert (event.payload, event.meta) == (None, None)

    @scenario
    async def test_texts_are_kept(self, b: Bench) -> None:
        """Names are any text, and are compared exactly: case, accents and wildcards count."""
        world = b.world
        run = await b.own(
            TEXT, workflow=TEXT, idempotency_key=TEXT, attributes={TEXT: TEXT}, parent_ref=TEXT
        )
        assert (run.run_id, run.workflow, run.idempotency_key) == (TEXT, TEXT, TEXT)
        assert (run.attributes, run.parent_ref) == ({TEXT: TEXT}, TEXT)
        await world.post(TEXT, Letter(kind="wake", ref=TEXT, name=TEXT, dedupe=TEXT))
        (letter,) = await world.list_letters(TEXT)
        assert (letter.ref, letter.name, letter.dedupe) == (TEXT, TEXT, TEXT)
        event = NewEvent(type=TEXT, at=1, ref=TEXT, name=TEXT)
        tasks = tuple(NewTask(step_id=name, name=name, payload=b"") for name in (TEXT, *OTHERS))
        tokens = tuple(NewToken(token=name, ref=name) for name in (TEXT, *OTHERS))
        run = await b.turn(
            run, events=(event,), add_tasks=tasks, open_tokens=tokens, bundle=TEXT, python=TEXT
        )
        log = await b.log(TEXT)
        assert (log[0].type, log[0].ref, log[0].name) == (TEXT, TEXT, TEXT)
        assert [each.type for each in log[1:]] == ["hook_created"] * len(tokens)
        for name in (TEXT, *OTHERS):
            hook = await world.get_hook(name)
            assert hook is not None
            assert (hook.token, hook.hook_id) == (name, name)
            (task,) = await world.claim_tasks(TEXT, 9, [name])
            assert (task.step_id, task.name, task.owner) == (name, name, TEXT)
        for name in ("ä", "A", "b", "x"):
            assert await world.get_hook(name) is None
        why = Parked(code=TEXT, reason=TEXT, position=7)
        assert await world.park(TEXT, "ann", run.fence, why)
        assert (await b.run(TEXT)).parked == why
        found = await world.list_runs(RunFilter(workflow=TEXT, attributes={TEXT: TEXT}))
        assert [each.run_id for each in found.items] == [TEXT]

    @scenario
    async def test_large_numbers_and_many_rows(self, b: Bench) -> None:
        """Times have 64 bits, and the tenth event, letter and chunk come after the ninth."""
        late = 2**62
        run = await b.turn(await b.own(start_at=None), next_timer=late)
        assert run.next_timer == late
        events = tuple(NewEvent(type="x", at=late, ref=str(n)) for n in range(120))
        run = await b.turn(run, events=events, add_tasks=(NewTask(
            step_id="s", name="step", payload=b"x" * 1_000_000, run_at=late),
        ))  # fmt: skip
        log = await b.log()
        assert [(e.ref, e.seq, e.at) for e in log] == [(str(n), n + 2, late) for n in range(120)]
        for n in range(12):
            await b.world.post("run", Letter(kind="wake", ref=str(n)))
        loaded = await b.world.load("run", after=9, limit=11)
        assert [event.seq for event in loaded.events] == list(range(10, 122))
        assert [letter.ref for letter in loaded.letters] == [str(n) for n in range(11)]
        (task,) = await b.world.list_tasks("run")
        assert (task.run_at, len(task.payload)) == (late, 1_000_000)

    @scenario
    async def test_what_no_store_can_keep(self, b: Bench) -> None:
        """Texts that a store may not take hurt nobody but the caller, who gets a WorkflowError.

        They come from outside: from the address of a request, say. Runs are not found under them.
        """
        await b.beat("ann")
        await b.own()
        for odd in ("\ud800", "a\0b"):
            asked = [
                b.world.get_run(odd),
                b.world.load(odd),
                b.world.read_chunks(odd, "s", 0, 1),
                b.world.read_chunks("run", odd, 0, 1),
                b.world.list_streams(odd),
                b.world.get_hook(odd),
                b.world.list_hooks(odd),
                b.world.find_hooks(HookFilter(run_id=odd)),
                b.world.find_hooks(HookFilter(prefix=odd)),
                b.world.list_events(odd),
                b.world.list_tasks(odd),
                b.world.list_letters(odd),
                b.world.list_runs(RunFilter(workflow=odd)),
                b.world.list_runs(RunFilter(attributes={odd: "a"})),
                b.world.list_runs(RunFilter(attributes={"a": odd})),
                b.world.list_unclaimed([odd]),
                b.world.get_bundle(odd),
                *self._odd_writes(b, odd),
            ]
            fine = [
                b.world.get_run("run"),
                b.world.load("run"),
                b.world.read_chunks("run", "s", 0, 1),
                b.world.post("run", Letter(kind="wake", ref="fine")),
                b.world.beat(WorkerRecord(worker="ann", lease_until=b.clock.now() + SECOND)),
            ]
            answers = await asyncio.gather(*asked, *fine, return_exceptions=True)
            raw = [x for x in answers if isinstance(x, BaseException)]
            assert all(isinstance(x, WorkflowError) for x in raw), raw
            assert answers[0] is None
            for answer in answers[len(asked) :]:
                assert not isinstance(answer, BaseException), answer
        assert [x.ref for x in await b.world.list_letters("run")].count("fine") == 2
        assert (await b.run()).owner == "ann"

    def _odd_writes(self, b: Bench, odd: str) -> list[Any]:
        world, now = b.world, b.clock.now()
        return [
            world.post(odd, Letter(kind="wake")),
            world.post("run", Letter(kind="wake", ref=odd)),
            world.post("run", Letter(kind="wake", dedupe=odd)),
            world.post_to_token(odd, Letter(kind="wake")),
            world.create(NewRun(run_id=odd, workflow="f", input=b"", meta=b"{}")),
            world.create(NewRun(run_id="odd", workflow=odd, input=b"", meta=b"{}")),
            world.create(
                NewRun(run_id="odd", workflow="f", input=b"", meta=b"{}", idempotency_key=odd)
            ),
            world.create(
                NewRun(run_id="odd", workflow="f", input=b"", meta=b"{}", attributes={"a": odd})
            ),
            world.append(
                Append(
                    run_id="run", worker="ann", fence=0, expected=9, at=now,
                    events=(NewEvent(type="x", at=now, name=odd),),
                )
            ),
            world.finish_tasks(
                [Finish(run_id=odd, step_id="s", worker="ann", attempt=1, letter=None)]
            ),
            world.write_chunks(
                ChunkWrite(run_id="run", stream=odd, step_id="s", attempt=1, worker="ann")
            ),
            world.claim_runs(odd, 0),
            world.claim_tasks("ann", 9, [odd]),
            world.park("run", odd, 0, Parked(code="x", reason=odd)),
            world.unpark("run", bundle=odd),
            world.terminate(odd, NewEvent(type="x", at=now), b"", "x"),
            world.beat(WorkerRecord(worker=odd, lease_until=now)),
            world.leave(odd),
            world.put_bundle(odd, b""),
            world.secret(odd),
        ]  # fmt: skip
