"""Steps with run_in="process": what an attempt leaves behind, and what it says on its way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.project import build, loaded
from workflow.api import start
from workflow.engine import Application
from workflow.worlds import memory

FLOWS = """
import asyncio
import logging

from workflow import get_writable, step_options
from workflow.api import get_run

log = logging.getLogger("shop.leftovers")
go = asyncio.Event()
left: list[asyncio.Task[None]] = []


async def late() -> None:
    out = get_writable()
    await go.wait()
    await out.write("of the first run")


@step_options(run_in="process", max_retries=0)
async def leaves_a_task() -> None:
    "use step"
    left.append(asyncio.create_task(late()))
    await asyncio.sleep(0)


@step_options(run_in="process", max_retries=0)
async def finds_a_task() -> str:
    "use step"
    go.set()
    (ended,) = await asyncio.gather(left.pop(), return_exceptions=True)
    return f"{type(ended).__name__}: {ended}"


async def first() -> None:
    "use workflow"
    await leaves_a_task()


async def second() -> str:
    "use workflow"
    return await finds_a_task()


async def look() -> bool:
    return await get_run("wrun_unknown").exists


async def hurry() -> None:
    asking = asyncio.create_task(look())
    await asyncio.sleep(0)
    asking.cancel()


@step_options(run_in="process", max_retries=0)
def hasty() -> int:
    "use step"
    asyncio.run(hurry())  # the answer comes to a loop that is closed
    return 1


async def hurries() -> int:
    "use workflow"
    return await hasty() + await hasty() + await hasty()


class Refused(Exception):
    def __init__(self, text: str, *, code: int) -> None:
        super().__init__(text)
        self.code = code


@step_options(run_in="process", max_retries=0)
def says() -> str:
    "use step"
    log.warning("refused", extra={"error": Refused("no", code=1), "colour": "red"})
    log.warning("the handler breaks")
    return "said"


async def talks() -> str:
    "use workflow"
    return await says()
"""

Play = Callable[[Application, Any], Awaitable[None]]


@pytest.fixture(autouse=True)
def one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKFLOW_PROCESSES", "1")


def serve(folder: Path, play: Play) -> None:
    project = build(folder, FLOWS)

    async def main() -> None:
        async with Application(memory.create(), project, grace=0.1) as application:
            await play(application, loaded(folder))

    asyncio.run(main())


def test_a_forgotten_task_does_not_write_for_another_run(tmp_path: Path) -> None:
    """It goes on while the process works for the next run, and is told that its step has ended."""

    async def play(app: Application, flows: Any) -> None:
        one = await start(flows.first)
        await one.result(60)
        two = await start(flows.second)
        assert str(await two.result(60)).startswith("ContextError: the attempt of the step")
        for run in (one, two):
            assert await app.world.list_streams(run.run_id) == ()

    serve(tmp_path, play)


def test_an_answer_that_nobody_waits_for(tmp_path: Path) -> None:
    """A step ran an event loop of its own and did not wait; its process can be used again."""

    async def play(app: Application, flows: Any) -> None:
        assert await (await start(flows.hurries)).result(60) == 3

    serve(tmp_path, play)


def test_log_records_do_not_fail_the_step(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Neither an attribute that cannot be made in the worker, nor a filter of its that raises."""

    class Breaks:
        def filter(self, record: Any) -> bool:
            if "breaks" in record.getMessage():
                raise RuntimeError("no room")
            return True

    async def play(app: Application, flows: Any) -> None:
        flows.log.addFilter(Breaks())
        assert await (await start(flows.talks)).result(60) == "said"

    serve(tmp_path, play)
    (said,) = [r for r in caplog.records if r.name == "shop.leftovers"]
    assert (said.getMessage(), getattr(said, "colour", None)) == ("refused", "red")
    assert not hasattr(said, "error")
    assert any(
        "cannot be logged: RuntimeError('no room')" in r.getMessage() for r in caplog.records
    )
