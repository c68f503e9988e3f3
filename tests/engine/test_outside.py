"""Runs as a process sees them that has no application: a script that opens nothing itself."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.postgres import new_world
from tests.project import build, loaded, until
from workflow import sync
from workflow.api import Run, get_run, resume_run, set_world, start
from workflow.engine import Application
from workflow.errors import (
    WorkflowRunNotCompletedError,
    WorkflowRunNotFoundError,
)
from workflow.worlds import memory
from workflow.worlds.local import create_local_world
from workflow.worlds.postgres import create_postgres_world

FLOWS = """
    from workflow import create_hook, get_writable, pending_action

    async def tell(text: str) -> str:
        "use step"
        await get_writable().write(text)
        return text

    async def tells(text: str) -> str:
        "use workflow"
        return await tell(text)

    async def asks() -> str:
        "use workflow"
        return await pending_action("name")
"""


async def paused(app: Application, run: Run[Any]) -> None:
    """Wait until the run waits for a person."""

    async def look() -> bool:
        return await run.status == "paused"

    await until(app.world, look, what="the question")


SCRIPT = """
import asyncio, sys

from workflow import sync
from workflow.api import get_run
from workflow.errors import WorkflowRunNotFoundError

done, asking = sys.argv[1:]

async def main():
    run = get_run(done)
    print(await run.status, await run, await run.exists, [x async for x in run.readable])
    print(await get_run("wrun_none").exists)
    try:
        await get_run("wrun_none")
    except WorkflowRunNotFoundError as error:
        print(error.code)
    asked = get_run(asking)
    print(await asked.status, (await asked.pending_action).step)
    await asked.resume("name", "Ada")

asyncio.run(main())
print(sync.get_run(done).status, sync.get_run(done).result())
"""


def test_a_fresh_script_reads_and_answers(tmp_path: Path) -> None:
    """`get_run` alone is enough: the world is opened by the first thing that is awaited."""
    project = build(tmp_path, FLOWS)
    data = tmp_path / "data"

    async def main() -> None:
        async with Application(create_local_world(data), project) as app:
            flows = loaded(tmp_path)
            done = await start(flows.tells, "hello")
            assert await done.result(60) == "hello"
            asking = await start(flows.asks)
            await paused(app, asking)
            script = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", SCRIPT, done.run_id, asking.run_id),
                cwd=tmp_path,
                env={"WORKFLOW_EMBEDDED_DATA_DIR": str(data)},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            out, err = await script.communicate()
            assert out.decode().splitlines() == [
                "completed hello True ['hello']",
                "False",
                "run-not-found",
                "paused name",
                "completed hello",
            ], err.decode()
            assert await asking.result(60) == "Ada"  # its end comes from another process's answer

    asyncio.run(main())


@pytest.mark.parametrize("kind", ["local", "postgres"])
def test_a_world_that_was_only_named(tmp_path: Path, kind: str) -> None:
    """Every read and every call of a handle opens it, whichever is the first."""
    project = build(tmp_path, FLOWS)
    world = new_world() if kind == "postgres" else create_local_world(tmp_path / "data")

    async def prepare() -> str:
        async with Application(world, project) as app:
            run = await start(loaded(tmp_path).asks)
            await paused(app, run)
            return run.run_id

    def another() -> object:
        if kind == "local":
            return create_local_world(tmp_path / "data")
        return create_postgres_world(world.database.url, schema=world.database.schema)  # type: ignore[union-attr]

    async def look(run_id: str) -> None:
        for read in ("status", "pending_actions", "created_at", "deadline", "attributes"):
            fresh = another()
            set_world(fresh)  # type: ignore[arg-type]
            assert await getattr(get_run(run_id), read) is not ...
            await fresh.close()  # type: ignore[attr-defined]
        fresh = another()
        set_world(fresh)  # type: ignore[arg-type]
        await resume_run(run_id, "name", "Ada")
        await fresh.close()  # type: ignore[attr-defined]

    try:
        asyncio.run(look(asyncio.run(prepare())))
    finally:
        set_world(None)


def test_a_run_that_is_not_done_in_time(tmp_path: Path) -> None:
    """`result(timeout)` says what the run is doing, and is a TimeoutError."""
    project = build(tmp_path, FLOWS)

    async def main() -> None:
        async with Application(memory.create(), project):
            run = await start(loaded(tmp_path).asks)
            with pytest.raises(TimeoutError) as late:
                await run.result("20ms")
            assert isinstance(late.value, WorkflowRunNotCompletedError)
            assert (late.value.run_id, late.value.code) == (run.run_id, "run-not-completed")
            assert late.value.status in ("pending", "running", "paused")
            with pytest.raises(WorkflowRunNotFoundError):
                await get_run("wrun_none").result("20ms")

    asyncio.run(main())


def test_the_blocking_client_asks_and_answers(tmp_path: Path) -> None:
    """`workflow.sync` has the questions, the answers, deadlines and families as well."""
    project = build(tmp_path, FLOWS)
    world = create_local_world(tmp_path / "data")

    def script() -> None:
        flows = loaded(tmp_path)
        run = sync.with_options(deadline="1h").start(flows.asks)
        assert run.deadline is not None
        while run.pending_action is None:
            pass
        assert [action.step for action in run.pending_actions] == ["name"]
        assert [r.run_id for r in sync.list_runs(parent=run)] == []
        run.resume("name", "Ada")
        assert run.result(60) == "Ada"
        other = sync.start(flows.asks)
        while not other.pending_actions:
            pass
        sync.resume_run(other.run_id, "name", input="Bob")
        assert other.result(60) == "Bob"

    async def main() -> None:
        async with Application(world, project):
            await asyncio.to_thread(script)

    asyncio.run(main())
