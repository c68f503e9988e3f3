"""Run ids, idempotency keys and attributes that callers choose: what cannot work is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import postgres
from tests.project import build, loaded
from workflow.api import get_run, get_runs, list_runs, with_options
from workflow.engine import Application
from workflow.world.port import World
from workflow.worlds import local, memory

FLOWS = """
    async def one(n: int) -> int:
        "use workflow"
        return n

    async def other(n: int) -> int:
        "use workflow"
        return -n
"""


def serve(folder: Path, play: Callable[[Any], Any], world: World | None = None) -> None:
    """Let `play` use the loaded flows within an application."""
    project = build(folder, FLOWS)

    async def main() -> None:
        async with Application(world or memory.create(), project), asyncio.timeout(60):
            await play(loaded(folder))

    asyncio.run(main())


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"run_id": ""}, ValueError, "begins with wrun_"),
        ({"run_id": 5}, ValueError, "begins with wrun_"),
        ({"run_id": "wrun_"}, ValueError, "printable"),
        ({"run_id": "wrun_a b"}, ValueError, "no spaces"),
        ({"run_id": "wrun_a\n"}, ValueError, "printable"),
        ({"run_id": "wrun_a\0"}, ValueError, "printable"),
        ({"idempotency_key": 5}, TypeError, "is text, not int"),
        ({"idempotency_key": ""}, ValueError, "an empty idempotency key"),
        ({"idempotency_key": "a\0"}, ValueError, "without U\\+0000"),
        ({"attributes": {"a": "\0"}}, ValueError, "attribute 'a'"),
        ({"attributes": {"a": "\ud800"}}, ValueError, "attribute 'a'"),
        ({"attributes": {"a\0": "x"}}, ValueError, "U\\+0000"),
    ],
)
def test_names_that_no_world_should_store(
    tmp_path: Path, options: dict[str, Any], error: type[Exception], said: str
) -> None:
    """Refused by start(), in every world alike, and no run is made."""

    async def play(flows: Any) -> None:
        with pytest.raises(error, match=said):
            await with_options(**options).start(flows.one, 1)
        assert [run async for run in list_runs()] == []

    serve(tmp_path, play)


@pytest.mark.parametrize("kind", ["memory", "local", "postgres"])
def test_a_run_id_is_not_shared_by_two_workflows(tmp_path: Path, kind: str) -> None:
    """Starting the same workflow again gives its run; another one would get a stranger's result."""

    async def play(flows: Any) -> None:
        bound = with_options(run_id="wrun_ä-1")
        assert await (await bound.start(flows.one, 1)) == 1
        assert await (await bound.start(flows.one, 2)) == 1
        with pytest.raises(ValueError, match=r"wrun_ä-1 is a run of workflow//.*//one already"):
            await bound.start(flows.other, 1)

    made: dict[str, Callable[[], World]] = {
        "memory": memory.create,
        "local": lambda: local.create_local_world(data_dir=tmp_path / "data"),
        "postgres": postgres.new_world,
    }
    serve(tmp_path, play, made[kind]())


def test_a_search_that_can_find_nothing(tmp_path: Path) -> None:
    """A misspelt status and an attribute that is no text are errors, not empty lists."""

    async def play(_: Any) -> None:
        wrong: Any = "done"
        with pytest.raises(ValueError, match=r"one of pending, running, .*, not 'done'"):
            _ = [run async for run in list_runs(status=wrong)]
        number: Any = 5
        with pytest.raises(TypeError, match="attribute 'n' must be text, not int"):
            _ = [run async for run in list_runs(attributes={"n": number})]

    serve(tmp_path, play)


@pytest.mark.parametrize("kind", ["memory", "local", "postgres"])
def test_pages_of_runs(tmp_path: Path, kind: str) -> None:
    """Page after page gives each run once, newest first, whatever is started meanwhile; what is no
    page's size or cursor is a ValueError."""

    async def play(flows: Any) -> None:
        bound = with_options(attributes={"kind": "paged"})
        ids = [(await bound.start(flows.other, n)).run_id for n in range(5)]
        seen: list[str] = []
        cursor: str | None = None
        for size in (2, 2, 1):
            page = await get_runs(attributes={"kind": "paged"}, limit=2, cursor=cursor)
            assert len(page.runs) == size
            assert page.has_more == (size == 2)
            seen += [run.run_id for run in page.runs]
            cursor = page.cursor
            await bound.start(flows.other, 9)
        assert seen == ids[::-1]
        assert {get_run(ids[0]), get_run(ids[0])} == {get_run(ids[0])} != {get_run(ids[1])}
        for limit in (0, 1001, True, "5"):
            given: Any = limit
            with pytest.raises(ValueError, match="a page has 1 to 1000 runs"):
                await get_runs(limit=given)
        for wrong in ("", "x", "9" * 40 + ":x", "1:\0", "\ud800", 5):
            given = wrong
            with pytest.raises(ValueError, match="is not a cursor of a run listing"):
                await get_runs(cursor=given)

    made: dict[str, Callable[[], World]] = {
        "memory": memory.create,
        "local": lambda: local.create_local_world(data_dir=tmp_path / "data"),
        "postgres": postgres.new_world,
    }
    serve(tmp_path, play, made[kind]())
