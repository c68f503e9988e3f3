"""Streams whose writer is killed, by readers in other processes."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from tests.faults.stage import Stage, Target, ended, kill, soon
from workflow import Readable, StreamError
from workflow.api import get_run, start
from workflow.errors import WorkflowRunFailedError
from workflow.world.port import World
from workflow.world.records import RunFilter

TARGETS: list[Target] = ["local", "postgres"]


async def half_written(stage: Stage, world: World, run_id: str) -> int:
    """Wait until two values of a stream are durable; the process that writes it."""

    async def look() -> int | None:
        for stream in await world.list_streams(run_id):
            if len((await world.read_chunks(run_id, stream, 0, 9)).chunks) == 2:
                found = [line for line in stage.bodies() if line[0] == "ticking"]
                return int(found[-1][4]) if found else None
        return None

    return await soon(look, "half of the stream")


@pytest.mark.parametrize("target", TARGETS)
def test_the_writer_of_a_result_is_killed(target: Target, tmp_path: Path) -> None:
    """Its reader has the values that were durable, and an error instead of an endless wait."""

    async def main(stage: Stage) -> None:
        async with stage.application() as application:
            stage.spawn()
            run = await start("ticked", str(tmp_path / "never"))
            numbers: Readable[int] = await run.result(60)
            await ended(application.world, run.run_id)
            values = aiter(numbers)
            assert [await anext(values), await anext(values)] == [1, 2]
            victim = await half_written(stage, application.world, run.run_id)
            kill(victim)
            stage.bury(victim)
            async with asyncio.timeout(60):
                with pytest.raises(StreamError, match="is gone; it had written 2 values"):
                    await anext(values)
            assert await numbers.get_tail_index() == 1

    with Stage(tmp_path, target, lease=600).clearing() as stage:
        asyncio.run(main(stage))


@pytest.mark.parametrize("target", TARGETS)
def test_a_step_reads_what_a_killed_worker_wrote(target: Target, tmp_path: Path) -> None:
    """The other worker takes the run over, its reading step hears that the stream broke off, and
    neither step is tried until its attempts are used up."""

    async def main(stage: Stage) -> None:
        async with stage.application() as application:
            stage.spawn()
            run = await start("added_up", str(tmp_path / "never"))
            victim = await half_written(stage, application.world, run.run_id)
            stage.spawn()
            kill(victim)
            stage.bury(victim)
            await ended(application.world, run.run_id)
            with pytest.raises(WorkflowRunFailedError, match="is gone; it had written 2 values"):
                await run.result(60)

    with Stage(tmp_path, target, lease=600).clearing() as stage:
        asyncio.run(main(stage))


@pytest.mark.fault("F7")
@pytest.mark.parametrize("target", TARGETS)
def test_a_zombie_writes_no_chunk(target: Target, tmp_path: Path) -> None:
    """A worker that is stopped for longer than its lease has its writes refused when it goes on;
    readers get each chunk of the attempt that counts once, and nothing that came too late."""

    async def lines(stage: Stage, what: str, count: int) -> list[list[str]]:
        async def look() -> list[list[str]]:
            found = [line for line in stage.bodies() if line[0] == what]
            return found if len(found) >= count else []

        return await soon(look, f"{count} times {what}")

    async def main(stage: Stage) -> None:
        async with stage.application() as application:
            zombie = stage.spawn()
            run = await start("writes_two", str(tmp_path))
            await lines(stage, "half", 1)
            stage.freeze(zombie)
            stage.spawn(WORKFLOW_LEASE="20")  # loses nothing where the machine is busy
            await lines(stage, "half", 2)
            (tmp_path / "1").touch()
            kill(zombie, signal.SIGCONT)
            (late,) = await lines(stage, "end", 1)
            assert late[3:] == ["1", str(zombie), "nothing"]
            (tmp_path / "2").touch()
            assert await run.result(60) == 2
            await ended(application.world, run.run_id)
            chunks = [text async for text in run.readable]
            assert chunks == ["1: first", "2: first", "2: second"]
            kept = [text async for text in run.get_readable(skip_failed=True)]
            assert kept == ["2: first", "2: second"]

    with Stage(tmp_path, target).clearing() as stage:
        asyncio.run(main(stage))


UPLOADER = """
import asyncio
from workflow.api import start

async def numbers():
    yield 1
    yield 2
    print("half", flush=True)
    await asyncio.Event().wait()

asyncio.run(start("workflow//fault_flows.py//totals", numbers=numbers()))
"""


def test_an_uploader_is_killed(tmp_path: Path) -> None:
    """A process that only starts runs dies in the middle of an upload: the step that reads it is
    told, and the run does not wait for ever."""

    async def main(stage: Stage) -> None:
        async with stage.application() as application:
            stage.spawn()
            uploader = await asyncio.create_subprocess_exec(
                sys.executable, "-c", UPLOADER, env=stage.environment, cwd=stage.folder,
                stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            assert uploader.stdout is not None
            assert await uploader.stdout.readline() == b"half\n"

            async def look() -> str | None:
                for run in (await application.world.list_runs(RunFilter())).items:
                    for name in await application.world.list_streams(run.run_id):
                        page = await application.world.read_chunks(run.run_id, name, 0, 0)
                        return run.run_id if page.next == 2 else None
                return None

            run_id = await soon(look, "half of the upload")
            kill(uploader.pid)
            await uploader.wait()
            await ended(application.world, run_id)
            with pytest.raises(WorkflowRunFailedError, match="is gone; it had written 2 values"):
                await get_run(run_id).result(60)

    with Stage(tmp_path, "local").clearing() as stage:
        asyncio.run(main(stage))
