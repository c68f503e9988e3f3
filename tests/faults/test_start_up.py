"""In whatever order things come up: the database, the application, the workers, the work."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from tests import postgres
from tests.end_to_end.server import EMAIL
from tests.faults.stage import ROOT, Stage, Target, alive, ended, kill, soon
from tests.http.doubles import Server
from tests.ports import free_port
from tests.project import build, loaded
from workflow.api import get_run, start
from workflow.engine import Application
from workflow.http.mount import with_workflow
from workflow.world.port import World
from workflow.world.records import RunFilter
from workflow.worlds.memory import MemoryWorld


@pytest.mark.fault("F10", "C6")
def test_a_server_before_its_database(tmp_path: Path) -> None:
    """An application whose database is down does not come up, and its last words say why; started
    again beside a database that is up it works."""
    server = postgres.Server()
    try:
        schema = postgres.new_world(at=server.url).database.schema
        server.stop()
        port = free_port()
        with Stage(tmp_path, "local").clearing() as stage:
            environment = {
                **stage.environment,
                "WORKFLOW_TARGET_WORLD": "postgres",
                "WORKFLOW_POSTGRES_URL": server.url,
                "WORKFLOW_POSTGRES_JOB_PREFIX": schema.removeprefix("workflow_"),
            }
            command = [sys.executable, "-m", "uvicorn", "examples.signup.app:app"]
            command += ["--port", str(port), "--log-level", "warning"]
            early = subprocess.run(
                command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60,
                check=False,
            )  # fmt: skip
            assert early.returncode != 0
            assert "does not answer" in early.stderr
            server.start()
            process = subprocess.Popen(
                command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )  # fmt: skip
            try:
                asyncio.run(_signs_up(f"http://127.0.0.1:{port}"))
            finally:
                process.kill()
                process.wait()
    finally:
        server.remove()


def _gone(pid: int) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        return not alive(pid)

    return look


async def _signs_up(url: str) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:

        async def look() -> httpx.Response | None:
            try:
                return await client.post("/signup", json={"email": EMAIL})
            except httpx.TransportError:
                return None

        answer = await soon(look, "an answer")
        assert answer.status_code < 300


@pytest.mark.fault("F10")
def test_a_host_name_that_cannot_be_resolved(tmp_path: Path) -> None:
    """A worker whose DNS does not know the database yet says so, and keeps trying until it is asked
    to stop."""
    with Stage(tmp_path, "postgres").clearing() as stage:
        process = stage.begin_worker(WORKFLOW_POSTGRES_URL="postgres://me@database.invalid/world")
        assert process.stderr is not None
        for _ in range(2):
            line = process.stderr.readline()
            assert "database.invalid" in line
            assert "trying again in" in line
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        assert process.returncode in (0, -signal.SIGTERM)


@pytest.mark.fault("C6")
def test_work_is_done_while_the_application_still_starts(tmp_path: Path) -> None:
    """Runs that were due come to their end while the application is in its own start-up and answers
    no request yet: steps need no HTTP."""
    project = build(
        tmp_path,
        """
        async def double(n: int) -> int:
            "use step"
            return 2 * n

        async def flow(n: int) -> int:
            "use workflow"
            return await double(n)
        """,
    )

    async def main() -> None:
        world = MemoryWorld()
        async with Application(world, project, worker=False):
            run = await start(loaded(tmp_path).flow, 21)
        results: list[int] = []

        @asynccontextmanager
        async def lifespan(app: Starlette) -> AsyncIterator[None]:
            results.append(await get_run(run.run_id).result(60))
            yield

        app = with_workflow(Starlette(lifespan=lifespan), tmp_path / "generated", world=world)
        async with Server(app) as server:
            assert results == [42]
        assert server.answers == ["startup.complete", "shutdown.complete"]

    asyncio.run(main())


@pytest.mark.fault("C6")
@pytest.mark.parametrize("target", ["local", "postgres"])
def test_starting_again_and_again_leaves_nothing_behind(target: Target, tmp_path: Path) -> None:
    """Workers come and go while runs sleep and wait: no event, letter, task or owner is added, and
    the runs still end."""

    async def state(world: World) -> list[Any]:
        runs = (await world.list_runs(RunFilter(), limit=100)).items
        return [
            (run.run_id, run.head, run.mail, run.seen, run.owner, run.claims, run.parked,
             len(await world.list_letters(run.run_id)), len(await world.list_tasks(run.run_id)))
            for run in sorted(runs, key=lambda run: run.run_id)
        ]  # fmt: skip

    async def main(stage: Stage) -> None:
        async with stage.application() as application:
            world = application.world
            for n in range(6):
                await start("mixed", n)
                await start("sleeper", 3600)

            async def waiting() -> bool:
                hooks = len(await world.list_hooks())
                runs = (await world.list_runs(RunFilter(), limit=100)).items
                return hooks == 6 and all(run.owner is None for run in runs)

            for how in (signal.SIGTERM, signal.SIGKILL):
                worker = stage.spawn()
                await soon(waiting, "all waiting")
                before = await state(world)
                kill(worker, how)
                await soon(_gone(worker), "its end")
                stage.bury(worker)
                fresh = stage.spawn()
                run = await start("chain", 1)
                await ended(world, run.run_id)  # the fresh one has looked around
                await soon(waiting, "all waiting")
                after = [row for row in await state(world) if row[0] != run.run_id]
                assert after == [row for row in before if row[0] in {r[0] for r in after}]
                kill(fresh)
                stage.bury(fresh)

    with Stage(tmp_path, target, lease=600).clearing() as stage:
        asyncio.run(main(stage))


@pytest.mark.fault("C5", "C9")
@pytest.mark.parametrize("target", ["local", "postgres"])
def test_work_that_nobody_was_there_for(target: Target, tmp_path: Path) -> None:
    """Runs that were started while no worker was up, cancel requests and payloads among them, are
    done by the first one that comes, and none stays pending."""

    async def main(stage: Stage) -> None:
        async with stage.application() as application:
            world = application.world
            runs = [await start("chain", n % 3) for n in range(30)]
            for run in runs[20:]:
                await run.cancel("never mind")
            stage.spawn()
            for n, run in enumerate(runs):
                record = await ended(world, run.run_id)
                assert record.status == ("completed" if n < 20 else "cancelled")

    with Stage(tmp_path, target).clearing() as stage:
        asyncio.run(main(stage))
