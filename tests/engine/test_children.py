"""Children: runs that a workflow body starts and awaits. On every world, with real workers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.engine.serving import START, MakeWorld, serve
from tests.project import Events, ended, until
from workflow.api import get_run, list_runs, resume_hook, start
from workflow.engine import Application
from workflow.errors import WorkflowRunCancelledError, WorkflowRunFailedError
from workflow.testing.clock import VirtualClock
from workflow.world.port import World
from workflow.world.records import RunRecord
from workflow.worlds import memory


async def children_of(world: World, parent: str) -> list[RunRecord]:
    """The runs that a run has started, in the order it did."""
    log = await world.list_events(parent)
    found = [await world.get_run(e.ref) for e in log if e.type == "child_created"]
    return [run for run in found if run is not None]


FAMILY = """
    import asyncio
    from dataclasses import dataclass

    from workflow import get_workflow_metadata
    from workflow.api import Run, start, with_options

    @dataclass
    class Parcel:
        weight: int

    async def add(a: int, b: int) -> int:
        "use step"
        return a + b

    async def who() -> str | None:
        "use step"
        return get_workflow_metadata().parent_run_id

    async def child(a: int, b: int = 10) -> int:
        "use workflow"
        return await add(a, b)

    async def packs(parcel: Parcel) -> Parcel:
        "use workflow"
        return Parcel(parcel.weight + 1)

    async def parent(a: int) -> dict:
        "use workflow"
        run: Run[int] = await start(child, a)
        known = run.run_id
        return {"known": known, "sum": await run, "again": await run.return_value}

    async def many(n: int) -> list[int]:
        "use workflow"
        runs = await asyncio.gather(*[start(child, i, b=1) for i in range(n)])
        return await asyncio.gather(*runs)

    async def tree(depth: int) -> int:
        "use workflow"
        if depth == 0:
            return 1
        left, right = [await start(tree, depth - 1) for _ in range(2)]
        return await left + await right

    async def by_name() -> list[int]:
        "use workflow"
        run = await start("child", a=1, b=2)
        full = await start(f"workflow//{__name__.replace('.', '/')}.py//child", 3)
        return [await run, await full.result("1h")]

    async def copies() -> list[int]:
        "use workflow"
        run = await start(packs, Parcel(1))
        first = await run
        first.weight = 100
        second = await run
        return [first.weight, second.weight]

    async def lineage() -> list[str | None]:
        "use workflow"
        return [get_workflow_metadata().parent_run_id, await who()]

    async def descends() -> dict:
        "use workflow"
        me = get_workflow_metadata()
        found = await (await start(lineage))
        return {"me": me.workflow_run_id, "mine": me.parent_run_id, "child": found}

    async def optioned() -> str:
        "use workflow"
        run = await with_options(attributes={"kind": "kid"}, delay="1h").start(child, 1)
        await run
        return run.run_id

    async def forgets() -> str:
        "use workflow"
        return (await start(child, 1, 2)).run_id
"""


def test_a_child_is_awaited(make_world: MakeWorld, tmp_path: Path) -> None:
    """The child runs with its recorded arguments and defaults; its result comes to the parent."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.parent, 5)
        result = await run.result(60)
        (child,) = await children_of(app.world, run.run_id)
        assert result == {"known": child.run_id, "sum": 15, "again": 15}
        assert (child.parent_run, child.parent_ref) == (run.run_id, child.run_id)
        assert app.codec.decode(child.input) == {"a": 5, "b": 10}
        assert await get_run(child.run_id) == 15
        log = await Events.of(app.world, run.run_id)
        assert log.types() == ["run_created", "child_created", "child_ended", "run_completed"]
        assert log.named("child_created") == log.named("child_ended") == ["child"]

    serve(make_world, tmp_path, FAMILY, play)


def test_many_children_at_once(make_world: MakeWorld, tmp_path: Path) -> None:
    """Children that are gathered run side by side, and their results keep their order."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.many, 12)
        assert await run.result(60) == list(range(1, 13))
        assert len({c.run_id for c in await children_of(app.world, run.run_id)}) == 12

    serve(make_world, tmp_path, FAMILY, play)


def test_children_of_children(make_world: MakeWorld, tmp_path: Path) -> None:
    """A child starts children of its own, also of the same workflow."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        assert await (await start(flows.tree, 3)).result(60) == 8
        assert len([run async for run in list_runs(workflow=flows.tree)]) == 15

    serve(make_world, tmp_path, FAMILY, play)


def test_a_child_by_its_name(make_world: MakeWorld, tmp_path: Path) -> None:
    """An id string or a unique name will do, with positional arguments too."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        assert await (await start(flows.by_name)).result(60) == [3, 13]

    serve(make_world, tmp_path, FAMILY, play)


def test_each_await_gives_a_copy(make_world: MakeWorld, tmp_path: Path) -> None:
    """Classes of the project come back, and changing one result does not change the next."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        assert await (await start(flows.copies)).result(60) == [100, 2]

    serve(make_world, tmp_path, FAMILY, play)


def test_a_child_knows_its_parent(make_world: MakeWorld, tmp_path: Path) -> None:
    """`parent_run_id` is the same in the child's body and its steps; a run without has None."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.descends)
        found = await run.result(60)
        assert found == {"me": run.run_id, "mine": None, "child": [run.run_id, run.run_id]}

    serve(make_world, tmp_path, FAMILY, play)


def test_options_of_a_child(make_world: MakeWorld, tmp_path: Path) -> None:
    """Attributes make the child findable; a delayed one does not begin before its time."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.optioned)

        async def there() -> bool:
            return bool(await children_of(app.world, run.run_id))

        await until(app.world, there)
        (child,) = await children_of(app.world, run.run_id)
        assert (child.status, child.attributes["kind"]) == ("pending", "kid")
        assert child.next_timer == (START + 3600) * 1_000_000
        clock.advance(3601)
        assert await run.result(60) == child.run_id
        assert [r.run_id async for r in list_runs(attributes={"kind": "kid"})] == [child.run_id]

    serve(make_world, tmp_path, FAMILY, play)


def test_a_child_outlives_its_parent(make_world: MakeWorld, tmp_path: Path) -> None:
    """A parent that returns at once leaves its child running; the child's end is kept."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.forgets)
        child = await run.result(60)
        assert await get_run(child).result(60) == 3
        assert await run.status == "completed"
        assert [x.kind for x in await app.world.list_letters(run.run_id)] == ["child_ended"]

    serve(make_world, tmp_path, FAMILY, play)


TROUBLE = """
    import asyncio

    from workflow import create_hook, sleep
    from workflow.api import start, with_options
    from workflow.errors import (
        RunEndedError, WorkflowRunCancelledError, WorkflowRunFailedError,
        WorkflowRunNotCompletedError,
    )

    async def note(text: str) -> str:
        "use step"
        return text

    async def broken(n: int) -> int:
        "use workflow"
        raise ValueError(f"no {n}")

    async def sleeper() -> str:
        "use workflow"
        try:
            await sleep("1000 days")
        finally:
            await note("cleaned")
        return "slept"

    async def answered() -> str:
        "use workflow"
        return await create_hook(token="answer", timeout="1000 days")

    async def catches() -> list[str]:
        "use workflow"
        run = await start(broken, 1)
        found = []
        for _ in range(2):
            try:
                await run
            except WorkflowRunFailedError as error:
                cause = error.__cause__
                found.append([type(cause).__name__, str(cause), error.error_code, error.run_id])
        return found

    async def falls() -> None:
        "use workflow"
        await (await start(broken, 2))

    async def falls_deeper() -> None:
        "use workflow"
        await (await start(falls))

    async def cancels(twice: bool) -> list[str]:
        "use workflow"
        run = await start(sleeper)
        await note("started")
        await run.cancel("not needed")
        try:
            await run
        except WorkflowRunCancelledError as error:
            found = [error.reason, error.run_id == run.run_id]
        if twice:
            try:
                await run.cancel()
            except RunEndedError as error:
                found.append("ended")
        return found

    async def cancels_unbegun() -> str:
        "use workflow"
        run = await with_options(delay="1 day").start(sleeper)
        await run.cancel("never mind")
        try:
            await run
        except WorkflowRunCancelledError as error:
            return error.reason

    async def limits() -> list[str]:
        "use workflow"
        run = await start(answered)
        try:
            await run.result("1h")
        except WorkflowRunNotCompletedError as late:
            assert isinstance(late, TimeoutError)
            return [str(late).replace(run.run_id, "it"), await run]

    async def patient() -> str:
        "use workflow"
        run = await start(sleeper)
        try:
            return await run
        except asyncio.CancelledError:
            await note(run.run_id)
            raise

    async def passes_on() -> str:
        "use workflow"
        run = await start(sleeper)
        try:
            return await run
        except asyncio.CancelledError:
            await run.cancel("parent")
            raise

    async def mistaken(what: str) -> str:
        "use workflow"
        given = {"step": note, "plain": mistaken_helper, "name": "nobody", "value": 3}
        try:
            if what == "arguments":
                await start(broken)  # wfc: ignore[WF915] what happens then
            elif what == "unreadable":
                await start(broken, asyncio.Lock())
            elif what == "option":
                await with_options(**{"idempotency_key": "k"}).start(broken, 1)
            elif what == "status":
                run = await start(answered)
                await run.status
            else:
                await start(given[what], 1)
        except Exception as error:
            return f"{type(error).__name__}: {error}"

    def mistaken_helper(n):
        return n
"""


def test_a_child_that_fails(make_world: MakeWorld, tmp_path: Path) -> None:
    """Each await raises WorkflowRunFailedError with the child's error and code."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.catches)
        found = await run.result(60)
        (child,) = await children_of(app.world, run.run_id)
        assert found == [["ValueError", "no 1", "user-error", child.run_id]] * 2

    serve(make_world, tmp_path, TROUBLE, play)


def test_a_failure_goes_up_through_the_parents(make_world: MakeWorld, tmp_path: Path) -> None:
    """A parent that does not catch it fails with it; the chain of causes ends at the first."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.falls_deeper)
        with pytest.raises(WorkflowRunFailedError) as caught:
            await run.result(60)
        chain: list[BaseException] = [caught.value]
        while chain[-1].__cause__ is not None:
            chain.append(chain[-1].__cause__)
        assert [type(e).__name__ for e in chain] == ["WorkflowRunFailedError"] * 3 + ["ValueError"]
        assert caught.value.error_code == "run-failed"
        assert "raise ValueError" in "".join(chain[-2].__notes__)

    serve(make_world, tmp_path, TROUBLE, play)


@pytest.mark.parametrize("twice", [False, True])
def test_a_child_is_cancelled_by_its_parent(
    make_world: MakeWorld, tmp_path: Path, twice: bool
) -> None:
    """Its body cleans up, and whoever awaits it gets the reason; a second request is refused."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.cancels, twice)
        found = await run.result(60)
        assert found == ["not needed", True] + ["ended"] * twice
        (child,) = await children_of(app.world, run.run_id)
        assert child.status == "cancelled"

    serve(make_world, tmp_path, TROUBLE, play)


def test_a_child_is_cancelled_before_it_began(make_world: MakeWorld, tmp_path: Path) -> None:
    """A delayed child that is cancelled ends without its body, with the reason."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        assert await (await start(flows.cancels_unbegun)).result(60) == "never mind"

    serve(make_world, tmp_path, TROUBLE, play)


def test_waiting_for_a_child_can_have_a_limit(make_world: MakeWorld, tmp_path: Path) -> None:
    """After the time-out the child goes on and can be awaited again."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.limits)

        async def hook_and_limit() -> bool:
            log = await Events.of(app.world, run.run_id)
            hook = await app.world.get_hook("answer")
            return "wait_created" in log.types() and hook is not None

        await until(app.world, hook_and_limit)
        clock.advance(3601)

        async def late() -> bool:
            return "wait_completed" in (await Events.of(app.world, run.run_id)).types()

        await until(app.world, late)
        await resume_hook("answer", "here")
        assert await run.result(60) == ["it did not end within 3600 s; it goes on", "here"]

    serve(make_world, tmp_path, TROUBLE, play)


@pytest.mark.parametrize("name", ["patient", "passes_on"])
def test_cancelling_a_parent(make_world: MakeWorld, tmp_path: Path, name: str) -> None:
    """It sees CancelledError; its child goes on unless the body cancels it."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(getattr(flows, name))

        async def sleeps() -> bool:
            found = await children_of(app.world, run.run_id)
            return bool(found and found[0].next_timer)

        await until(app.world, sleeps)
        await run.cancel("enough")
        with pytest.raises(WorkflowRunCancelledError):
            await run.result(60)
        (child,) = await children_of(app.world, run.run_id)
        if name == "patient":
            assert child.status == "running"
            clock.advance(1001 * 86400)
            assert await get_run(child.run_id).result(60) == "slept"
        else:
            assert (await ended(app, child.run_id)).status == "cancelled"
            assert "cleaned" in str((await app.world.list_events(child.run_id))[-2].payload)

    serve(make_world, tmp_path, TROUBLE, play)


def test_a_child_that_is_terminated(make_world: MakeWorld, tmp_path: Path) -> None:
    """An end without the child's body reaches the parent as well, with its reason."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.patient)

        async def sleeps() -> bool:
            found = await children_of(app.world, run.run_id)
            return bool(found and found[0].next_timer)

        await until(app.world, sleeps)
        (child,) = await children_of(app.world, run.run_id)
        await get_run(child.run_id).terminate("switched off")
        with pytest.raises(WorkflowRunFailedError, match="switched off") as caught:
            await run.result(60)
        assert isinstance(caught.value.__cause__, WorkflowRunCancelledError)

    serve(make_world, tmp_path, TROUBLE, play)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("step", "WorkflowNotRegisteredError: note is a step; start() takes a workflow"),
        ("plain", "WorkflowNotRegisteredError: mistaken_helper is not a workflow"),
        ("name", "WorkflowNotRegisteredError: workflow 'nobody' is not known; there are:"),
        ("value", "WorkflowNotRegisteredError: int is not a workflow"),
        ("arguments", "TypeError: broken(n: 'int') -> 'int': missing a required argument: 'n'"),
        ("unreadable", "SerializationError: "),
        ("option", "TypeError: idempotency_key= is not for workflow code"),
        ("status", "ContextError: run.status is read from the database"),
    ],
)
def test_mistakes_are_errors_of_the_body(tmp_path: Path, what: str, said: str) -> None:
    """What cannot be started raises where it is started, and the body may catch it."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.mistaken, what)
        found = await run.result(60)
        assert found is not None
        assert found.startswith(said) or said.replace("'int'", "int") in found, found

    serve(memory.create, tmp_path, TROUBLE, play)
