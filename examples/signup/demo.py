"""The demo: one sign-up on a real server, which is killed in the middle and started again.

    make demo        or        python -m examples.signup.demo

Prints the events of the run as they are recorded, and the step bodies as they run. Exits with 1,
and says why, when anything is not as promised.
"""

import asyncio
import contextlib
import os
import socket
import sys
import tempfile
import time
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from workflow.codec import Codec
from workflow.world.port import World
from workflow.world.records import Event
from workflow.worlds.local import create_local_world

ROOT = Path(__file__).parents[2]
EMAIL = "ada@example.com"
ANSWERS = {"step_completed", "step_failed"}
LIMIT = 90.0  # seconds for everything; a demo that hangs proves nothing

# How often each step body runs here. The mail server turns strangers away twice.
EXPECTED = {
    "create_user": 1,
    "send_welcome": 3,
    "choose_plan": 1,
    "reserve_storage": 1,
    "ask_to_confirm": 1,
}


class DemoError(Exception):
    """Something was not as promised."""


class Server:
    """The example application under uvicorn, in a process of its own."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "server.log"
        self.process: Process | None = None
        self._environment = os.environ | {
            "SIGNUP_LOG": str(folder / "side_effects.log"),
            "WORKFLOW_BASE_URL": self.url,
            "WORKFLOW_EMBEDDED_DATA_DIR": str(folder / "data"),
            "WORKFLOW_TARGET_WORLD": "local",
        }

    async def start(self) -> None:
        """Start the server and return once it accepts connections."""
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "uvicorn", "examples.signup.app:app"),
                *("--port", str(self.port), "--log-level", "warning"),
                cwd=ROOT,
                env=self._environment,
                stdin=DEVNULL,
                stdout=log,
                stderr=STDOUT,
            )
        while True:
            self.check()
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.close()
                return
            await asyncio.sleep(0.05)

    def check(self) -> None:
        """Raise DemoError when the process has ended without being asked to."""
        if self.process is not None and self.process.returncode is not None:
            raise DemoError(f"the server ended by itself, with status {self.process.returncode}")

    async def kill(self) -> int:
        """End the process by SIGKILL, which it cannot notice, and return its id."""
        assert self.process is not None
        process, self.process = self.process, None
        process.kill()
        await process.wait()
        return process.pid

    async def stop(self) -> None:
        """Ask the process to end, as an operator would; insist after ten seconds."""
        if self.process is None or self.process.returncode is not None:
            return
        self.process.terminate()
        try:
            async with asyncio.timeout(10):
                await self.process.wait()
        except TimeoutError:
            await self.kill()


class Watcher:
    """Prints what is new in the log of a run and in the list of side effects, oldest first."""

    def __init__(self, world: World, run_id: str, side_effects: Path) -> None:
        self.events: list[Event] = []
        self.bodies: list[tuple[int, str, int, str]] = []  # time, step id, attempt, step
        self._failures: set[tuple[str, int]] = set()  # step id, attempt
        self._world = world
        self._run_id = run_id
        self._side_effects = side_effects

    async def look(self) -> None:
        """Read once, and print what is new."""
        events = await self._world.list_events(self._run_id, after=len(self.events))
        bodies = read_side_effects(self._side_effects)[len(self.bodies) :]
        self.events += events
        self.bodies += bodies
        lines = [(e.at, f"{e.seq:>3}  {e.type:<15}  {short(e.name)}") for e in events]
        lines += await self._look_at_failures()
        lines += [
            (at, f"  .  {'(body runs)':<15}  {step}, attempt {attempt}")
            for at, _, attempt, step in bodies
        ]
        for at, line in sorted(lines):
            print(f"  {(at - self.events[0].at) / 1e6:6.2f} s  {line}".rstrip(), flush=True)

    async def _look_at_failures(self) -> list[tuple[int, str]]:
        # A failed attempt is no event: the step's task remembers it until there is a result.
        lines = []
        for task in await self._world.list_tasks(self._run_id):
            failure = (task.step_id, task.attempt)
            if task.error is not None and task.owner is None and failure not in self._failures:
                self._failures.add(failure)
                error = Codec().decode_error(task.error)
                what = f"{short(task.name)}, attempt {task.attempt}: {error}"
                lines.append((self._world.now(), f"  .  {'(fails)':<15}  {what}"))
        return lines

    async def until(self, server: Server, found: Callable[[Event], bool]) -> Event:
        """Print events until the first one that is `found`."""
        looked_at = 0
        while True:
            await self.look()
            for event in self.events[looked_at:]:
                if found(event):
                    return event
                if event.type in ("run_failed", "run_cancelled"):
                    raise DemoError(f"the run ended with {event.type}: {event.payload!r}")
            looked_at = len(self.events)
            server.check()
            await asyncio.sleep(0.02)


def read_side_effects(path: Path) -> list[tuple[int, str, int, str]]:
    """The complete lines that `outside.note` wrote: time, step id, attempt, step."""
    if not path.exists():
        return []
    fields = [line.split() for line in path.read_text().splitlines(keepends=True) if "\n" in line]
    return [(int(at), step_id, int(attempt), step) for at, step_id, attempt, step in fields]


def short(name: str) -> str:
    """`step//examples/signup/flows.py//create_user` is `create_user` here."""
    return name.rpartition("//")[2]


def headline(text: str) -> None:
    print(f"\n{text}", flush=True)


async def build() -> None:
    """Run `wfc build` in the repository."""
    headline("1. wfc build")
    wfc = Path(sys.executable).with_name("wfc")
    process = await asyncio.create_subprocess_exec(
        wfc, "build", cwd=ROOT, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT
    )
    output, _ = await process.communicate()
    for line in output.decode().splitlines():
        print(f"  {line}")
    if process.returncode != 0:
        raise DemoError(f"wfc build ended with status {process.returncode}")


async def demo(folder: Path, server: Server) -> str:
    """The whole story; returns the run's id. Raises DemoError where it departs from the plan."""
    await build()

    headline(f"2. uvicorn examples.signup.app:app   on {server.url}")
    await server.start()
    world = create_local_world(data_dir=folder / "data")
    await world.open()
    try:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
            return await sign_up(folder, server, world, client)
    finally:
        await world.close()


async def sign_up(folder: Path, server: Server, world: World, client: httpx.AsyncClient) -> str:
    headline(f'3. POST /signup {{"email": "{EMAIL}"}}')
    run_id = expect(await client.post("/signup", json={"email": EMAIL}), 202)["run_id"]
    print(f"  run {run_id}")
    watcher = Watcher(world, run_id, folder / "side_effects.log")
    await watcher.until(server, lambda event: event.type == "wait_created")

    pid = await server.kill()
    headline(f"4. kill -9 {pid}   the run sleeps, and now nobody is there to wake it")
    await watcher.look()
    done = sum(event.type in ANSWERS for event in watcher.events)
    print(f"  recorded so far: {len(watcher.events)} events, {done} results of steps")

    headline("5. the server starts again, and the run goes on")
    await server.start()
    token = f"approve:{EMAIL}"
    await watcher.until(server, lambda event: (event.type, event.name) == ("hook_created", token))

    headline(f'6. POST /approve/{EMAIL} {{"approved": true, "by": "grace"}}')
    expect(await client.post(f"/approve/{EMAIL}", json={"approved": True, "by": "grace"}), 202)
    asked = await watcher.until(server, lambda event: short(event.name) == "ask_to_confirm")
    await watcher.until(server, lambda event: event.type in ANSWERS and event.ref == asked.ref)

    link = (folder / "outbox.txt").read_text().rpartition("Please confirm: ")[2].strip()
    headline(f'7. POST {link} {{"name": "Ada"}}')
    welcome = expect(await client.post(link, json={"name": "Ada"}), 200)
    print(f"  the workflow answers: 200 {welcome}")
    if welcome != {"welcome": "Ada", "plan": "trial"}:
        raise DemoError("that is not the answer of the workflow")
    await watcher.until(server, lambda event: event.type == "run_completed")

    headline(f"8. GET /runs/{run_id}")
    state = expect(await client.get(f"/runs/{run_id}"), 200)
    for name, value in state["result"].items():
        print(f"  {name:<15}  {value}")
    headline(f"9. GET /runs/{run_id}/stream")
    progress = await client.get(f"/runs/{run_id}/stream")
    for line in progress.text.splitlines():
        print(f"  {line}")
    judge(watcher, state["result"], progress.text)
    return str(run_id)


def expect(answer: httpx.Response, status: int) -> Any:
    """The JSON of an answer that has to have this status."""
    if answer.status_code != status:
        request = answer.request
        raise DemoError(
            f"{request.method} {request.url.path} was answered with {answer.status_code} "
            f"instead of {status}: {answer.text[:300]}"
        )
    return answer.json()


def judge(watcher: Watcher, result: dict[str, object], progress: str) -> None:
    """Compare what was done with what was promised, and print it."""
    headline("10. Did any step run again after its result was recorded?")
    recorded = {event.ref: event.at for event in watcher.events if event.type in ANSWERS}
    results = Counter(event.ref for event in watcher.events if event.type in ANSWERS)
    runs = Counter(step for _, _, _, step in watcher.bodies)
    print(f"  {'step':<15}  body ran  result recorded")
    for step, step_id in {step: step_id for _, step_id, _, step in watcher.bodies}.items():
        print(f"  {step:<15}  {runs[step]:>8}  {results[step_id]:>15}")

    again = [step for at, step_id, _, step in watcher.bodies if at > recorded[step_id]]
    if again:
        raise DemoError(f"these ran again after their result was recorded: {', '.join(again)}")
    if set(results.values()) != {1}:
        raise DemoError("a step has more than one recorded result")
    if runs != EXPECTED:
        raise DemoError(f"expected these numbers of executions: {EXPECTED}")
    if (result["status"], result["name"], result["decided_by"]) != ("done", "Ada", "grace"):
        raise DemoError("the run ended with another result than it should")
    if "welcome mail sent" not in progress.splitlines():
        raise DemoError("the stream lacks what a step wrote before the kill")
    print("  No.")


def main() -> int:
    """Run the demo and return the exit status: 0 when everything was as promised, else 1."""
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="signup-demo-"))
    server = Server(folder)

    async def bounded() -> str:
        try:
            async with asyncio.timeout(LIMIT):
                return await demo(folder, server)
        finally:
            await server.stop()

    try:
        run_id = asyncio.run(bounded())
    except (DemoError, TimeoutError, httpx.HTTPError) as error:
        reason = f"not finished after {LIMIT:.0f} s" if isinstance(error, TimeoutError) else error
        print(f"\nThe demo failed: {reason}", file=sys.stderr)
        if server.log.exists():
            print(f"\nEnd of {server.log}:\n{server.log.read_text()[-4000:]}", file=sys.stderr)
        return 1

    wfc = os.path.relpath(Path(sys.executable).with_name("wfc"))
    headline(f"Done in {time.monotonic() - began:.0f} s. Where to look next:")
    print("  the workflow             examples/signup/flows.py")
    print("  what it was compiled to  generated/workflows/examples/signup/flows.py")
    print("  how it works             docs/architecture.md")
    print(f"  this run                 export WORKFLOW_EMBEDDED_DATA_DIR={folder / 'data'}")
    print(f"                           {wfc} inspect run {run_id}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
