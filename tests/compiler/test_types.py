"""What the compiler knows about the types of expressions, and where it says nothing."""

from __future__ import annotations

import ast
from pathlib import Path
from textwrap import dedent, indent

import pytest

from tests.compiler.projects import write_project
from wfc.analyse.types import Types, types_of
from wfc.compiler import load_program
from wfc.model import Kind, Module, Program
from wfc.project import load_project

FRAME = """\
import asyncio
import asyncio as aio
import datetime
import typing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Optional, Set

Names = set[str]
LIMITS = {"a": 1}
LIMITS["b"] = 2


@dataclass
class Order:
    id: int
    tags: set[str]
    parent: "Order"

    def total(self) -> float:
        return self.id * 1.5




async def load(n: int) -> Order:
    "use step"


def names() -> set[str]:
    return {"a"}


async def more() -> list[Order]:
    return [await load(1)]


def twice(f):
    return f


@twice
def wrapped() -> int:
    return 1


async def flow(given, ids: list[int], path: Path, perhaps: Optional[int], *rest: str, **kw: int):
    "use workflow"
"""


def analysed(folder: Path, body: str) -> tuple[Program, Types, Module, ast.expr]:
    """The types of a workflow with this body, and the value it returns."""
    text = FRAME + indent(dedent(body).strip(), "    ") + "\n"
    program = load_program(load_project(write_project(folder, text)))
    (module,) = program.bundled
    (flow,) = program.of(Kind.WORKFLOW)
    last = flow.node.body[-1]
    assert isinstance(last, ast.Return)
    assert last.value is not None
    return program, types_of(program), module, last.value


def body_of(expression: str) -> str:
    *before, last = expression.split("; ")
    return "\n".join([*before, f"return {last}"])


# fmt: off
KNOWN = {
    "'a'": "builtins.str",
    "f'{given}'": "builtins.str",
    "b''": "builtins.bytes",
    "-1": "builtins.int",
    "1 + 2": "builtins.int",
    "1 / 2": "builtins.float",
    "True": "builtins.bool",
    "not given": "builtins.bool",
    "given in ids": "builtins.bool",
    "None": "builtins.NoneType",
    "[]": "builtins.list",
    "()": "builtins.tuple",
    "{}": "builtins.dict",
    "{1}": "builtins.set",
    "{n for n in ids}": "builtins.set",
    "[n for n in ids]": "builtins.list",
    "(n for n in ids)": "builtins.generator",
    "frozenset(given)": "builtins.frozenset",
    "{1} | given": "builtins.set",
    "{1}.union(given)": "builtins.set",
    "LIMITS": "builtins.dict",
    "LIMITS.keys()": "builtins.dict_keys",
    "LIMITS.keys() & given": "builtins.set",
    "sorted(given)": "builtins.list",
    "len(given)": "builtins.int",
    "'a,b'.split(',')": "builtins.list",
    "'a,b'.split(',')[0]": "builtins.str",
    "ids": "builtins.list",
    "ids[0]": "builtins.int",
    "ids[1:]": "builtins.list",
    "path": "pathlib.Path",
    "rest": "builtins.tuple",
    "kw": "builtins.dict",
    "kw['a']": "builtins.int",
    "Path('x')": "pathlib.Path",
    "Order(1, set(), None)": "flows.Order",
    "await load(1)": "flows.Order",
    "load(1)": "coroutine",
    "more()": "coroutine",
    "await more()": "builtins.list",
    "(await more())[0].tags": "builtins.set",
    "(await load(1)).parent.parent.id": "builtins.int",
    "(await load(1)).total()": "builtins.float",
    "names()": "builtins.set",
    "asyncio.create_task(load(1))": "asyncio.Task",
    "aio.ensure_future(load(1))": "asyncio.Task",
    "await asyncio.create_task(load(1))": "flows.Order",
    "await asyncio.wait_for(load(1), 5)": "flows.Order",
    "await asyncio.gather(load(1), load(2))": "builtins.list",
    "asyncio.Queue()": "asyncio.Queue",
    "asyncio.sleep(1)": "coroutine",
    "timedelta(days=1)": "datetime.timedelta",
    "datetime.datetime.now()": "datetime.datetime",
    "x = 1; x": "builtins.int",
    "x = y = 'a'; y": "builtins.str",
    "x: set = given; x": "builtins.set",
    "x: Set[str] = set(); x": "builtins.set",
    "x: typing.Dict[str, int] = given; x": "builtins.dict",
    "x, y = 1, 'a'; y": "builtins.str",
    "(x := 1); x": "builtins.int",
    "x = 1; x += 1; x": "builtins.int",
    "x = {1}; x |= given; x": "builtins.set",
    "x = {1}; x = x | {2}; x": "builtins.set",
    "done, left = await asyncio.wait(given); left": "builtins.set",
    "{1} if given else {2}": "builtins.set",
    "lambda: 1": None,
    "given": None,
    "given.name": None,
    "given + 1": None,
    "given == 1": None,
    "perhaps": None,
    "wrapped()": None,
    "x = 1; x = 'a'; x": None,
    "x = 1; x = given; x": None,
    "x = 1; x -= 0.5; x": None,
    "x = 1; x -= given; x": None,
    "x = None; x = {1}; x": None,
    "set = list; set(given)": None,
    "len = given; len([])": None,
    "*x, y = ids; y": None,
    "await given": None,
    "eval": None,
}
# fmt: on


@pytest.mark.parametrize(("expression", "expected"), KNOWN.items())
def test_type_of_an_expression(tmp_path: Path, expression: str, expected: str | None) -> None:
    """Literals, constructors, annotations and results are known; what is open is None."""
    _, types, module, value = analysed(tmp_path, body_of(expression))
    assert types.of(module, value) == expected


# fmt: off
ITEMS = {
    "ids": "builtins.int",
    "{'a', 'b'}": "builtins.str",
    "{'a', 1}": None,
    "[]": None,
    "x = []; x.append('a'); x": "builtins.str",
    "x = set(); x.add(given); x": None,
    "[str(n) for n in ids]": "builtins.str",
    "set(ids)": "builtins.int",
    "{*ids, 3}": "builtins.int",
    "sorted(names())": "builtins.str",
    "{'a': 1}": "builtins.str",
    "{'a': 1}.values()": "builtins.int",
    "{'a': 1}.items()": "builtins.tuple",
    "range(3)": "builtins.int",
    "'abc'": "builtins.str",
    "('a', 'b')": "builtins.str",
    "('a', 1)": None,
    "await more()": "flows.Order",
    "await asyncio.gather(load(1), load(2))": "flows.Order",
    "{asyncio.create_task(load(n)) for n in ids}": "asyncio.Task",
    "done, left = await asyncio.wait(given); done": "asyncio.Task",
    "{load(n) for n in ids}": "coroutine",
    "(await load(1)).tags": "builtins.str",
    "rest": "builtins.str",
    "given": None,
}
# fmt: on


@pytest.mark.parametrize(("expression", "expected"), ITEMS.items())
def test_type_of_the_items(tmp_path: Path, expression: str, expected: str | None) -> None:
    """What going through a container gives, where all items agree."""
    _, types, module, value = analysed(tmp_path, body_of(expression))
    assert types.element(module, value) == expected


@pytest.mark.parametrize(
    ("expression", "sure"),
    [
        ("{1}", True),
        ("x = {1}; x", True),
        ("x: set[int] = {1}; x", True),
        ("x: set[int] = given; x", False),
        ("ids", False),
        ("names()", False),
        ("{1} if given else names()", False),
        ("asyncio.Queue()", True),
    ],
)
def test_an_annotation_is_believed_but_not_sure(
    tmp_path: Path, expression: str, sure: bool
) -> None:
    """Only what follows from the code itself is sure."""
    _, types, module, value = analysed(tmp_path, body_of(expression))
    found = types.type(module, value)
    assert found is not None
    assert found.sure is sure


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("for n in ids:\n    x = n\nreturn x", "builtins.int"),
        ("for i, n in enumerate(names()):\n    x = n\nreturn x", "builtins.str"),
        ("for k, v in LIMITS.items():\n    x = v\nreturn x", "builtins.int"),
        ("async with asyncio.TaskGroup() as g:\n    x = g.create_task(load(1))\nreturn x",
         "asyncio.Task"),
        ("with given as x:\n    pass\nreturn x", None),
        ("try:\n    x = 1\nexcept ValueError as x:\n    pass\nreturn x", None),
        ("x = 1\ndef inner():\n    nonlocal x\n    x = 'a'\nreturn x", None),
        ("x = 1\ndef inner():\n    x = 'a'\nreturn x", "builtins.int"),
        ("x = 1\nreturn [x for x in names()][0]", "builtins.str"),
        ("from asyncio import Event as E\nreturn E()", "asyncio.Event"),
        ("match given:\n    case {'a': x}:\n        pass\nreturn x", None),
        ("def inner():\n    return x\nx = inner()\nreturn x", None),
        ("x = y = given\nx, y = y, x\nreturn x", None),
        ("pending = {asyncio.create_task(load(1))}\nwhile pending:\n"
         "    done, pending = await asyncio.wait(pending)\nreturn pending", "builtins.set"),
    ],
)  # fmt: skip
def test_names_in_their_scopes(tmp_path: Path, body: str, expected: str | None) -> None:
    """A name is what all that binds it in its own scope agrees on."""
    _, types, module, value = analysed(tmp_path, body)
    assert types.of(module, value) == expected


def test_same_answers_for_the_same_program(tmp_path: Path) -> None:
    """The types of a program are worked out once."""
    program, types, _, _ = analysed(tmp_path, "return 1")
    assert types_of(program) is types


@pytest.mark.parametrize(
    "body",
    [
        "x0 = 1\n" + "\n".join(f"x{n + 1} = [x{n}, x{n}]" for n in range(60)) + "\nreturn x60",
        "\n".join(f"x{n} = x{(n * 7 + 1) % 40} or x{(n * 11 + 2) % 40}" for n in range(40))
        + "\nreturn x0",
        "return " + " + ".join(["'a'"] * 250),
    ],
    ids=["doubling", "circles", "deep"],
)
def test_hard_cases_are_answered_soon(tmp_path: Path, body: str) -> None:
    """Names that double, go in circles, or are nested deeply do not take for ever."""
    _, types, module, value = analysed(tmp_path, body)
    assert types.of(module, value) in (None, "builtins.list", "builtins.str")


def test_types_across_modules(tmp_path: Path) -> None:
    """Classes and functions are followed through imports and re-exports of the project."""
    files = {
        "shop/__init__.py": "from .orders import Order, load_all\n",
        "shop/orders.py": (
            "from __future__ import annotations\n\n\n"
            "class Order:\n    id: int\n\n\n"
            "def load_all() -> dict[str, Order]:\n    return {}\n"
        ),
        "flows.py": (
            "import shop\nfrom shop import Order as O\n\n\n"
            'async def flow(one: O) -> None:\n    "use workflow"\n'
            "    return (one, shop.load_all(), shop.load_all()['a'], shop.Order())\n"
        ),
    }
    program = load_program(load_project(write_project(tmp_path, files)))
    module = program.modules["flows"]
    (flow,) = program.of(Kind.WORKFLOW)
    last = flow.node.body[-1]
    assert isinstance(last, ast.Return)
    assert isinstance(last.value, ast.Tuple)
    found = [types_of(program).of(module, e) for e in last.value.elts]
    order = "shop.orders.Order"
    assert found == [order, "builtins.dict", order, order]
