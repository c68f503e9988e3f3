"""Values that cannot be recorded, in each of the places where a run hands one over."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from tests import postgres
from tests.project import Events, build, loaded
from workflow.api import list_runs, resume_hook, start
from workflow.engine import Application
from workflow.errors import SerializationError, WorkflowRunFailedError
from workflow.world.port import World
from workflow.worlds import local, memory

FLOWS = """
    import threading
    from dataclasses import dataclass, field

    from pydantic import BaseModel

    from workflow import create_hook, step_options
    from workflow.errors import SerializationError

    calls = []

    class Strange:
        pass

    class Moody(Exception):
        def __getattribute__(self, name):
            if name in ("__notes__", "__class__"):
                raise RuntimeError("not today")
            return super().__getattribute__(name)

    @step_options(max_retries=5, backoff=0)
    async def moody() -> object:
        "use step"
        calls.append("moody")
        return [Moody("held")]

    @step_options(max_retries=1, backoff=0)
    async def throws() -> object:
        "use step"
        calls.append("throws")
        raise Moody("thrown")

    async def hostile(flow: str) -> object:
        "use workflow"
        return await (moody() if flow == "moody" else throws())

    @dataclass
    class Order:
        id: int
        items: list[object] = field(default_factory=list)

    async def take(order: Order) -> str:
        "use step"
        calls.append("take")
        return "taken"

    @step_options(max_retries=5, backoff=0)
    async def give() -> object:
        "use step"
        calls.append("give")
        return {"orders": [Order(1, [threading.Lock()])]}

    async def size(numbers: list[int]) -> int:
        "use step"
        calls.append("size")
        return sum(numbers)

    async def begin(order: Order) -> str:
        "use workflow"
        return "begun"

    async def bad_argument(catch: bool) -> str:
        "use workflow"
        try:
            return await take(Order(1, [{"callback": lambda: 0}]))
        except SerializationError as error:
            if not catch:
                raise
            return f"{error.path}: " + await take(Order(2))

    async def bad_step_result(catch: bool) -> str:
        "use workflow"
        try:
            await give()
        except SerializationError as error:
            if not catch:
                raise
            return f"{error.path}: " + await take(Order(2))
        return "never"

    async def bad_result(_: bool) -> object:
        "use workflow"
        await take(Order(1))
        return {"order": Order(1, [0, x for x in range(3)])}

    async def bad_metadata(_: bool) -> str:
        "use workflow"
        try:
            create_hook(metadata={"f": [lambda: 0]})
        except SerializationError as error:
            return error.path
        return "never"

    async def payload() -> str:
        "use workflow"
        return await create_hook(token="payload")
""".replace("[0, x for x in range(3)]", "[0, (x for x in range(3))]")


@pytest.fixture(params=["memory", "local", "postgres"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    if request.param == "memory":
        return memory.create()
    if request.param == "local":
        return local.create_local_world(data_dir=tmp_path / "data")
    return postgres.new_world()


@pytest.mark.fault("F42")
def test_start_arguments_fail_at_the_caller(world: World, tmp_path: Path) -> None:
    """`start()` names the field, and no run was made."""
    project = build(tmp_path, FLOWS)

    async def main() -> None:
        async with Application(world, project):
            flows = loaded(tmp_path)
            order = flows.Order(1, ["x", {"lock": threading.Lock()}])
            with pytest.raises(SerializationError, match="synchronisation object") as caught:
                await start(flows.begin, order)
            assert caught.value.path == "args.order.items[1].lock"
            assert [run async for run in list_runs()] == []

    asyncio.run(main())


PLACES = {
    "bad_argument": ("args.order.items[0].callback", 0, 1),
    "bad_step_result": ("result.orders[0].items[0]", 1, 2),
}


@pytest.mark.fault("F42")
@pytest.mark.parametrize("flow", PLACES)
@pytest.mark.parametrize("catch", [True, False], ids=["caught", "uncaught"])
def test_steps_fail_by_their_call(world: World, tmp_path: Path, flow: str, catch: bool) -> None:
    """An argument or result fails that call at once, with its path; uncaught it fails the run.

    A step is not tried again for it, however many retries it has.
    """
    project = build(tmp_path, FLOWS)
    path, uncaught, caught_calls = PLACES[flow]

    async def main() -> None:
        async with Application(world, project):
            flows = loaded(tmp_path)
            run = await start(getattr(flows, flow), catch)
            if catch:
                assert await run.result(60) == f"{path}: taken"
                assert len(flows.calls) == caught_calls
            else:
                with pytest.raises(WorkflowRunFailedError) as failed:
                    await run.result(60)
                cause = failed.value.__cause__
                assert isinstance(cause, SerializationError)
                assert cause.path == path
                assert path in str(cause)
                assert len(flows.calls) == uncaught

    asyncio.run(main())


HOSTILE = {
    "moody": (1, "RuntimeError: not today"),
    "throws": (2, "Moody: thrown"),
}


@pytest.mark.parametrize("flow", HOSTILE)
def test_code_that_fails_while_it_is_recorded(world: World, tmp_path: Path, flow: str) -> None:
    """A result or an error whose own code raises when it is looked at is that step's failure, and
    the step is tried as often as it says."""
    project = build(tmp_path, FLOWS)
    tries, text = HOSTILE[flow]

    async def main() -> None:
        async with Application(world, project):
            flows = loaded(tmp_path)
            run = await start(flows.hostile, flow)
            with pytest.raises(WorkflowRunFailedError) as failed:
                await run.result(60)
            assert text in str(failed.value.__cause__)
            assert flows.calls == [flow] * tries

    asyncio.run(main())


def test_a_workflow_result_fails_the_run_once(world: World, tmp_path: Path) -> None:
    """The run ends as failed with the path; it is neither parked nor claimed again."""
    project = build(tmp_path, FLOWS)

    async def main() -> None:
        async with Application(world, project):
            run = await start(loaded(tmp_path).bad_result, False)
            with pytest.raises(WorkflowRunFailedError) as failed:
                await run.result(60)
            cause: Any = failed.value.__cause__
            assert isinstance(cause, SerializationError)
            assert cause.path == "return value.order.items[1]"
            record = await world.get_run(run.run_id)
            assert record is not None
            assert (record.status, record.parked) == ("failed", None)
            assert record.error_code == "serialization"
            events = await Events.of(world, run.run_id)
            assert [e.type for e in events.all].count("run_failed") == 1

    asyncio.run(main())


def test_hooks_say_where(world: World, tmp_path: Path) -> None:
    """Metadata fails in the body, a payload at whoever resumes; the hook stays open."""
    project = build(tmp_path, FLOWS)

    async def main() -> None:
        async with Application(world, project) as application:
            flows = loaded(tmp_path)
            run = await start(flows.bad_metadata, False)
            assert await run.result(60) == "metadata.f[0]"
            waiting = await start(flows.payload)
            change = 0
            while await application.world.get_hook("payload") is None:
                change = await application.world.wait_for_change(change, None)
            with pytest.raises(SerializationError) as caught:
                await resume_hook("payload", {"a": [flows.Strange()]})
            assert caught.value.path == "payload.a[0]"
            await resume_hook("payload", "fine")
            assert await waiting.result(60) == "fine"

    asyncio.run(main())
