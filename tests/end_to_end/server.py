"""The sign-up example on a real server that a test can have killed, and what the test sees of it.

Everything that waits here polls for something that is going to happen, until a deadline. Nothing
sleeps and hopes.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from subprocess import STDOUT
from typing import Any

import httpx

from tests import forks
from tests.ports import free_port
from workflow.world.port import World
from workflow.world.records import Event, RunFilter
from workflow.worlds.local import create_local_world

ROOT = Path(__file__).parents[2]
EMAIL = "ada@example.com"
RESULTS = ("step_completed", "step_failed")
ENDS = ("run_completed", "run_failed", "run_cancelled")
_PAUSE = 0.02  # seconds between two looks


class Died(Exception):
    """The server process has ended."""


class Server:
    """One data folder, and the processes that serve it one after the other on the same port.

    Used as `async with Server(folder) as server`. Processes and the world are gone afterwards.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.client = httpx.AsyncClient(base_url=self.url, timeout=60)
        self.world: World = create_local_world(data_dir=folder / "data")
        self._process: forks.Process | None = None

    async def __aenter__(self) -> "Server":
        await self.world.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        await self.client.aclose()
        await self.world.close()

    # -- the process -----------------------------------------------------------------------

    async def start(self, failpoint: str = "") -> None:
        """Start a process, armed with a failpoint if one is given; return once it is reachable."""
        with self._log.open("ab") as log:
            self._process = forks.Process(
                [sys.executable, "-m", "uvicorn", "examples.signup.app:app",
                 "--port", str(self.port), "--log-level", "warning"],
                cwd=ROOT, env=self._environment(failpoint), stdout=log, stderr=STDOUT,
            )  # fmt: skip
        async with asyncio.timeout(60):
            while True:
                self.check_alive()
                with suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                    writer.close()
                    return
                await asyncio.sleep(_PAUSE)

    async def was_killed(self) -> bool:
        """Wait for the process to end; whether SIGKILL did it."""
        assert self._process is not None
        return await asyncio.to_thread(self._process.wait, 60) == -signal.SIGKILL

    def check_alive(self) -> None:
        """Raise `Died`, with what the process wrote last, if it has ended."""
        if self._process is None or self._process.poll() is not None:
            raise Died(self._log.read_text()[-4000:])

    # -- what users do ---------------------------------------------------------------------

    async def sign_up(self) -> str:
        """Post the sign-up and return the run's id, also when the server dies before it answers."""
        with suppress(httpx.TransportError):
            answer = await self.client.post("/signup", json={"email": EMAIL})
            return str(answer.raise_for_status().json()["run_id"])
        (run,) = (await self.world.list_runs(RunFilter())).items
        return run.run_id

    async def see_through(self, run_id: str) -> dict[str, Any]:
        """Answer the hook and the webhook when the run asks, and return the result of the run.

        Raises `Died` as soon as the process has ended.
        """
        async with asyncio.timeout(60):
            while not any(event.type in ENDS for event in await self.events(run_id)):
                self.check_alive()
                with suppress(httpx.TransportError):
                    await self._answer(run_id)
                await asyncio.sleep(_PAUSE)
            while True:
                self.check_alive()
                with suppress(httpx.TransportError):
                    state = await self.client.get(f"/runs/{run_id}")
                    result: dict[str, Any] = state.raise_for_status().json()
                    return result
                await asyncio.sleep(_PAUSE)

    async def _answer(self, run_id: str) -> None:
        for hook in await self.world.list_hooks(run_id):
            received = any(
                event.type == "hook_received" and event.ref == hook.hook_id
                for event in await self.events(run_id)
            )
            if received:
                continue
            if not hook.webhook:
                payload = {"approved": True, "by": "grace"}
                await self.client.post(f"/approve/{EMAIL}", json=payload)
            elif self.mails():
                # The caller may be gone before the answer; what counts is the recorded request.
                link = self.mails()[-1].rpartition("Please confirm: ")[2].strip()
                if link.startswith(self.url):
                    await self.client.post(link, json={"name": "Ada"})

    # -- what was done ---------------------------------------------------------------------

    async def events(self, run_id: str) -> tuple[Event, ...]:
        """The run's whole log."""
        return await self.world.list_events(run_id)

    def bodies(self) -> list[tuple[int, str, str]]:
        """The executions of step bodies in order: time in microseconds, step id, step."""
        path = self.folder / "side_effects.log"
        lines = path.read_text().splitlines() if path.exists() else []
        fields = (line.split() for line in lines)
        return [(int(at), step_id, step) for at, step_id, _, step in fields]

    def mails(self) -> list[str]:
        """The mails the steps sent, oldest first."""
        path = self.folder / "outbox.txt"
        return path.read_text().split("To: ")[1:] if path.exists() else []

    @property
    def _log(self) -> Path:
        return self.folder / "server.log"

    def _environment(self, failpoint: str) -> Mapping[str, str]:
        return os.environ | {
            "SIGNUP_LOG": str(self.folder / "side_effects.log"),
            "WORKFLOW_BASE_URL": self.url,
            "WORKFLOW_EMBEDDED_DATA_DIR": str(self.folder / "data"),
            "WORKFLOW_FAILPOINT": failpoint,
            "WORKFLOW_TARGET_WORLD": "local",
        }
