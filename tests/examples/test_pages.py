"""Pages of docs/ whose files can be written and built: they do what the page says."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import wfc
from tests.examples.building import inside, killed, scene, taken_over
from tests.examples.pages import DOCS, files_of, write
from tests.project import until
from workflow.api import Run, get_world, start
from workflow.engine import Project

# What the samples of docs/idempotency.md talk to. The payment service has an effect, and then its
# first answer is lost; it honours keys. The mail server knows no keys.
PAYMENTS = """
charges = {}


async def charge(customer, cents, *, idempotency_key):
    if idempotency_key not in charges:
        charges[idempotency_key] = (customer, cents)
        raise ConnectionError("the answer was lost")
    return f"charged {cents}"
"""
POSTAL = """
async def send(email, text):
    with open("sent", "a") as file:
        file.write(email + "\\n")
"""


def test_the_pages_with_files() -> None:
    """A page that loses its marks does not pass unnoticed."""
    marked = [page.name for page in sorted(DOCS.glob("*.md")) if files_of(page)]
    assert "idempotency.md" in marked
    page = (DOCS / "idempotency.md").read_text("utf-8")
    assert page.count("```python") == len(files_of(DOCS / "idempotency.md")) == 5


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of docs/idempotency.md as a project that is built."""
    folder = tmp_path_factory.mktemp("idempotency")
    write(DOCS / "idempotency.md", folder)
    (folder / "payments.py").write_text(PAYMENTS)
    (folder / "postal.py").write_text(POSTAL)
    result = wfc.build(folder)
    assert not result.diagnostics, [str(d) for d in result.diagnostics]
    return folder


async def after_a_retry(stage: Any, run: Run[Any], failures: int) -> Any:
    """The result of a run whose steps fail that often and are tried again."""
    for n in range(failures):

        async def failed(n: int = n) -> bool:
            tasks = await stage.world.list_tasks(run.run_id)
            return any(t.attempt == 1 and t.error and t.run_at > stage.clock.now() for t in tasks)

        await until(stage.world, failed, what=f"failure {n + 1}")
        stage.clock.advance(60)
    return await run.result(60)


def test_a_charge_whose_answer_was_lost_is_not_made_twice(folder: Path) -> None:
    """Each call is charged once over two attempts, although both calls have the same arguments."""

    async def main() -> Any:
        async with scene(Project.load(folder / "generated")) as stage:
            run = await start("two_instalments", "ada", 1000)
            return await after_a_retry(stage, run, 2)

    assert asyncio.run(main()) == ["charged 500", "charged 500"]
    assert list(sys.modules["payments"].charges.values()) == [("ada", 500)] * 2


def test_credit_is_added_once_although_the_step_runs_twice(folder: Path) -> None:
    """The process dies between the commit and the record; the second time changes nothing."""
    with inside(folder):
        killed(folder, "after_step_body", "welcome_gift", customer="ada")
        assert credit(folder) == [("ada", 500)]

        async def main() -> None:
            async with taken_over(folder, Project.load(folder / "generated")) as run:
                await run.result(60)
                events = await get_world().list_events(run.run_id)
                (meta,) = [e.meta for e in events if e.type == "step_completed"]
                assert meta is not None
                assert json.loads(meta)["attempt"] == 2

        asyncio.run(main())
        assert credit(folder) == [("ada", 500)]


def credit(folder: Path) -> list[tuple[str, int]]:
    """Who has how much in the shop's database."""
    with closing(sqlite3.connect(folder / "shop.db")) as database:
        return database.execute("select customer, cents from credit").fetchall()


def test_one_attempt_is_one_attempt_also_when_the_process_dies(folder: Path) -> None:
    """With max_retries=0 the mail is not sent again, and the workflow hears that nobody knows."""
    with inside(folder):
        killed(folder, "after_step_body", "invoice", email="a@b.c")

        async def main() -> Any:
            async with taken_over(folder, Project.load(folder / "generated")) as run:
                return await run.result(60)

        assert asyncio.run(main()) == "look into the mail server's log"
    assert (folder / "sent").read_text() == "a@b.c\n"


def test_one_start_for_an_order_that_comes_twice(folder: Path) -> None:
    """Both calls of the route give the same run, and another order gives another."""

    async def main() -> tuple[str, str, str]:
        async with scene(Project.load(folder / "generated")):
            placed = sys.modules["orders"].order_placed
            return await placed("o-1"), await placed("o-1"), await placed("o-2")

    with inside(folder):
        first, again, other = asyncio.run(main())
    assert first == again != other
