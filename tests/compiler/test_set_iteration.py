"""Sets have an order that a workflow can rely on; sorting by identity (WF408) makes none."""

from __future__ import annotations

import asyncio
from pathlib import Path
from textwrap import dedent, indent

import pytest

import wfc
from tests.compiler.projects import write_project
from tests.project import build, ended, loaded
from workflow.api import start
from workflow.engine import Application
from workflow.testing.clock import VirtualClock
from workflow.worlds import memory

FRAME = """\
import asyncio
import collections
import uuid


class Order:
    id: int


async def st(t: object) -> str:
    "use step"
    return str(t)


def teams() -> set[str]:
    return {{"a", "b"}}


async def flow(given: set[str], ids: list[int], texts: list[str], old: dict[str, int], some):
    "use workflow"
    {body}
"""


def findings(folder: Path, body: str) -> list[tuple[str, str]]:
    root = write_project(folder, FRAME.format(body=body.replace("\n", "\n    ")))
    found = wfc.build(root, write=False, cache=False).diagnostics
    return [(d.code, str(d.severity)) for d in found]


SORTED = (
    "await st(sorted(texts, key=id))",
    "texts.sort(key=id)\nawait st(texts)",
    "await st(max(texts, key=id))",
)


@pytest.mark.parametrize("body", SORTED)
def test_sorting_by_identity_is_a_finding(tmp_path: Path, body: str) -> None:
    """An order by address is another one in each process."""
    assert findings(tmp_path, body) == [("WF408", "error")]


@pytest.mark.parametrize(
    "body",
    [
        'for t in {"a", "b"}:\n    await st(t)',
        "for n in set(some) | given:\n    await st(n)",
        "await st(given.pop())",
        "await st(list(given))",
        "await st(', '.join({'a', 'b'}))",
        "await asyncio.gather(*{st(n) for n in ids})",
        "for k in old.keys() & given:\n    await st(k)",
        "await st(sorted(texts, key=len))",
        "await st(sorted(texts, key=hash))",
    ],
)
def test_order_of_sets_is_no_finding(tmp_path: Path, body: str) -> None:
    """Sets keep the order in which they were filled, and what they came with from outside."""
    assert findings(tmp_path, body) == []


TASKS_FRAME = """\
import asyncio


async def st(t: object) -> str:
    "use step"
    return str(t)


async def flow() -> list[str]:
    "use workflow"
"""
TASKS = {
    "the set that wait gives": """
        tasks = [asyncio.create_task(st(n)) for n in range(4)]
        done, pending = await asyncio.wait(tasks)
        out = []
        for task in done:
            out.append(task.result())
            await st(task.result())
        return out
    """,
    "a set of tasks that shrinks": """
        pending = {asyncio.create_task(st(n)) for n in range(4)}
        out = []
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                out.append(await st(task.result()))
        return out
    """,
    "tasks in a set, gathered": """
        tasks = {asyncio.create_task(st(n)) for n in range(4)}
        return await asyncio.gather(*tasks)
    """,
    "as_completed with coroutines": """
        return [await st(await each) for each in asyncio.as_completed([st(n) for n in range(4)])]
    """,
}


@pytest.mark.parametrize("body", TASKS.values(), ids=TASKS)
def test_sets_of_tasks_are_in_order(tmp_path: Path, body: str) -> None:
    """What asyncio gives and takes is a set of tasks, whose order a workflow can rely on: the
    code is built without a finding, and two runs ask for the same steps in the same order."""
    source = TASKS_FRAME + indent(dedent(body), "    ")
    assert wfc.build(write_project(tmp_path / "checked", source), write=False).diagnostics == ()
    folder = tmp_path / "built"
    folder.mkdir()
    project = build(folder, source)

    async def play() -> list[list[str]]:
        results = []
        async with Application(
            memory.create(VirtualClock(1_700_000_000_000_000)), project
        ) as application:
            for _ in range(2):
                run = await start(loaded(folder).flow)
                await ended(application, run.run_id)
                results.append(await run.result())
        return results

    one, other = asyncio.run(play())
    assert one == other
    assert sorted(one) == ["0", "1", "2", "3"]
