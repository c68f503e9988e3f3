"""docs/streams.md: its files build, run and do what the page says."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import httpx
import pytest

import wfc
from tests.examples.building import inside
from tests.examples.pages import DOCS, files_of, write
from tests.project import Events
from workflow import Readable
from workflow.api import get_world, start
from workflow.engine import Application, Project
from workflow.errors import WorkflowRunFailedError
from workflow.worlds import local

PAGE = DOCS / "streams.md"
MODULES = [name.removesuffix(".py") for name in (*files_of(PAGE), "sensor.py")]
# The device that `again.py` listens to: it hangs up as often as `breaks` says.
SENSOR = """
breaks = 0


async def readings():
    global breaks
    breaks -= 1
    return [1, 2, None if breaks >= 0 else 3]
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The files of the page as a project that is built; its modules are forgotten afterwards."""
    folder = tmp_path_factory.mktemp("streams")
    write(PAGE, folder)
    (folder / "sensor.py").write_text(SENSOR, "utf-8")
    result = wfc.build(folder)
    assert not result.diagnostics, [str(d) for d in result.diagnostics]
    before = {name: sys.modules.pop(name) for name in MODULES if name in sys.modules}
    sys.path.insert(0, str(folder))  # before other projects that have an `app`, too
    with inside(folder):
        yield Project.load(folder / "generated")
    sys.path.remove(str(folder))
    for name in MODULES:
        sys.modules.pop(name, None)
    sys.modules.update(before)


def play(project: Project, folder: Path, work: Callable[[], Awaitable[None]]) -> None:
    """Run the project in a world of its own, and `work` beside it."""

    async def main() -> None:
        async with Application(local.create_local_world(folder / "data"), project):
            await work()

    asyncio.run(main())


def test_progress_is_watched(project: Project, tmp_path: Path) -> None:
    """All of it, the end of it, and in pages."""

    async def work() -> None:
        import watch  # type: ignore[import-not-found]

        run = await start("conversion", ["a", "b", "c", "d", "e"])
        assert [p.done for p in await watch.watch(run.run_id)] == [1, 2, 3, 4, 5]
        assert await watch.last_lines(run.run_id) == ["converted d", "converted e"]
        lines = await watch.page_by_page(run.run_id)
        assert lines == [f"converted {page}" for page in "abcde"]
        assert await run.result(60) == 5

    play(project, tmp_path, work)


def test_files_pass_through_steps(project: Project, tmp_path: Path) -> None:
    """Results of steps, of the run, and a stream in between."""
    large = tmp_path / "large"
    large.write_bytes(b"abc\n" * 100_000)

    async def work() -> None:
        run = await start("size_of", str(large))
        assert await run.result(60) == 400_000
        shouted: Readable[bytes] = await (await start("shouted", str(large))).result(60)
        blocks = [block async for block in shouted]
        assert b"".join(blocks) == b"ABC\n" * 100_000
        assert len(blocks) == 7

    play(project, tmp_path, work)


@pytest.mark.parametrize("breaks", [0, 2, 3])
def test_a_broken_stream_is_asked_for_again(project: Project, tmp_path: Path, breaks: int) -> None:
    """Each try has a stream of its own; after the last one the run fails with the reason."""

    async def work() -> None:
        import sensor  # type: ignore[import-not-found]

        sensor.breaks = breaks
        run = await start("day")
        if breaks < 3:
            assert await run.result(60) == 6
        else:
            with pytest.raises(WorkflowRunFailedError, match="the sensor has hung up"):
                await run.result(60)
        log = await Events.of(get_world(), run.run_id)
        assert log.named("step_created").count("total") == min(breaks + 1, 3)

    play(project, tmp_path, work)


def test_the_application(project: Project, tmp_path: Path) -> None:
    """Uploads, streaming answers and server-sent events of the page's application."""
    (tmp_path / "small").write_text("hello")

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b"x" * 1000

    async def work() -> None:
        import app

        transport = httpx.ASGITransport(app.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            answer = await client.post("/files", content=pieces())
            assert answer.json() == {"size": 10_000}
            answer = await client.get("/shout", params={"path": str(tmp_path / "small")})
            assert answer.text == "HELLO"
            run = await start("conversion", ["a"])
            await run.result(60)
            rest = await client.get(f"/runs/{run.run_id}/lines", params={"start": 0})
            assert rest.text == "converted a\n"
            rest = await client.get(f"/runs/{run.run_id}/lines", params={"start": 1})
            assert rest.text == ""
            events = await client.get(f"/runs/{run.run_id}/events")
            assert events.text.startswith('id: 0\ndata: {"done":1,"of":1}\n\nevent: end')

    play(project, tmp_path, work)
