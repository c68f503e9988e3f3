"""WF401 to WF408: where the order of a set is a finding, and where it is not."""

from __future__ import annotations

import asyncio
from pathlib import Path
from textwrap import dedent, indent

import pytest

import wfc
from tests.compiler.projects import write_project
from tests.project import build, ended, loaded
from wfc.render.text import render
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


@pytest.mark.parametrize(
    "body",
    [
        'for t in {"a", "b"}:\n    await st(t)',
        'names = {"a"} | {"b"}\nfor n in names:\n    await st(n)',
        'await asyncio.gather(*[st(n) for n in frozenset(["a"])])',
        "tasks = [asyncio.create_task(st(n)) for n in {str(i) for i in range(3)}]\nawait tasks[0]",
        'tasks = [asyncio.ensure_future(st(n)) for n in {"a", "b"}]\nawait tasks[0]',
        "for n in set(texts):\n    await st(n)",
        "seen = set()\nseen.add('a')\nfor n in seen:\n    await st(n)",
        "for n in {(1, 'a'), (2, 'b')}:\n    await st(n)",
        "async with asyncio.TaskGroup() as g:\n    for n in set(texts):\n"
        "        g.create_task(st(n))",
        "seen = set(texts)\nseen |= {'b'}\nfor n in seen:\n    await st(n)",
        "for n in given:\n    await st(n)",
        "for n in teams():\n    await st(n)",
        "for n in {'a', 'b'} - given:\n    await st(n)",
        "for n in {'a'}.union(texts, given):\n    async with some:\n        pass",
    ],
)
def test_durable_calls_in_the_order_of_a_set(tmp_path: Path, body: str) -> None:
    """A replay in another process would make them in another order."""
    assert findings(tmp_path, body) == [("WF401", "error")]


@pytest.mark.parametrize(
    "body",
    [
        "for n in set(some):\n    await st(n)",
        "for n in {(1, some), (2, some)}:\n    await st(n)",
        "for n in {Order(), Order()}:\n    await st(n.id)",
        "out = []\nfor n in {'a', 'b'}:\n    out.append(n)\nawait st(out)",
        "for n in {'a', 'b'}:\n    if n in old:\n        break\nawait st(1)",
        "for n in {'a', 'b'}:\n    if n in old:\n        return n",
    ],
)
def test_what_is_not_certain_is_a_warning(tmp_path: Path, body: str) -> None:
    """The items of the set are not known, or no call depends on its order directly."""
    assert findings(tmp_path, body) == [("WF401", "warning")]


@pytest.mark.parametrize(
    "body",
    [
        'for t in sorted({"a", "b"}):\n    await st(t)',
        "for t in {1, 2}:\n    await st(t)",
        "for t in set(ids):\n    await st(t)",
        "for t in {uuid.uuid4() for _ in ids}:\n    await st(t)",
        'total = sum(len(n) for n in {"a", "b"})\nawait st(total)',
        'for n in {"a", "b"}:\n    print(n)\nawait st(1)',
        'for n in {"a", "b"}:\n    old[n] = 1\nawait st(1)',
        'names = {"a"}\nnames = ["a"]\nfor n in names:\n    await st(n)',
        'if "a" in {"a", "b"}:\n    await st(1)',
        "for n in some:\n    await st(n)",
        "for n in old:\n    await st(n)",
        "for n in old.keys():\n    await st(n)",
        "out = []\nfor n in {'a', 'b'}:\n    out.append(n)\nout.sort()\nawait st(out)",
        "for n in {'a', 'b'}:\n    if n in old:\n        return True",
        "await st(len({'a', 'b'}))",
        "await st(max({'a', 'b'}))",
        "await st(sorted(list({'a', 'b'})))",
        "await st(sorted(n for n in {'a', 'b'}))",
        "await st(any(n in old for n in {'a', 'b'}))",
        "await st({n: 1 for n in {'a', 'b'}} == old)",
        "await st(len([n for n in given if n in old]))",
        "await st(collections.Counter(given).total())",
        "out = list({'a', 'b'})\nout.sort()\nawait st(out)",
        "await st({n.upper() for n in {'a', 'b'}} & given)",
        "await st(given.union(list({'a', 'b'})) == given)",
        "await st(sorted(n for n in list({'a', 'b'})))",
        "await st(len({n.upper() for n in list({'a', 'b'})}))",
        "await st(some.intersection(list({'a', 'b'})) == given)",
        "for k in old.keys() & given:\n    print(k)\nawait st(1)",
        "await st(len([k for k in old.keys() & given]))",
        "await st([1, 2, 2].pop())",
        "await st({1, 2}.pop())",
        "await st(min({'a', 'b'}))",
        "seen = {'a'}\nseen.pop()\nawait st(1)",
        "await st(sorted(texts, key=len))",
    ],
)
def test_what_is_no_finding(tmp_path: Path, body: str) -> None:
    """Sorted, numbers, no durable call, put in order later, or nothing known at all."""
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


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("await st({'a', 'b'}.pop())", ("WF402", "error")),
        ("n = set(some).pop()\nawait st(n)", ("WF402", "warning")),
        ("await st(next(iter({'a', 'b'})))", ("WF402", "error")),
        ("left = {'a'}\nwhile left:\n    await st(left.pop())", ("WF402", "error")),
        ("await st(list({'a', 'b'}))", ("WF403", "error")),
        ("await st(tuple(set(texts)))", ("WF403", "error")),
        ("await st([*{'a', 'b'}])", ("WF403", "error")),
        ("await st(', '.join({'a', 'b'}))", ("WF403", "error")),
        ("await st([n.upper() for n in {'a', 'b'}])", ("WF403", "error")),
        ("await st(list(set(some)))", ("WF403", "warning")),
        ("for i, n in enumerate({'a', 'b'}):\n    await st(n)", ("WF403", "error")),
        ("for i, n in zip(ids, set(texts)):\n    await st(n)", ("WF403", "error")),
        ("for n in list({'a', 'b'}):\n    await st(n)", ("WF403", "error")),
        ("await st([n for n in list({'a', 'b'})])", ("WF403", "error")),
        ("some.handle(list({'a', 'b'}))", ("WF403", "error")),
        ("some.intersection([*old], list({'a', 'b'}).index('a'))", ("WF403", "error")),
        ("await st([k for k in old.keys() & given])", ("WF403", "error")),
        ("await asyncio.gather(*{st(n) for n in ids})", ("WF404", "error")),
        ("await asyncio.gather(st(1), *{st(n) for n in ids})", ("WF404", "error")),
        ("for c in asyncio.as_completed({st(n) for n in ids}):\n    await c", ("WF404", "error")),
        ("await asyncio.gather(*set(some))", ("WF404", "warning")),
        ("for k in old.keys() & given:\n    await st(k)", ("WF407", "error")),
        ("await st([await st(k) for k in old.keys() & given])", ("WF407", "error")),
        ("out = []\nfor k in old.keys() ^ given:\n    out.append(k)", ("WF407", "warning")),
        ("for k in old.keys() - {'a'}:\n    await st(k)", ("WF407", "error")),
        ("await st(sorted(texts, key=id))", ("WF408", "error")),
        ("texts.sort(key=hash)\nawait st(texts)", ("WF408", "error")),
        ("await st(max(texts, key=hash))", ("WF408", "error")),
    ],
)
def test_other_uses_of_the_order(tmp_path: Path, body: str, expected: tuple[str, str]) -> None:
    """Each way to use the order of a set has its own code, and one finding."""
    assert findings(tmp_path, body) == [expected]


def test_finding_says_what_to_write(tmp_path: Path) -> None:
    """The fix is the user's own expression, sorted; it can be applied as it stands."""
    body = 'for team in {"red", "green"}:\n    await st(team)'
    root = write_project(tmp_path, FRAME.format(body=body.replace("\n", "\n    ")))
    (found,) = wfc.build(root, write=False, cache=False).diagnostics
    assert "Write `sorted({'red', 'green'})`" in found.fix
    assert [edit.text for edit in found.edits] == ["sorted({'red', 'green'})"]
    assert "flows.py:21:17  set-iteration" in render(found)


@pytest.mark.parametrize(
    ("taken", "instead"),
    [
        ("given", "Take a certain one: `min(given)`, then `given.remove(...)`."),
        ("set(texts)", "Take a certain one: `min(set(texts))`."),
    ],
)
def test_taking_from_a_set_by_name_says_how_to_take_it_out(
    tmp_path: Path, taken: str, instead: str
) -> None:
    """Only what has a name can have the item removed afterwards."""
    root = write_project(tmp_path, FRAME.format(body=f"await st({taken}.pop())"))
    (found,) = wfc.build(root, write=False, cache=False).diagnostics
    assert found.fix == instead


@pytest.mark.parametrize(
    ("taken", "edits"), [("{'a', 'b'}", ["sorted({'a', 'b'})"]), ("set(some)", [])]
)
def test_only_what_is_certain_is_mended(tmp_path: Path, taken: str, edits: list[str]) -> None:
    """`wfc build --fix` writes `sorted` where the finding is an error, and leaves warnings."""
    root = write_project(tmp_path, FRAME.format(body=f"await st(list({taken}))"))
    (found,) = wfc.build(root, write=False, cache=False).diagnostics
    assert [edit.text for edit in found.edits] == edits
