"""What somebody found who read the compiler to break it: each was wrong once, and stays right."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import wfc
from tests.compiler.projects import write_project
from workflow.api import start
from workflow.engine import Application, Project
from workflow.worlds import memory

_REGISTRY = """\
TOOLS = {}


def tool(f):
    TOOLS[f.__name__] = f
    return f


def named(name):
    def keep(f):
        TOOLS[name] = f
        return f

    return keep
"""
_TOOLS = """\
@tool
async def search(q):
    "use step"
    return q + "!"


@named("b")
async def look():
    return "looked"
"""
_SEEN = """\
async def w():
    "use workflow"
    return [sorted(TOOLS), await TOOLS["search"]("a"), await TOOLS["b"]()]
"""
_EFFECTS = """\
import heapq


class Cfg:
    limit = 1


Cfg.limit = 5
setattr(Cfg, "x", 3)
for each in (Cfg,):
    each.loop = 4


def f():
    return f.k


f.k = 1
T = {}


def setup():
    T["a"] = 1


setup()
A = B = {}
A["k"] = 1
Q = [3, 1, 2]
heapq.heapify(Q)
P = {}


def fill(table):
    table["z"] = 1


fill(P)
D = {}
_ = D.setdefault("a", 1)
L = [9, 8]
found = [L.append(k) for k in D]
assert L.pop()
C = {}


class Body:
    C["body"] = 1


count = 0


def bump():
    global count
    count += 1
    return count


unused = bump()


class Plugin:
    known = []

    def __init__(self, name):
        self.known.append(name)


Plugin("first")


async def w():
    "use workflow"
    things = [Cfg.limit, Cfg.x, Cfg.loop, f(), T, B, Q, P, D, L, C, count, Plugin.known]
    return things
"""


def _run(root: Path, files: str | Mapping[str, str]) -> Any:
    """What the one workflow of a project without findings returns."""
    result = wfc.build(write_project(root, files), cache=False)
    assert [str(d.code) for d in result.diagnostics] == []
    (workflow_id,) = result.manifest["workflows"]

    async def main() -> Any:
        async with Application(memory.create(), Project.load(root / "generated")):
            handle: Any = await start(workflow_id)
            return await handle.return_value

    return asyncio.run(main())


def _codes(root: Path, files: str | Mapping[str, str]) -> list[tuple[str, str, int]]:
    found = wfc.build(write_project(root, files), write=False, cache=False).diagnostics
    return [(d.code, d.path, d.span.line) for d in found]


def test_registry_filled_by_decorators_is_full_in_the_workflow(tmp_path: Path) -> None:
    """Decorators that register steps and functions do so in workflow code as well."""
    found = _run(tmp_path, {"one_file.py": f"{_REGISTRY}\n\n{_TOOLS}\n\n{_SEEN}"})
    assert found == [["b", "search"], "a!", "looked"]


@pytest.mark.parametrize(
    "imports",
    [
        "import tools_x\nfrom registry_x import TOOLS\n",
        "from registry_x import TOOLS\nfrom tools_x import look\n",
    ],
)
def test_registry_is_full_across_modules(imports: str, tmp_path: Path) -> None:
    """The imports that lead to the decorated functions stay, also where nothing else uses them."""
    files = {
        "registry_x.py": _REGISTRY,
        "tools_x.py": f"import sqlite3\nfrom registry_x import named, tool\n\n\n{_TOOLS}",
        "seen_x.py": f"{imports}\n\n{_SEEN}",
    }
    try:
        assert _run(tmp_path, files) == [["b", "search"], "a!", "looked"]
    finally:
        _forget("registry_x", "tools_x", "seen_x")


def _forget(*names: str) -> None:
    import sys

    for name in names:
        sys.modules.pop(name, None)


def test_methods_of_a_registry_register_too(tmp_path: Path) -> None:
    """`@registry.tool` is a method of an object of the project's own class."""
    text = f'''\
class Registry:
    def __init__(self):
        self.tools = {{}}

    def tool(self, f):
        self.tools[f.__name__] = f
        return f


registry = Registry()


@registry.tool
async def search(q):
    "use step"
    return q


async def w():
    "use workflow"
    return [sorted(registry.tools), await registry.tools["search"]("{tmp_path.name}")]
'''
    assert _run(tmp_path, {"registry_object.py": text}) == [["search"], tmp_path.name]


@pytest.mark.parametrize("name", ["step_options", "workflow.step_options", "so"])
def test_the_options_of_a_step_change_nothing_else(name: str, tmp_path: Path) -> None:
    """What the step itself changes is one finding, and not one about its decorator as well."""
    flows = f"""\
import workflow
from workflow import step_options, step_options as so

SEEN: list[str] = []


@{name}(max_retries=0)
async def look() -> None:
    "use step"
    SEEN.append("x")


async def count() -> int:
    "use workflow"
    await look()
    return len(SEEN)
"""
    assert [code for code, _, _ in _codes(tmp_path, {"flows.py": flows})] == ["WF611"]


def test_registering_that_cannot_run_is_told(tmp_path: Path) -> None:
    """A decorator that makes something else of a step, and one nobody imports, are findings."""
    wrapping = _REGISTRY.replace(
        "TOOLS[f.__name__] = f\n    return f",
        (
            "async def inner(*a):\n        return await f(*a)\n\n"
            "    TOOLS[f.__name__] = inner\n    return inner"
        ),
        1,
    )
    files = {"flows.py": f"{wrapping}\n\n{_TOOLS}\n\n{_SEEN}"}
    assert [code for code, _, _ in _codes(tmp_path / "a", files)] == ["WF608"]
    files = {
        "registry.py": _REGISTRY,
        "tools.py": f"from registry import named, tool\n\n\n{_TOOLS}",
        "flows.py": f"from registry import TOOLS\n\n\n{_SEEN}",
    }
    found = wfc.build(write_project(tmp_path / "b", files), write=False, cache=False).diagnostics
    assert [(d.code, d.path, d.span.line) for d in found] == [
        ("WF608", "tools.py", 4),
        ("WF608", "tools.py", 10),
    ]
    assert 'TOOLS = {"search": search}' in (found[0].fix or "")


def test_statements_that_change_what_is_used_are_kept(tmp_path: Path) -> None:
    """Attributes, calls, aliases, loops, class bodies: the workflow sees what they did."""
    assert _run(tmp_path, {"effects_x.py": _EFFECTS}) == [
        5, 3, 4, 1, {"a": 1}, {"k": 1}, [1, 3, 2], {"z": 1}, {"a": 1}, [9, 8], {"body": 1}, 1,
        ["first"],
    ]  # fmt: skip


def test_setting_up_a_logger_is_no_finding(tmp_path: Path) -> None:
    """What the whole process shares is set up where it runs; a workflow does without."""
    text = """\
import logging

logger = logging.getLogger(__name__)
logger.setLevel(logging.INFO)


async def w():
    "use workflow"
    logger.info("x")
"""
    assert _codes(tmp_path, text) == []


def test_special_attributes_of_what_is_used(tmp_path: Path) -> None:
    """A docstring that is set later is for readers; other special attributes are told."""
    text = (
        "def f():\n    return 1\n\n\nf.__doc__ = 'one'\n{}\n"
        'async def w():\n    "use workflow"\n    return f()\n'
    )
    assert _codes(tmp_path / "a", text.format("")) == []
    found = _codes(tmp_path / "b", text.format("f.__name__ = 'one'"))
    assert found == [("WF608", "flows.py", 6)]


def test_a_step_that_is_wrapped_by_assignment_is_wrapped_once(tmp_path: Path) -> None:
    """`st = wrap(st)` is a decorator in other words, and takes effect where the step runs."""
    text = """\
def wrap(f):
    async def inner(*a):
        return ["wrapped", await f(*a)]

    return inner


async def st(x):
    "use step"
    return x


st = wrap(st)


async def w():
    "use workflow"
    return await st(2)
"""
    assert _run(tmp_path, {"wrapped_x.py": text}) == ["wrapped", 2]


@pytest.mark.parametrize("line", ["st = print", "from math import floor as st", "st: object = 3"])
def test_a_step_that_gets_another_value_is_refused(line: str, tmp_path: Path) -> None:
    """An id stands for one function."""
    text = f'async def st(x):\n    "use step"\n    return x\n\n\n{line}\n'
    assert _codes(tmp_path, text) == [("WF006", "flows.py", 6)]


def test_changes_of_copies_in_steps_are_told(tmp_path: Path) -> None:
    """Captured variables, the object of a method and arguments without annotation are copies."""
    text = """\
from dataclasses import dataclass


@dataclass
class Cart:
    items: list

    async def add(self, x):
        "use step"
        self.items.append(x)


async def put(items, x):
    "use step"
    items.append(x)


async def w():
    "use workflow"
    items = []

    async def keep(x):
        "use step"
        items.append(x)

    await keep(1)
    cart = Cart([])
    await cart.add(2)
    await put(items, 3)
    return items
"""
    assert _codes(tmp_path, text) == [("WF907", "flows.py", line) for line in (10, 15, 24)]


@pytest.mark.parametrize(
    ("body", "is_found"),
    [
        ("async def f(x): return await st(x)\n    f(2)", True),
        ("async def f(x): return await st(x)\n    return await f(2)", False),
        ('return {"a": st(1)}', True),
        ("return [st(1)]", True),
        ('d = {"a": st(1)}\n    return [await x for x in d.values()]', False),
        ("t = st\n    t(1)", True),
        ("t = st\n    return await t(1)", False),
    ],
)
def test_calls_that_nobody_awaits(body: str, is_found: bool, tmp_path: Path) -> None:
    """Local functions, values of a table that is returned, and other names of a step."""
    text = (
        'async def st(x):\n    "use step"\n    return x\n\n\n'
        f'async def w():\n    "use workflow"\n    {body}\n'
    )
    assert [code for code, _, _ in _codes(tmp_path, text)] == ["WF506"] * is_found


_FLAT = {
    "elif": "if x == 0:\n        return 0\n"
    + "".join(f"    elif x == {i}:\n        return {i}\n" for i in range(1, 600)),
    "sum": "return (" + " + ".join("x" * 700) + ")\n",
    "calls": "return str(x)" + ".strip()" * 400 + "\n",
}


@pytest.mark.parametrize("kind", _FLAT)
def test_flat_code_of_many_parts_builds(kind: str, tmp_path: Path) -> None:
    """What Python can import can be built, in steps and in workflows."""
    text = (
        f'async def st(x: int):\n    "use step"\n    {_FLAT[kind]}\n\n'
        f'async def w(x: int):\n    "use workflow"\n    {_FLAT[kind]}'
    )
    assert _codes(tmp_path, text) == []


def test_what_python_cannot_read_is_told_at_its_line(tmp_path: Path) -> None:
    """A chain that Python itself cannot read has a finding where it stands. From 3.13 on it can."""
    text = "X = 1\n\n\ndef f(x):\n    return x" + ".a()" * 4000 + "\n\n\nY = 1\n"
    text += 'async def w():\n    "use workflow"\n    return X\n'
    expected = [("WF012", "flows.py", 5)] if sys.version_info < (3, 13) else []
    assert _codes(tmp_path, text) == expected


def test_a_joined_line_before_a_statement_builds(tmp_path: Path) -> None:
    """libcst does not read a backslash at the start of a statement; Python does."""
    text = 'async def w():\n    \\\n    "use workflow"\n    \\\n    return """\n    \\\n    a"""\n'
    assert _run(tmp_path, {"joined_x.py": text}) == "\n        a"


def test_steps_of_objects_are_in_the_manifest(tmp_path: Path) -> None:
    """A step method called on a parameter is among the steps of the workflow."""
    text = """\
from dataclasses import dataclass


@dataclass
class Item:
    n: int

    async def push(self) -> int:
        "use step"
        return self.n


async def w(item: Item, others: list[Item]) -> int:
    "use workflow"
    return await item.push() + await others[0].push()
"""
    result = wfc.build(write_project(tmp_path, text), write=False, cache=False)
    assert result.manifest is not None
    (entry,) = result.manifest["workflows"].values()
    assert entry["steps"] == ["step//flows.py//Item#push"]


_SHARED = """\
import sqlite3


class Repo:
    def __init__(self, table):
        self.table = table

    def connect(self):
        return sqlite3.connect(":memory:")

    def key(self, n):
        return f"{self.table}:{n}"


async def load(table):
    "use step"
    Repo(table).connect().close()
    return 1


async def w():
    "use workflow"
    return Repo("t").key(await load("t"))
"""


def test_methods_that_only_steps_call_are_left_out(tmp_path: Path) -> None:
    """A class that both sides use may have a method that only steps can run."""
    assert _run(tmp_path, {"shared_x.py": _SHARED}) == "t:1"


@pytest.mark.parametrize(
    "use",
    ['Repo("t").connect()', 'getattr(Repo("t"), "con" + "nect")()', 'print("connect")'],
)
def test_methods_that_workflow_code_may_call_stay(use: str, tmp_path: Path) -> None:
    """Where its name is said, or put together, a method may be called."""
    text = _SHARED.replace('    return Repo("t").key', f'    {use}\n    return Repo("t").key')
    assert "WF304" in [code for code, _, _ in _codes(tmp_path, text)]
