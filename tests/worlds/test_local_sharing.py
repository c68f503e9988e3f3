"""The SQLite world shared by processes: kills, forks, take-over at once, wake-ups."""

from __future__ import annotations

import asyncio
import fcntl
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.faults.stage import state_of
from workflow.errors import WorldError
from workflow.testing.clock import VirtualClock
from workflow.world.records import (
    NewRun,
    WorkerRecord,
)
from workflow.worlds.local import LocalWorld, create_local_world, side_lock
from workflow.worlds.local.peers import Peers


@asynccontextmanager
async def opened(folder: Path, clock: VirtualClock | None = None) -> AsyncIterator[LocalWorld]:
    world = create_local_world(folder, clock)
    await world.open()
    try:
        yield world
    finally:
        await world.close()


def new_run(run_id: str) -> NewRun:
    return NewRun(run_id=run_id, workflow="flow", input=b"in", meta=b"{}")


# A process that owns a run and a task, says so, and then waits to be killed.
_HOLDER = """
import asyncio, sys, time
from workflow.world.records import *
from workflow.worlds.local import create_local_world

async def main():
    world = create_local_world(sys.argv[1])
    await world.open()
    lease = world.now() + 3_600_000_000
    await world.beat(WorkerRecord(worker="holder", lease_until=lease))
    await world.create(NewRun(run_id="run", workflow="flow", input=b"in", meta=b"{}"))
    (run,) = (await world.claim_runs("holder", 1)).runs
    task = NewTask(step_id="s1", name="step", payload=b"")
    await world.append(Append(run_id="run", worker="holder", fence=run.fence, expected=1,
        at=world.now(), seen=run.mail, add_tasks=(task,)))
    await world.claim_tasks("holder", 1, ["step"])
    print("holding", flush=True)
    sys.stdin.readline()
    await world.post("run", Letter(kind="wake", ref="from the other process"))
    print("posted", flush=True)
    sys.stdin.readline()

asyncio.run(main())
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "holding\n"
        yield process
        process.kill()


@pytest.mark.fault("F35")
def test_killed_owner_is_noticed_at_once(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    """After `kill -9` of a worker its run and task go to another at the next beat, lease or not."""

    async def main() -> None:
        async with opened(tmp_path) as world:
            me = WorkerRecord(worker="me", lease_until=world.now() + 3_600_000_000)
            assert await world.beat(me) == 0
            assert (await world.claim_runs("me", 1)).runs == ()
            os.kill(holder.pid, signal.SIGKILL)
            holder.wait()
            assert await world.beat(me) == 2
            assert [run.run_id for run in (await world.claim_runs("me", 1)).runs] == ["run"]
            (task,) = await world.list_tasks("run")
            assert (task.owner, task.attempt) == (None, 1)

    asyncio.run(main())


def test_killed_owner_is_noticed_at_start(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    """A process that starts after the kill finds the run free, and all that was acknowledged."""
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()

    async def main() -> None:
        async with opened(tmp_path) as world:
            (run,) = (await world.claim_runs("me", 1)).runs
            assert (run.run_id, run.fence, run.input) == ("run", 2, b"in")
            assert [task.step_id for task in await world.list_tasks("run")] == ["s1"]
            assert list((tmp_path / "workers").iterdir()) == []

    asyncio.run(main())


def test_changes_of_other_processes_wake_waiters(
    tmp_path: Path, holder: subprocess.Popen[str]
) -> None:
    """A commit of another process ends a wait."""

    async def main() -> None:
        async with opened(tmp_path) as world:
            seen = await world.wait_for_change(0, None)
            waiting = asyncio.create_task(world.wait_for_change(seen, None))
            assert holder.stdin is not None
            holder.stdin.write("\n")
            holder.stdin.flush()
            assert await asyncio.wait_for(waiting, 60) != seen
            while not await world.list_letters("run"):
                seen = await asyncio.wait_for(world.wait_for_change(seen, None), 60)
            (letter,) = await world.list_letters("run")
            assert letter.ref == "from the other process"

    asyncio.run(main())


# A process that creates runs and says so after each answer, until it is killed.
_CREATOR = """
import asyncio, itertools, sys
from workflow.world.records import NewRun
from workflow.worlds.local import create_local_world

async def create(world, lane):
    for n in itertools.count():
        run_id = f"{sys.argv[2]}-{lane}-{n}"
        await world.create(NewRun(run_id=run_id, workflow="flow", input=b"in", meta=b"{}"))
        print(run_id, flush=True)

async def main():
    world = create_local_world(sys.argv[1])
    await world.open()
    await asyncio.gather(*(create(world, lane) for lane in range(5)))

asyncio.run(main())
"""


@pytest.mark.fault("C9")
def test_answered_calls_survive_a_kill(tmp_path: Path) -> None:
    """Everything that two processes were answered is there after both were killed in full flow."""
    creators = [
        subprocess.Popen(
            [sys.executable, "-c", _CREATOR, str(tmp_path), name],
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "two")
    ]
    answered: set[str] = set()
    for creator in creators:
        assert creator.stdout is not None
        answered |= {creator.stdout.readline().strip() for _ in range(100)}
    for creator in creators:
        creator.kill()
    for creator in creators:
        with creator:
            assert creator.stdout is not None
            lines = creator.stdout.read().splitlines(keepends=True)
            answered |= {line.strip() for line in lines if line.endswith("\n")}

    async def main() -> None:
        async with opened(tmp_path) as world:
            there = {run.run_id for run in (await world.claim_runs("me", 1_000_000)).runs}
            assert answered <= there
            assert len(answered) >= 200
            check = await world._writer.run(
                lambda tx: tx._connection.execute("pragma integrity_check").fetchone()[0]
            )
            assert check == "ok"

    asyncio.run(main())


def _create_many(folder: Path, name: str) -> None:
    async def main() -> None:
        async with opened(folder) as world:
            await asyncio.gather(*(world.create(new_run(f"{name}-{n}")) for n in range(50)))
            keyed = NewRun(
                run_id=f"{name}-key", workflow="f", input=b"", meta=b"{}", idempotency_key="k"
            )
            await world.create(keyed)

    asyncio.run(main())


@pytest.mark.fault("F35")
def test_processes_share_a_folder(tmp_path: Path) -> None:
    """Processes that start together on an empty folder lose none of each other's writes."""
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=_create_many, args=(tmp_path, f"p{n}")) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]

    async def main() -> None:
        async with opened(tmp_path) as world:
            assert len((await world.claim_runs("me", 1000)).runs) == 151

    asyncio.run(main())


@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_forked_child_is_refused(tmp_path: Path) -> None:
    """A child made by fork cannot use its parent's world, and does not keep its parent alive."""

    async def main() -> None:
        async with opened(tmp_path) as world:
            await world.beat(WorkerRecord(worker="me", lease_until=world.now() + 10**9))
            await world.create(new_run("run"))
            await world.claim_runs("me", 1)
            child = os.fork()
            if child == 0:
                try:
                    world._open_files()
                except WorldError:
                    signal.pause()  # outlive the parent's world
                os._exit(1)
            try:
                await world.close()
                async with opened(tmp_path) as other:
                    assert (await other.get_run("run")).owner is None  # type: ignore[union-attr]
                os.kill(child, 0)
            finally:
                os.kill(child, signal.SIGKILL)
                _, status = os.waitpid(child, 0)  # noqa: ASYNC222  (it was just killed)
            assert os.WTERMSIG(status) == signal.SIGKILL

    asyncio.run(main())


@pytest.mark.fault("F35")
@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_a_child_does_not_keep_the_lock_of_a_dead_parent(tmp_path: Path) -> None:
    """F35: what was forked in the middle of a commit holds nobody up when its parent has died."""
    lock = side_lock.SideLock(tmp_path / "workflow.lock")
    said, say = os.pipe()
    with lock:
        child = os.fork()
        if child == 0:
            os.write(say, b"x")
            signal.pause()
            os._exit(1)
        try:
            assert os.read(said, 1) == b"x"
            mine, other = lock._file, os.open(tmp_path / "workflow.lock", os.O_RDWR)
            lock._file, memory, lock._memory = other, lock._memory, None
            assert memory is not None
            memory.close()  # as the kernel does it when the process dies, which unlocks nothing
            os.close(mine)
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(said)
            os.close(say)
    lock.close()


def test_peers_wake_each_other(tmp_path: Path) -> None:
    """A word to the folder reaches every other process, and removes the sockets of dead ones."""
    woken = threading.Event()
    dead = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    dead.bind(str(tmp_path / "dead"))
    dead.close()
    one, two = Peers(tmp_path, woken.set), Peers(tmp_path, lambda: None)
    try:
        assert one.working
        assert two.working
        two.tell()
        assert woken.wait(60)
        assert not (tmp_path / "dead").exists()
    finally:
        one.close()
        two.close()
    assert list(tmp_path.iterdir()) == []


def test_path_too_long_for_sockets(tmp_path: Path) -> None:
    """In a folder with a long path, changes of others are still seen, by polling."""
    folder = tmp_path / ("x" * 120)

    async def main() -> None:
        async with opened(folder) as one, opened(folder) as two:
            seen = await two.wait_for_change(0, None)
            waiting = asyncio.create_task(two.wait_for_change(seen, None))
            await one.create(new_run("run"))
            assert await asyncio.wait_for(waiting, 60) != seen
            while await two.get_run("run") is None:
                seen = await asyncio.wait_for(two.wait_for_change(seen, None), 60)

    asyncio.run(main())


# A process in the middle of a commit, as the others see it: it holds the lock of the writers.
_WRITING = """
import sys, time
from pathlib import Path
from workflow.worlds.local.side_lock import SideLock

while not (Path(sys.argv[1]) / "go").exists():
    time.sleep(0.01)
with SideLock(Path(sys.argv[1]) / "workflow.lock"):
    print("writing", flush=True)
    sys.stdin.readline()
"""


@pytest.mark.fault("F35")
def test_a_process_dies_or_stops_while_it_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The kernel lets go of a dead process's lock, and whoever waited for it writes. A process that
    was only stopped keeps the lock: the others wait until it goes on, or is killed, and say which
    one it is."""
    monkeypatch.setattr(side_lock, "_PATIENCE", 0.01)
    command = [sys.executable, "-c", _WRITING, str(tmp_path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:

        async def main() -> None:
            async with opened(tmp_path) as world:
                (tmp_path / "go").touch()
                assert await asyncio.to_thread(process.stdout.readline) == "writing\n"  # type: ignore[union-attr]
                os.kill(process.pid, signal.SIGSTOP)
                while state_of(process.pid) != "T":  # noqa: ASYNC110
                    await asyncio.sleep(0.001)
                creating = asyncio.create_task(world.create(new_run("run")))
                assert await world.get_run("run") is None  # reading goes on meanwhile
                while not caplog.messages:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
                assert f"process {process.pid} was stopped" in caplog.text
                assert f"kill -CONT {process.pid}" in caplog.text
                process.kill()
                assert (await asyncio.wait_for(creating, 60)).created
                assert await world.get_run("run") is not None

        asyncio.run(main())
