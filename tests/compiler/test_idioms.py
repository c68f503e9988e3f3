"""Everyday Python that a workflow may be written in, and what is said where it may not."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

import wfc
from tests.compiler.projects import write_project
from tests.project import build, ended, loaded
from workflow.api import start
from workflow.engine import Application
from workflow.testing.clock import VirtualClock
from workflow.worlds import memory

FLOW = 'async def flow():\n    "use workflow"\n'

RUNS = {
    "special methods by their names": """
        class Refused(Exception):
            def __init__(self, code):
                Exception.__init__(self, f"refused {code}")
                self.code = code
        class Money:
            def __init__(self, n): self.n = n
            def __eq__(self, other): return self.n == other.n
            def __ne__(self, other): return not self.__eq__(other)
            def __add__(self, other): return Money(self.n + getattr(other, "n", other))
            def __radd__(self, other): return self.__add__(other)
            def __str__(self): return f"{self.n} EUR"
            def __repr__(self): return self.__str__()
        ---
        prices = {"a": 1, "b": 2}
        found = str(Refused(3)), repr(sum([Money(1), Money(2)])), Money(1) != Money(1)
        assert list(map(prices.__getitem__, "ba")) == [2, 1]
        return found == ("refused 3", "3 EUR", False)
    """,
    "fields with names of methods": """
        from dataclasses import dataclass
        @dataclass
        class Command:
            name: str
            args: list
            copy: int = 0
        ---
        command = Command("run", [1, 2])
        command.copy += 2
        match command:
            case Command(name="run", args=[first, *_], copy=n):
                return (first, n) == (1, 2)
    """,
    "special methods under another name": """
        class Money:
            def __init__(self, n): self.n = n
            def __add__(self, other): return Money(self.n + getattr(other, "n", other))
            __radd__ = __add__
            def __str__(self): return f"{self.n} EUR"
            __repr__ = __str__
        ---
        return repr(sum([Money(1), Money(2)])) == "3 EUR"
    """,
    "fields of a frozen dataclass": """
        from dataclasses import dataclass, field
        @dataclass(frozen=True)
        class Money:
            n: int
            label: str = field(init=False)
            def __post_init__(self):
                object.__setattr__(self, "label", f"{self.n} EUR")
        ---
        return Money(3).label == "3 EUR"
    """,
    "the class of an argument, by annotation": """
        import functools
        from datetime import date, timedelta
        @functools.singledispatch
        def shown(value): return "other"
        @shown.register
        def _(value: date | None): return "day"
        class Shown:
            @functools.singledispatchmethod
            def of(self, value): return "other"
            @of.register
            def _(self, value: timedelta): return "span"
        ---
        found = shown(date(2024, 1, 1)), shown(2), Shown().of(timedelta(1))
        return found == ("day", "other", "span")
    """,
    "names of types": """
        from types import MappingProxyType, SimpleNamespace
        RATES = MappingProxyType({"eur": 2})
        ---
        box = SimpleNamespace(a=1)
        box.a += RATES["eur"]
        return box.a == 3 and box.__class__.__name__ == "SimpleNamespace"
    """,
    "hash in a hash": """
        class Key:
            def __init__(self, n): self.n = n
            def __eq__(self, other): return self.n == other.n
            def __hash__(self): return hash((self.n, "key"))
        ---
        return {Key("a"): 2}[Key("a")] == 2
    """,
    "a class that can be awaited": """
        async def load(x):
            "use step"
            return x
        class Loading:
            async def _load(self): return await load(4)
            def __await__(self): return self._load().__await__()
        ---
        return await Loading() == 4
    """,
    "models that compute": """
        from pydantic import BaseModel, PrivateAttr, computed_field, field_serializer
        class Line(BaseModel):
            cents: int = 1
            _times: int = PrivateAttr(default=2)
            @computed_field
            @property
            def total(self) -> int: return self.cents * self._times
            @field_serializer("cents")
            def text(self, value) -> str: return str(value)
        ---
        return Line().model_dump() == {"cents": "1", "total": 2}
    """,
    "imports for several versions of Python": """
        import sys
        if sys.version_info >= (3, 12):
            from typing import override
        else:
            from typing_extensions import override
        class A:
            def f(self): return 1
        class B(A):
            @override
            def f(self): return 2
        ---
        return B().f() == 2
    """,
    "a logger that is set up": """
        import logging
        logger = logging.getLogger(__name__)
        logger.setLevel(logging.INFO)
        logger.addHandler(logging.NullHandler())
        ---
        logger.info("here")
        return True
    """,
    "methods for steps": """
        import sqlite3
        from dataclasses import dataclass
        @dataclass
        class Store:
            path: str
            def connect(self): return sqlite3.connect(self.path)
            def label(self): return self.path
        class Other:
            def connect(self): return sqlite3.connect("x")
        async def save(store: Store):
            "use step"
            store.connect().close()
        ---
        Other()
        await save(Store(":memory:"))
        return Store("a").label() == "a"
    """,
    "an optional package with a flag": """
        try:
            import numpy as np
        except ImportError:
            HAVE = False
        else:
            HAVE = True
        ---
        return np.mean([1]) if HAVE else True
    """,
}


def module(text: str) -> str:
    above, _, body = dedent(text).partition("---\n")
    return above + FLOW + "".join(f"    {line}\n" for line in body.splitlines())


@pytest.mark.parametrize("name", RUNS)
def test_idiom_is_no_finding_and_runs(name: str, tmp_path: Path) -> None:
    """The code is built without a finding, and gives True when it runs."""
    source = module(RUNS[name])
    found = wfc.build(write_project(tmp_path / "checked", source), write=False, cache=False)
    assert found.diagnostics == ()
    folder = tmp_path / "built"
    folder.mkdir()
    project = build(folder, source)

    async def play() -> Any:
        world = memory.create(VirtualClock(1_700_000_000_000_000))
        async with Application(world, project) as application:
            run = await start(loaded(folder).flow)
            await ended(application, run.run_id)
            return await run.result()

    assert asyncio.run(play()) is True


@pytest.mark.skipif(sys.version_info < (3, 12), reason="syntax of Python 3.12")
def test_bases_may_name_the_parameters_of_their_class(tmp_path: Path) -> None:
    """`class Leaf[T](Node[T])`: T is that of the class statement, not a name of the module."""
    text = "class Node[T]:\n    kids: list[T] = []\nclass Leaf[T](Node[T]): ...\n"
    found = wfc.build(write_project(tmp_path, text + FLOW + "    Leaf()\n"), cache=False)
    assert found.diagnostics == ()


def test_directive_may_follow_imports_from_the_future(tmp_path: Path) -> None:
    """Below the docstring and `from __future__` a directive marks the whole file."""
    text = '"""Doc."""\nfrom __future__ import annotations\n"use workflow"\nimport json\n'
    result = wfc.build(write_project(tmp_path, text + "async def a(): ...\n"), cache=False)
    assert result.diagnostics == ()
    assert list(result.manifest["workflows"]) == ["workflow//flows.py//a"]


SAID = {
    "future too late": (
        '"""Doc."""\n"use workflow"\nfrom __future__ import annotations\n',
        ("WF012", 3, "only the docstring may stand above it"),
    ),
    "yield in a class": ("class A:\n    yield 1\n" + FLOW, ("WF012", 2, "Correct the syntax")),
    "object of a step": (
        "class A:\n    def __init__(self): self.x = 1\n    async def go(self):\n"
        '        "use step"\n' + FLOW + "    await A().go()\n",
        ("WF901", 3, "Make it a dataclass"),
    ),
    "object of a step, made by its class": (
        'class A:\n    async def go(self):\n        "use step"\n    @classmethod\n'
        '    async def run(cls):\n        "use workflow"\n        await cls().go()\n',
        ("WF901", 2, "Make it a dataclass"),
    ),
    "object by name": (
        "class A:\n    def __init__(self): self.x = 1\n"
        'async def go(a):\n    "use step"\n' + FLOW + "    a = A()\n    await go(a)\n",
        ("WF901", 8, "Make it a dataclass"),
    ),
    "a package without a value": (
        "try:\n    import numpy as np\nexcept ImportError:\n    HAVE = False\n"
        "else:\n    HAVE = True\n" + FLOW + "    if np is not None:\n        np.mean([1])\n",
        ("WF713", 9, "Test `if HAVE` before"),
    ),
    "a package without a flag": (
        "try:\n    import numpy as np\nexcept ImportError:\n    pass\n"
        + FLOW
        + "    np.mean([1])\n",
        ("WF713", 7, "Write `np = None` in the handler"),
    ),
    "star import": (
        "from math import *\n" + FLOW + "    return sqrt(2)\n",
        ("WF703", 4, "Write `from math import sqrt` instead."),
    ),
    "the class of a nested step": (
        "class A:\n    async def run(self):\n        async def go(v):\n"
        '            "use step"\n            return __class__.__name__\n'
        "        await go(1)\n" + FLOW + "    await A().run()\n",
        ("WF904", 5, "Write the name of the class"),
    ),
    "a function that evaluates text": (
        "import typing\nKINDS = typing.get_type_hints(int)\n" + FLOW + "    return KINDS\n",
        ("WF710", 2, "It evaluates text; use the types themselves."),
    ),
    "a special method of a builtin": (
        "OPERATIONS = {'+': int.__add__}\n" + FLOW + "    return OPERATIONS['+'](1, 2)\n",
        ("WF802", 1, "Write `a + b`."),
    ),
    "a constrained type": (
        "from pydantic import BaseModel, conint\nclass M(BaseModel):\n    n: conint(ge=1, le=5)\n"
        + FLOW
        + "    return M(n=1).n\n",
        ("WF807", 3, "Write `Annotated[int, Field(ge=1, le=5)]`."),
    ),
    "messages in a pattern": (
        FLOW + "    try: ...\n    except Exception as e:\n        match e:\n"
        "            case ValueError(args=(a, _)): return a\n",
        ("WF811", 6, "Read it below, as in `case ValueError() as found:`."),
    ),
    "a base class that is left out": (
        "from string import Formatter\nclass F(Formatter): ...\n" + FLOW + "    F()\n",
        ("WF710", 2, "Use str.format or an f-string."),
    ),
    "a decorator that is left out": (
        "import functools\nclass A:\n    @functools.recursive_repr()\n    def f(self): ...\n"
        + FLOW
        + "    A().f()\n",
        ("WF710", 3, "It stands at the definition"),
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_what_is_said(name: str, tmp_path: Path) -> None:
    """The one finding stands at the place that is wrong, and says what to write."""
    text, expected = SAID[name]
    result = wfc.build(write_project(tmp_path, text), write=False, cache=False)
    (found,) = result.diagnostics
    assert (found.code, found.span.line) == expected[:2]
    assert expected[2] in found.fix


def test_misspelt_module_of_a_folder(tmp_path: Path) -> None:
    """A folder without `__init__.py` has modules only, and the closest one is suggested."""
    files = {
        "app/steps.py": 'async def charge(x):\n    "use step"\n',
        "app/flows.py": "from app import stepz\n" + FLOW + "    await stepz.charge(1)\n",
    }
    (found,) = wfc.build(write_project(tmp_path, files), write=False, cache=False).diagnostics
    assert (found.code, found.span.line) == ("WF711", 1)
    assert found.message == "There is no module app.stepz in this project."
    assert found.fix == "Did you mean app.steps?"


def test_star_import_of_a_package_is_named_where_it_stands(tmp_path: Path) -> None:
    """A name that another module re-exports with a star is to be written out there."""
    files = {
        "app/__init__.py": "from .steps import *\n",
        "app/steps.py": 'async def charge(x):\n    "use step"\n',
        "flows.py": "from app import charge\n" + FLOW + "    await charge(1)\n",
    }
    (found,) = wfc.build(write_project(tmp_path, files), write=False, cache=False).diagnostics
    assert found.code == "WF703"
    assert found.fix == "Write `from .steps import charge` in app/__init__.py."
