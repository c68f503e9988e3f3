"""docs/runs.md does what it says: its files, built and run."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import wfc
from tests.examples.building import inside, scene
from tests.examples.pages import DOCS, files_of, write
from tests.project import Events, until
from workflow import sync
from workflow.api import Run, get_run, start, with_options
from workflow.engine import Application, Project
from workflow.errors import WorkflowRunCancelledError, WorkflowRunFailedError
from workflow.worlds.local import create_local_world

Play = Callable[[Any], Awaitable[None]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the page as a project that is built."""
    folder = tmp_path_factory.mktemp("runs")
    write(DOCS / "runs.md", folder)
    result = wfc.build(folder)
    assert not result.diagnostics, [str(d) for d in result.diagnostics]
    return folder


def play(folder: Path, part: Play) -> None:
    async def main() -> None:
        async with scene(Project.load(folder / "generated")) as stage:
            await part(stage)

    asyncio.run(main())


async def becomes(stage: Any, run: Run[Any], status: str) -> None:
    async def look() -> bool:
        return await run.status == status

    await until(stage.world, look, what=f"the status {status}")


async def sleeps(stage: Any, *runs: Run[Any]) -> None:
    """Wait until each of the runs has begun a sleep."""
    for run in runs:

        async def look(run: Run[Any] = run) -> bool:
            return "sleep" in (await Events.of(stage.world, run.run_id)).named("wait_created")

        await until(stage.world, look, what="a sleep")


async def asks(stage: Any, run: Run[Any], step: str) -> None:
    async def look() -> bool:
        return [action.step for action in await run.pending_actions] == [step]

    await until(stage.world, look, what=f"the question {step}")


def test_every_block_of_code_is_a_file() -> None:
    """No example of the page is left untested, but what needs a database of the reader's."""
    page = (DOCS / "runs.md").read_text("utf-8")
    files = len(files_of(DOCS / "runs.md"))
    assert page.count("```python") - page.count("<!-- fragment -->") == files == 11


def test_starting_waiting_and_reading(folder: Path) -> None:
    """The options do what the table says, and the outcomes are told as they are."""

    async def part(stage: Any) -> None:
        import reading  # type: ignore[import-not-found]
        import starting  # type: ignore[import-not-found]

        run = await starting.plain()
        second = await starting.with_all_options()
        assert second.run_id == "wrun_hold_o-2"
        assert await second.status == "pending"
        assert await reading.of_customer("ada") == [second.run_id]
        await sleeps(stage, run)
        stage.clock.advance(601)
        await sleeps(stage, second)
        stage.clock.advance(2 * 86_400)
        assert await reading.outcome(run.run_id) == "it returned goods of o-1"
        assert await reading.outcome(second.run_id) == "it returned goods of o-2"

    play(folder, part)


def test_paging(folder: Path) -> None:
    """What has failed, page by page."""

    async def part(stage: Any) -> None:
        import paging  # type: ignore[import-not-found]

        run = await start("hold", "a", days=-1)  # no duration: the body raises
        await becomes(stage, run, "failed")
        assert await paging.failed_runs() == {"runs": [f"{run.run_id} hold"], "next": None}

    play(folder, part)


def test_waking_up(folder: Path) -> None:
    """Sleeps end at once, and a delayed run begins; runs of others sleep on."""

    async def part(stage: Any) -> None:
        import waking  # type: ignore[import-not-found]

        asleep = await with_options(attributes={"customer": "eve"}).start("hold", "a")
        delayed = await with_options(attributes={"customer": "eve"}, delay="1 day").start(
            "hold", "b"
        )
        other = await with_options(attributes={"customer": "fay"}).start("hold", "c")
        await sleeps(stage, asleep, other)
        assert await waking.release_early("eve") == 2
        assert await asleep.result(60) == "goods of a"
        await sleeps(stage, delayed)  # its delay is over, its own sleep is not
        assert await waking.release_early("eve") == 1
        assert await delayed.result(60) == "goods of b"
        assert await other.status == "running"

    play(folder, part)


def test_an_application_without_an_event_loop(folder: Path) -> None:
    """Flask starts, looks at and cancels runs; the work is done elsewhere, on the same world."""
    project = Project.load(folder / "generated")
    started, stop = threading.Event(), threading.Event()
    world = create_local_world(folder / "flask-data")

    async def main() -> None:
        async with Application(world, project):
            started.set()
            await asyncio.to_thread(stop.wait)

    worker = threading.Thread(target=lambda: asyncio.run(main()))
    worker.start()
    try:
        assert started.wait(60)
        with inside(folder):
            client = import_module("shop_app").app.test_client()
        run_id = client.post("/holds/o-9").get_json()["run_id"]
        while (shown := client.get(f"/holds/{run_id}").get_json())["status"] == "pending":
            pass
        assert shown == {"status": "running", "goods": None}
        assert client.delete(f"/holds/{run_id}").get_json() == {"cancelled": True}
        with pytest.raises(WorkflowRunCancelledError, match="given up"):
            sync.get_run(run_id).result(60)
        assert client.get("/holds/wrun_nobody").status_code == 404

        fetched = sync.start("fetch_goods", "o-10")
        while (given := client.post("/answers/here-o-10", data=b"ada")).status_code == 404:
            pass  # the webhook is not open yet
        assert (given.status_code, given.text) == (200, "come in")
        assert fetched.result(60) == "goods of o-10 for ada"
    finally:
        stop.set()
        worker.join()


def test_cancelling_and_deadlines(folder: Path) -> None:
    """The body cleans up, but not when it is terminated; too late is a failure."""

    async def part(stage: Any) -> None:
        import cancelling  # type: ignore[import-not-found]
        import reading

        soft, hard = await start("hold", "a"), await start("hold", "b")
        late = await with_options(deadline="1 hour").start("hold", "c")
        await sleeps(stage, soft, hard, late)
        await cancelling.cancel(soft.run_id)
        assert await reading.outcome(soft.run_id) == (
            "it was cancelled: the customer has changed her mind"
        )
        await cancelling.end_now(hard.run_id)
        with pytest.raises(WorkflowRunCancelledError, match="it does not stop"):
            await hard.result(60)
        stage.clock.advance(3601)
        assert (await reading.outcome(late.run_id)).startswith(
            "it failed with the code deadline-exceeded"
        )
        for run, released in ((soft, 1), (hard, 0), (late, 1)):
            log = await Events.of(stage.world, run.run_id)
            assert log.named("step_created").count("release") == released

    play(folder, part)


def test_questions_to_people(folder: Path) -> None:
    """The desk lists them and answers; a question that nobody answers goes to the boss."""

    async def part(stage: Any) -> None:
        import desk  # type: ignore[import-not-found]

        run = await start("contract", "ada")
        await becomes(stage, run, "paused")
        assert await desk.open_questions() == [
            f"{run.run_id} approval: A contract for ada? ('approve', 'reject')"
        ]
        assert "none of the options" in await desk.answer(run.run_id, "approval", "perhaps")
        assert await desk.answer(run.run_id, "approval", "approve") == "taken"
        assert "answered already" in await desk.answer(run.run_id, "approval", "reject")
        await asks(stage, run, "review")
        given = {"good": False, "remarks": "too long"}
        assert await desk.answer(run.run_id, "review", given) == "taken"
        assert await run.result(60) == "to be changed: too long"
        other = await start("contract", "bob")
        await becomes(stage, other, "paused")
        stage.clock.advance(2 * 86_400 + 1)
        await asks(stage, other, "boss")
        stage.clock.advance(30 * 86_400 + 1)
        with pytest.raises(WorkflowRunFailedError) as failed:
            await other.result(60)
        assert failed.value.error_code == "expired"

    play(folder, part)


def test_children(folder: Path) -> None:
    """They are found, cancelled, and end with their parent where that was asked for."""

    async def part(stage: Any) -> None:
        import families  # type: ignore[import-not-found]

        run = await start("hold_all", ["a", "b"])

        async def both() -> bool:
            return len(await families.children_of(run.run_id)) == 2

        await until(stage.world, both)
        found = [get_run(child) for child in await families.children_of(run.run_id)]
        await sleeps(stage, *found)
        await run.cancel("closed")
        for child in found:
            with pytest.raises(WorkflowRunCancelledError, match="its parent"):
                await child.result(60)
        one = await start("hold_first", ["c", "d"])

        async def two() -> bool:
            return len(await families.children_of(one.run_id)) == 2

        await until(stage.world, two)
        await sleeps(stage, *map(get_run, await families.children_of(one.run_id)))
        stage.clock.advance(86_401)
        assert await one.result(60) == "goods of c"
        log = await Events.of(stage.world, one.run_id)
        _, second = [event.ref for event in log.all if event.type == "child_created"]
        with pytest.raises(WorkflowRunCancelledError, match="one is enough"):
            await get_run(second).result(60)

    play(folder, part)


def test_runs_without_an_end(folder: Path) -> None:
    """After a day the run has a successor that goes on with what it knows."""

    async def part(stage: Any) -> None:
        run: Run[str] = await start("watch", stop_after=200)
        rounds = 0
        while await run.completed_at is None:
            types = (await Events.of(stage.world, run.run_id)).types()
            if types.count("wait_created") > rounds:
                rounds += 1
                stage.clock.advance(601)
            await asyncio.sleep(0)
        said = await run.result(60)
        assert said.startswith("goes on as wrun_")
        successor: Run[str] = get_run(said.rpartition(" ")[2])
        assert (await successor.attributes)["$root_run_id"] == run.run_id
        rounds = 0
        while await successor.completed_at is None:
            types = (await Events.of(stage.world, successor.run_id)).types()
            if types.count("wait_created") > rounds:
                rounds += 1
                stage.clock.advance(601)
            await asyncio.sleep(0)
        assert await successor.result(60) == "20 degrees"

    play(folder, part)
