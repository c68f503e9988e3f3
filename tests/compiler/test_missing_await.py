"""Calls that nobody awaits, in the forms in which they are forgotten, and calls that are fine."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest

import wfc
from tests.compiler.projects import write_project

START = """\
import asyncio
import json
import logging
from workflow import sleep

async def st(n: int) -> int:
    "use step"
    return n

def plain(n: int) -> int:
    "use step"
    return n

async def use(waiting):
    return await waiting

class Box:
    pass

async def main(n: int):
    "use workflow"
"""
FORGOTTEN = {
    "statement": "st(n)",
    "name never read": "x = st(n)",
    "annotated name": "x: int = st(n)",
    "two names": "x = y = st(n)",
    "unpacked": "x, y = st(n), 2\nreturn y",
    "unpacking the call": "x, y = st(n)",
    "returned": "return st(n)",
    "returned by name": "x = st(n)\nreturn x",
    "returned by a second name": "x = st(n)\ny = x\nreturn y",
    "sleep returned": 'return sleep("1s")',
    "sleep in a name": 'x = sleep("1s")',
    "f-string": "x = st(n)\nreturn f'{x}'",
    "truth": "if st(n):\n    return 1",
    "truth of one side": "if n and st(n):\n    return 1",
    "truth of a name": "x = st(n)\nif not x:\n    return 1",
    "comparison": "return st(n) == 1",
    "walrus": "if (x := st(n)):\n    return 1",
    "arithmetic": "return 1 + st(n)",
    "conditional": "x = st(n) if n else 0\nreturn f'{x}'",
    "attribute": "return st(n).name",
    "builtin": "print(st(n))",
    "builtin by name": "x = st(n)\nprint(str(x))",
    "json": "return json.dumps(st(n))",
    "logging": "logging.info('%s', st(n))",
    "argument of a step": "return await st(st(n))",
    "keyword of a step": "return await st(n=st(n))",
    "loop": "for x in st(n):\n    pass",
    "comprehension": "[st(i) for i in range(n)]",
    "list that is not used": "todo = [st(n), 2]\nreturn n",
}
FINE = {
    "awaited": "return await st(n)",
    "awaited by name": "x = st(n)\nreturn await x",
    "awaited into the same name": "x = st(n)\nx = await x\nreturn x",
    "awaited by a second name": "x = st(n)\ny = x\nreturn await y",
    "maybe": "x = None\nif n:\n    x = st(n)\nif x is not None:\n    await x",
    "conditional": "return await (st(n) if n else plain(n))",
    "walrus": "return await (x := st(n))",
    "gather": "return await asyncio.gather(st(n), plain(n))",
    "gather by name": "x = st(n)\nreturn await asyncio.gather(x, st(n))",
    "gather a comprehension": "return await asyncio.gather(*[st(i) for i in range(n)])",
    "gather a generator": "return await asyncio.gather(*(st(i) for i in range(n)))",
    "gather a map": "return await asyncio.gather(*map(st, [1, 2]))",
    "task": "t = asyncio.create_task(st(n))\nreturn await t",
    "task of a plain step": "t = asyncio.create_task(plain(n))\nreturn await t",
    "task group": "async with asyncio.TaskGroup() as g:\n    g.create_task(st(n))",
    "wait_for": "return await asyncio.wait_for(st(n), timeout=3)",
    "keyword": "return await asyncio.wait_for(fut=st(n), timeout=3)",
    "timeout": 'await asyncio.wait([asyncio.ensure_future(sleep("1s"))])',
    "as_completed": "for f in asyncio.as_completed([st(n)]):\n    await f",
    "list": "todo = [st(n), st(2)]\nfor x in todo:\n    await x",
    "append": "todo = []\ntodo.append(st(n))\nreturn await asyncio.gather(*todo)",
    "dict": "todo = {'a': st(n)}\nreturn await todo['a']",
    "stored": "todo = {}\ntodo['a'] = st(n)\nreturn await todo['a']",
    "attribute": "box = Box()\nbox.x = st(n)\nreturn await box.x",
    "unpacked": "x, y = st(n), st(2)\nreturn await x + await y",
    "project function": "return await use(st(n))",
    "inner function": "x = st(n)\nasync def later():\n    return await x\nreturn await later()",
    "returned by a helper": "def both(i):\n    return st(i)\nreturn await both(n)",
    "lambda": "later = lambda: st(n)\nreturn await later()",
    "returned in a list": "def all_of(k):\n    return [st(i) for i in range(k)]\n"
    "return await asyncio.gather(*all_of(n))",
    "taken out of a list": "todo = [st(n)]\nreturn await todo.pop()",
    "closed": "x = st(n)\nx.close()",
    "method of a value": "box = Box()\nbox.put(st(n))",
}


def codes(root: Path, body: str) -> list[str]:
    text = START + textwrap.indent(body, "    ") + "\n"
    found = wfc.build(write_project(root, text), write=False, cache=False).diagnostics
    return [d.code for d in found]


@pytest.mark.parametrize("body", [pytest.param(b, id=name) for name, b in FORGOTTEN.items()])
def test_forgotten_await_is_found(body: str, tmp_path: Path) -> None:
    """Each way of using the coroutine like the result is one finding."""
    assert codes(tmp_path, body) == ["WF506"]


@pytest.mark.parametrize("body", [pytest.param(b, id=name) for name, b in FINE.items()])
def test_value_that_may_be_awaited_is_left_alone(body: str, tmp_path: Path) -> None:
    """Where the coroutine is awaited, or goes where somebody may await it, nothing is said."""
    assert codes(tmp_path, body) == []


def test_ordinary_workflow_code_is_left_alone(tmp_path: Path) -> None:
    """The corpus of code that the sandbox accepts, with its helper made a step, has no finding."""
    corpus = Path(__file__).parent.parent / "sandbox" / "accept.json"
    tried = 0
    for entry in json.loads(corpus.read_text("utf-8")):
        marked = entry["source"].replace(
            "async def step(x, d=0):\n", 'async def step(x, d=0):\n    "use step"\n'
        )
        marked = marked.replace("async def main():\n", 'async def main():\n    "use workflow"\n')
        if marked.count('"use ') != 2:
            continue
        tried += 1
        root = write_project(tmp_path / entry["id"], marked)
        found = wfc.build(root, write=False, cache=False).diagnostics
        assert [d for d in found if d.code == "WF506"] == [], entry["id"]
    assert tried > 20


@pytest.mark.parametrize(
    ("body", "advice"),
    [
        ("return st(n)", "Write `return await st(...)`."),
        ("x = st(n)\nreturn f'{x}'", "Write `x = await st(...)`."),
        ("x = st(n)", "Write `await st(...)`."),
    ],
)
def test_advice_is_the_line_to_write(body: str, advice: str, tmp_path: Path) -> None:
    """The advice repeats the form of the line."""
    text = START + textwrap.indent(body, "    ") + "\n"
    found = wfc.build(write_project(tmp_path, text), write=False, cache=False).diagnostics
    assert [d.fix for d in found] == [advice]
