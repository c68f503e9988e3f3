"""The scenarios built once, one real server for each world, and what a test does with them."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx

import wfc
from tests import forks, postgres
from tests.ports import free_port
from tests.project import until
from workflow.api import Run, get_run, set_world
from workflow.events import Event
from workflow.world.port import World
from workflow.world.records import HookRecord, RunRecord
from workflow.worlds.local import create_local_world
from workflow.worlds.postgres import create_postgres_world

__all__ = ["Service", "Stage", "built", "on"]

T = TypeVar("T")

HERE = Path(__file__).parent
PATIENCE = 60.0  # seconds; only ever used up by a broken test


def built(folder: Path) -> Path:
    """The application and its flows in `folder`, built."""
    shutil.copytree(HERE / "flows", folder / "flows", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(HERE / "app.py", folder)
    result = wfc.build(folder)
    found = [f"{d.path}:{d.span.line} {d.code} {d.message}" for d in result.diagnostics]
    assert not found, found
    return folder


class Service:
    """One server process of the scenarios, on a world of its own."""

    def __init__(self, project: Path, target: str, data: Path) -> None:
        self.project = project
        self.target = target
        self._data = data
        self._database = postgres.new_database() if target == "postgres" else ""
        self._choose_port()
        if target == "postgres":
            self.command("world", "setup")
        self._process = self._start()

    def world(self) -> World:
        """The world the server has, for a test to open."""
        if self.target == "postgres":
            return create_postgres_world(self._database)
        return create_local_world(data_dir=self._data)

    @property
    def environment(self) -> dict[str, str]:
        """What tells a process which world and address it has."""
        return os.environ | {
            "WORKFLOW_TARGET_WORLD": self.target,
            "WORKFLOW_EMBEDDED_DATA_DIR": str(self._data),
            "WORKFLOW_POSTGRES_URL": self._database,
            "WORKFLOW_BASE_URL": self.url,
            "WORKFLOW_COMPRESS_ABOVE": "1024",
        }

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `wfc` in the project; the caller looks at the exit code."""
        return forks.run([forks.WFC, *arguments], cwd=self.project, env=self.environment)

    def stop(self) -> None:
        """End the process."""
        self._process.terminate()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def log(self) -> str:
        """What the server has written."""
        return (self._data.parent / f"{self.target}.log").read_text("utf-8", "replace")

    def _choose_port(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def _start(self) -> forks.Process:
        with (self._data.parent / f"{self.target}.log").open("wb") as log:
            process = forks.Process(
                [sys.executable, "-m", "uvicorn", "app:app", "--port", str(self.port),
                 "--log-level", "warning"],
                cwd=self.project, env=self.environment, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return process
            except OSError:
                if process.poll() is not None and "address already in use" in self.log():
                    self._choose_port()  # somebody was faster
                    return self._start()
                if process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(f"the server did not start:\n{self.log()}") from None
                time.sleep(0.02)

    @asynccontextmanager
    async def visit(self) -> AsyncIterator[Stage]:
        """A client of the server, and its world opened beside it."""
        world = self.world()
        await world.open()
        set_world(world)
        try:
            async with (
                asyncio.timeout(PATIENCE),
                httpx.AsyncClient(base_url=self.url, timeout=PATIENCE) as client,
            ):
                yield Stage(self, world, client)
        finally:
            set_world(None)
            await world.close()


@dataclass
class Stage:
    """What a test needs: a client of the server, and the world to look into.

    The functions of `workflow.api` use the same world while a stage is open.
    """

    service: Service
    world: World
    client: httpx.AsyncClient

    async def start(
        self, workflow: str, *args: Any, options: dict[str, Any] | None = None, **kwargs: Any
    ) -> Run[Any]:
        """Start `module.function` over HTTP."""
        answer = await self.post(workflow, *args, options=options, **kwargs)
        assert answer.status_code == 200, answer.text
        return get_run(str(answer.json()["run_id"]))

    async def post(
        self, workflow: str, *args: Any, options: dict[str, Any] | None = None, **kwargs: Any
    ) -> httpx.Response:
        """Ask for a start; the answer may be a refusal."""
        module, _, name = workflow.partition(".")
        body = {"workflow": f"workflow//flows/{module}.py//{name}", "options": options}
        return await self.client.post("/runs", json={**body, "args": args, "kwargs": kwargs})

    async def outcome(self, run: Run[Any]) -> dict[str, Any]:
        """How the run ended: `{"result": …}`, or `{"error": …, "message": …, "cause": …}`."""
        answer = await self.client.get(f"/runs/{run.run_id}/result")
        assert answer.status_code == 200, self.service.log()
        found: dict[str, Any] = answer.json()
        return found

    async def result(self, run: Run[Any]) -> Any:
        """The result of the run; fails when it has none."""
        outcome = await self.outcome(run)
        assert "result" in outcome, outcome
        return outcome["result"]

    async def run(self, workflow: str, *args: Any, **kwargs: Any) -> Any:
        """Start and return the result."""
        return await self.result(await self.start(workflow, *args, **kwargs))

    async def until(self, look: Callable[[], Awaitable[T | None]]) -> T:
        """Wait until `look` returns something true; asked again after every change."""
        return await until(self.world, look)

    async def hook(self, token: str) -> HookRecord:
        """Wait until a hook with this token is open."""
        return await until(self.world, lambda: self.world.get_hook(token), what=f"hook {token}")

    async def hooks(self, run: Run[Any], count: int = 1) -> list[HookRecord]:
        """Wait until the run has had this many hooks; all of them, the oldest first."""

        async def look() -> list[HookRecord] | None:
            found = list(await self.world.list_hooks(run.run_id))
            return found if len(found) >= count else None

        return await until(self.world, look, what=f"{count} hooks")

    async def record(self, run: Run[Any]) -> RunRecord:
        """The run as the world has it."""
        found = await self.world.get_run(run.run_id)
        assert found is not None
        return found

    async def events(self, run: Run[Any]) -> tuple[Event, ...]:
        """The whole log of the run."""
        return await self.world.list_events(run.run_id)

    async def types(self, run: Run[Any]) -> list[str]:
        """The types of the events of the run."""
        return [event.type for event in await self.events(run)]


def on(service: Service, work: Callable[[Stage], Awaitable[Any]]) -> Any:
    """What `work` finds when it visits the server."""

    async def main() -> Any:
        async with service.visit() as stage:
            return await work(stage)

    return asyncio.run(main())
