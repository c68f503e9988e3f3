"""A project, a world and worker processes that a test may kill."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, TypeVar

import psycopg

import wfc
from tests import forks, postgres
from workflow.engine import Application, Project
from workflow.world.port import World
from workflow.world.records import RunRecord
from workflow.worlds.local import create_local_world

__all__ = ["LEASE", "ROOT", "Stage", "Target", "alive", "ended", "kill", "soon"]

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
PACKAGES = HERE / "packages"  # as if installed
LEASE = 1.0  # seconds, of the workers
PATIENCE = 60.0  # seconds; only ever used up by a broken test

Target = Literal["local", "postgres"]
Worker = forks.Process | subprocess.Popen[str]
T = TypeVar("T")


class Stage:
    """One world with the workflows of `flows.py`, looked at from the process of the test.

    `url` is where the workers find PostgreSQL, if not where the tests' server is. `lease` is theirs
    in seconds.
    """

    def __init__(
        self, folder: Path, target: Target, *, url: str | None = None, through: str | None = None,
        lease: float = LEASE,
    ) -> None:  # fmt: skip
        self.folder = folder
        self.target = target
        self.log = folder / "bodies.log"
        self.output = folder / "workers.log"
        shutil.copy(HERE / "flows.py", folder / "fault_flows.py")
        (folder / "pyproject.toml").write_text('[tool.workflow]\npassthrough = ["deadly"]\n')
        if str(PACKAGES) not in sys.path:
            sys.path.append(str(PACKAGES))
        built = wfc.build(folder)
        assert not [d for d in built.diagnostics if d.severity == "error"], built.diagnostics
        os.environ["FAULTS_LOG"] = str(self.log)
        self.project = Project.load(folder / "generated")
        self.environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, (ROOT / "runtime", ROOT, folder, PACKAGES))),
            "FAULTS_LOG": str(self.log),
            "WORKFLOW_LEASE": str(lease),
            "WORKFLOW_TARGET_WORLD": target,
        }
        if target == "local":
            self.environment["WORKFLOW_EMBEDDED_DATA_DIR"] = str(folder / "data")
        else:
            schema = postgres.new_world(at=url).database.schema
            self.environment["WORKFLOW_POSTGRES_JOB_PREFIX"] = schema.removeprefix("workflow_")
            self.environment["WORKFLOW_POSTGRES_URL"] = through or url or postgres.url()
            self._url, self.schema = url, schema
        self._workers: list[Worker] = []
        self._nursery: forks.Process | None = None

    command = (sys.executable, "-c", "from wfc.cli import main; main()")  # `wfc`

    def world(self) -> World:
        """Another view of the same world, not open yet."""
        if self.target == "local":
            return create_local_world(self.folder / "data")
        return postgres.new_world(at=self._url, schema=self.schema)

    def application(self) -> Application:
        """What starts runs and looks at them, without working on any."""
        return Application(self.world(), self.project, worker=False)

    # -- workers ---------------------------------------------------------------------------

    def worker(self, *prefix: str, **environment: str) -> Worker:
        """A real `wfc worker`, run by the command `prefix`. Returns when it works."""
        process = self.begin_worker(*prefix, **environment)
        assert process.stderr is not None
        for line in process.stderr:
            if "working on" in line:
                return process
        raise AssertionError(f"the worker ended with {process.wait()}")

    def begin_worker(self, *prefix: str, **environment: str) -> Worker:
        """A real `wfc worker`, just begun. It speaks on its standard error."""
        command = [*prefix, *self.command, "worker", "--root", str(self.folder)]
        env = {**self.environment, **environment}
        process: Worker
        if prefix:
            process = subprocess.Popen(
                command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE, text=True, cwd=self.folder,
            )  # fmt: skip
        else:
            process = forks.Process(command, env=env, stderr=subprocess.PIPE, cwd=self.folder)
        self._workers.append(process)
        return process

    def spawn(self, **environment: str) -> int:
        """A worker process without the command line, quickly; its process id."""
        if self._nursery is None:
            with self.output.open("ab") as output:
                self._nursery = forks.Process(
                    [sys.executable, "-m", "tests.faults.nursery", str(self.folder / "generated")],
                    env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                    stderr=output, cwd=self.folder,
                )  # fmt: skip
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        settings = " ".join(f"{name}={value}" for name, value in environment.items())
        self._nursery.stdin.write(f"spawn {settings}\n")
        self._nursery.stdin.flush()
        return int(self._nursery.stdout.readline())

    def freeze(self, pid: int) -> None:
        """Stop a worker (SIGSTOP) while it holds no lock that others wait for.

        One that is stopped within a commit keeps the SQLite file to itself until it goes on.
        """
        kill(pid, signal.SIGSTOP)
        while state_of(pid) != "T" or (self.target == "local" and self._is_locked()):
            kill(pid, signal.SIGCONT)
            time.sleep(0.001)
            kill(pid, signal.SIGSTOP)

    def bury(self, pid: int) -> None:
        """Let the lease of a killed worker run out.

        With leases of minutes nobody loses one who is only slow, however busy the machine is. On
        the local world locks tell who is dead.
        """
        if self.target == "postgres":
            with psycopg.connect(self._url or postgres.url(), autocommit=True) as connection:
                table, function = f'"{self.schema}".workflow_workers', f'"{self.schema}".bury()'
                connection.execute(  # also what it has sent last, and the server has not read yet
                    f"create or replace function {function} returns trigger language plpgsql as "
                    "$$ begin new.lease_until := 0; return new; end $$; "
                    f"create trigger bury_{pid} before insert or update on {table} for each row "
                    f"when (new.worker like '%:{pid}:%') execute function {function}; "
                    f"update {table} set lease_until = 0 where worker like '%:{pid}:%'".encode()
                )

    def _is_locked(self) -> bool:
        with (self.folder / "data" / "workflow.lock").open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    @contextmanager
    def clearing(self) -> Iterator[Stage]:
        """End all processes at the end, and forget where steps of this process write."""
        try:
            yield self
        finally:
            for process in self._workers:
                process.kill()
                process.communicate()
            if self._nursery is not None:
                self._nursery.kill()
                self._nursery.communicate()
            os.environ.pop("FAULTS_LOG", None)

    # -- what happened ---------------------------------------------------------------------

    def bodies(self) -> list[list[str]]:
        """The lines of the steps, split: what, run, step, attempt, process, result."""
        if not self.log.exists():
            return []
        return [line.split(" ") for line in self.log.read_text().splitlines()]


def alive(pid: int) -> bool:
    """Whether a process is there."""
    with suppress(ProcessLookupError, FileNotFoundError):  # it may end at any moment
        os.kill(pid, 0)
        return state_of(pid) != "Z"
    return False


def state_of(pid: int) -> str:
    """What a process does: R runs, S sleeps, T is stopped, Z has ended."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


async def soon(look: Callable[[], Awaitable[T | None]], what: str, patience: float = PATIENCE) -> T:
    """Wait until `look` returns something true."""
    until = time.monotonic() + patience
    while True:
        found = await look()
        if found:
            return found
        assert time.monotonic() < until, f"{what} did not happen within {patience:g} s"
        await asyncio.sleep(0.02)


async def ended(world: World, run_id: str, patience: float = PATIENCE) -> RunRecord:
    """Wait until a run has ended."""

    async def look() -> RunRecord | None:
        run = await world.get_run(run_id)
        assert run is not None
        assert run.parked is None, run.parked
        return run if run.completed_at is not None else None

    try:
        return await soon(look, f"the end of {run_id}", patience)
    except AssertionError as error:
        error.add_note(f"{await world.get_run(run_id)}")
        error.add_note(f"tasks: {await world.list_tasks(run_id)}")
        error.add_note(f"letters: {await world.list_letters(run_id)}")
        raise


def kill(pid: int, how: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal to a process that may be gone."""
    with suppress(ProcessLookupError):
        os.kill(pid, how)
