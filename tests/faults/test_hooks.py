"""Hooks that are resumed too early, too late, twice, and by many at once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.postgres import new_world
from tests.project import Events, build, ended, loaded, until
from workflow.api import get_run, resume_hook, start
from workflow.codec import Codec
from workflow.engine import Application
from workflow.errors import HookNotFoundError, WorkflowRunFailedError
from workflow.world.port import World
from workflow.world.records import Letter
from workflow.worlds.local import create_local_world
from workflow.worlds.memory import MemoryWorld

FLOWS = """
    from workflow import create_hook, sleep

    async def note(n: int) -> int:
        "use step"
        return n

    async def collects(token: str) -> list[int]:
        "use workflow"
        got = []
        hook = create_hook(int, token=token)
        async for n in hook:
            if n < 0:
                break
            got.append(await note(n))
        return got

    async def one(token: str) -> int:
        "use workflow"
        return await create_hook(int, token=token)

    async def again_and_again(token: str, times: int) -> list[int]:
        "use workflow"
        got = []
        for _ in range(times):
            hook = create_hook(int, token=token)
            got.append(await hook)
            hook.dispose()
        return got
"""


@pytest.fixture(params=["memory", "local", "postgres"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    if request.param == "local":
        return create_local_world(tmp_path / "data")
    return new_world() if request.param == "postgres" else MemoryWorld()


async def open_hook(app: Application, token: str) -> None:
    """Wait until a token can be resumed."""

    async def look() -> bool:
        return await app.world.get_hook(token) is not None

    await until(app.world, look, what=f"the hook {token}")


async def resumed(token: str, n: int) -> bool:
    """Resume; whether it was taken."""
    try:
        await resume_hook(token, n)
    except HookNotFoundError:
        return False
    return True


@pytest.mark.fault("F27")
def test_a_hook_that_is_not_there(world: World, tmp_path: Path) -> None:
    """Before it is created and after its run has ended, resuming is an error that has a name, and
    the payload reaches nobody."""
    project = build(tmp_path, FLOWS)

    async def main() -> None:
        async with Application(world, project) as app:
            with pytest.raises(HookNotFoundError, match="early"):
                await resume_hook("early", 1)
            run = await start(loaded(tmp_path).one, "early")
            await open_hook(app, "early")
            await resume_hook("early", 2)
            assert await run.result(60) == 2
            await ended(app, run.run_id)
            with pytest.raises(HookNotFoundError, match="early"):
                await resume_hook("early", 3)
            log = await Events.of(app.world, run.run_id)
            assert log.types().count("hook_received") == 1

    asyncio.run(main())


@pytest.mark.fault("F27")
def test_a_payload_that_is_sent_twice(world: World, tmp_path: Path) -> None:
    """Sent again under its dedupe key, as a caller does that has not heard the answer, a payload is
    received once: by the run that waits, and while nobody looks."""
    project = build(tmp_path, FLOWS)

    async def main() -> None:
        async with Application(world, project) as app:
            run = await start(loaded(tmp_path).collects, "t")
            await open_hook(app, "t")
            letters = [
                Letter(kind="hook_received", payload=Codec().encode(n), dedupe=f"k{n}")
                for n in (1, 2, 3)
                for _ in range(5)
            ]
            await asyncio.gather(*(app.world.post_to_token("t", x) for x in letters))
            await asyncio.gather(*(app.world.post_to_token("t", x) for x in letters))
            await resume_hook("t", -1)
            assert sorted(await run.result(60)) == [1, 2, 3]
            log = await Events.of(app.world, run.run_id)
            assert log.types().count("hook_received") == 4

    asyncio.run(main())


@pytest.mark.fault("F27")
def test_many_resume_while_the_hook_comes_and_goes(world: World, tmp_path: Path) -> None:
    """Forty payloads race with the creation and the end of the hook: what was taken arrives, each
    once; what was refused does not."""
    project = build(tmp_path, FLOWS)

    async def main() -> None:
        async with Application(world, project):
            run = await start(loaded(tmp_path).collects, "t")
            trials = 0

            async def insist(n: int) -> None:
                nonlocal trials
                while not await resumed("t", n):
                    trials += 1
                    await asyncio.sleep(0)

            async with asyncio.timeout(60), asyncio.TaskGroup() as group:
                for n in range(40):
                    group.create_task(insist(n))
            late = range(100, 120)
            answers = await asyncio.gather(resumed("t", -1), *(resumed("t", n) for n in late))
            taken = {n for n, answer in zip(late, answers[1:], strict=True) if answer}
            got = await run.result(60)
            assert len(got) == len(set(got))
            assert set(range(40)) <= set(got) <= set(range(40)) | taken
            assert trials > 0

    asyncio.run(main())


@pytest.mark.fault("F27")
def test_two_runs_with_one_token(world: World, tmp_path: Path) -> None:
    """The run that comes second fails with the name of the first, and the first gets the
    payload."""
    project = build(tmp_path, FLOWS)

    async def main() -> None:
        async with Application(world, project) as app:
            first = await start(loaded(tmp_path).one, "t")
            await open_hook(app, "t")
            others = [await start(loaded(tmp_path).one, "t") for _ in range(5)]
            for other in others:
                with pytest.raises(WorkflowRunFailedError, match=first.run_id):
                    await other.result(60)
            await resume_hook("t", 7)
            assert await first.result(60) == 7

    asyncio.run(main())


@pytest.mark.fault("C8")
def test_a_hook_in_a_loop(world: World, tmp_path: Path) -> None:
    """A run that creates a hook with one token again and again does not get into its own way, also
    when it is replayed by another process in between."""
    project = build(tmp_path, FLOWS)
    if isinstance(world, MemoryWorld):
        again: World = world
    elif world.name == "local":
        again = create_local_world(tmp_path / "data")
    else:
        again = new_world(schema=world.database.schema)  # type: ignore[attr-defined]

    async def main() -> None:
        async def give(app: Application, numbers: range) -> None:
            for n in numbers:

                async def look(n: int = n) -> bool:
                    log = await Events.of(app.world, run.run_id)
                    return log.types().count("hook_created") == n + 1

                await until(app.world, look, what=f"hook {n}")
                await resume_hook("t", n)

        async with Application(world, project) as app:
            run: Any = await start(loaded(tmp_path).again_and_again, "t", 4)
            await give(app, range(2))
        async with Application(again, project) as app:
            await give(app, range(2, 4))
            assert await get_run(run.run_id).result(60) == [0, 1, 2, 3]

    asyncio.run(main())
