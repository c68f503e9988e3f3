"""The catalogue of rules about flow, state, the sandbox and what crosses a boundary: for each a
module with the mistake and one without; and what is no mistake here, with the reason."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import pytest

import wfc
from tests.compiler.projects import write_project
from wfc.requires_python import oldest_python

STEPS = """\
import asyncio
from workflow import create_hook, create_webhook, define_hook, sleep


async def work(n=0):
    "use step"
    return n


async def keep(items: list = ()) -> None:
    "use step"


def plain(n):
    "use step"
    return n


async def main(n: int):
    "use workflow"
"""
CLASS = "class Box:\n    total = 0\n    {}\n"


def module(body: str, above: str = "") -> str:
    """A module with steps, what stands `above` them, and a workflow with this body."""
    return above + STEPS + textwrap.indent(body, "    ") + "\n"


def defining(member: str) -> str:
    return module("return Box()", CLASS.format(member))


def taking(annotation: str, above: str = "") -> str:
    step = f'async def use(x: {annotation}) -> None:\n    "use step"\n\n\n'
    return module("await use(n)", above + step)


def giving(annotation: str, above: str = "") -> str:
    step = f'async def use() -> {annotation}:\n    "use step"\n\n\n'
    return module("await use()", above + step)


DATACLASS = """\
import threading
from dataclasses import dataclass


@dataclass
class Line:
    lock: threading.Lock


@dataclass
class Order:
    lines: list[Line]


"""
GENERATOR = """\
async def numbers():
    try:
        yield 1
    finally:
        print("closed")


"""

MISTAKES: list[tuple[str, str, str, str]] = [
    ("WF505", "dropped", module("asyncio.create_task(work(n))"), module("await work(n)")),
    (
        "WF505",
        "forgotten",
        module("t = asyncio.create_task(work(n))\nreturn n"),
        module("t = asyncio.create_task(work(n))\nreturn await t"),
    ),
    (
        "WF505",
        "of the loop",
        module("asyncio.get_running_loop().create_task(work(n))"),
        module("async with asyncio.TaskGroup() as g:\n    g.create_task(work(n))"),
    ),
    (
        "WF505",
        "gather",
        module("asyncio.gather(work(n), work(2))"),
        module("ts = set()\nts.add(asyncio.create_task(work(n)))\nawait asyncio.wait(ts)"),
    ),
    (
        "WF505",
        "list of tasks",
        module("ts = [asyncio.create_task(work(i)) for i in range(n)]"),
        module("ts = [asyncio.create_task(work(i)) for i in range(n)]\nawait asyncio.wait(ts)"),
    ),
    ("WF506", "step", module("work(n)"), module("await work(n)")),
    (
        "WF506",
        "async helper",
        module("help_out(n)", "async def help_out(n):\n    return n\n\n\n"),
        module("await help_out(n)", "async def help_out(n):\n    return n\n\n\n"),
    ),
    (
        "WF506",
        "async method",
        module("b = Box()\nb.fill()", CLASS.format("async def fill(self): return 1")),
        module("b = Box()\nb.fill()", CLASS.format("def fill(self): return 1")),
    ),
    (
        "WF506",
        "static step",
        module("Box.f(n)", CLASS.format('@staticmethod\n    async def f(n):\n        "use step"')),
        module(
            "await Box.f(n)", CLASS.format('@staticmethod\n    async def f(n):\n        "use step"')
        ),
    ),
    (
        "WF506",
        "wait_for",
        module("asyncio.wait_for(work(n), 3)"),
        module("await asyncio.wait_for(work(n), 3)"),
    ),
    (
        "WF507",
        "BaseException",
        module("try:\n    await work(n)\nexcept BaseException:\n    return 1"),
        module("try:\n    await work(n)\nexcept Exception:\n    return 1"),
    ),
    (
        "WF507",
        "bare",
        module("try:\n    await work(n)\nexcept:\n    pass"),
        module("try:\n    await work(n)\nexcept:\n    print(n)\n    raise"),
    ),
    (
        "WF507",
        "in a tuple",
        module("try:\n    await work(n)\nexcept (ValueError, BaseException):\n    pass"),
        module(
            "try:\n    await work(n)\nexcept asyncio.CancelledError:\n    return 0\n"
            "except BaseException:\n    pass"
        ),
    ),
    (
        "WF507",
        "nothing to cancel",
        module("try:\n    async with asyncio.timeout(3):\n        n += 1\nexcept:\n    pass"),
        module("try:\n    n += 1\nexcept:\n    pass"),
    ),
    (
        "WF507",
        "only said",
        module("try:\n    await work(n)\nexcept BaseException as e:\n    print(e)"),
        module("try:\n    await work(n)\nexcept BaseException as e:\n    give_up(e)").replace(
            "async def main", "def give_up(e):\n    raise e\n\n\nasync def main"
        ),
    ),
    (
        "WF507",
        "told, not kept",
        module("try:\n    await work(n)\nexcept BaseException as e:\n    return str(e)"),
        module("try:\n    await work(n)\nexcept BaseException as e:\n    kept = e\nreturn n"),
    ),
    (
        "WF508",
        "until done",
        module("t = asyncio.create_task(work(n))\nwhile not t.done():\n    await asyncio.sleep(0)"),
        module("t = asyncio.create_task(work(n))\nwhile not t.done():\n    await asyncio.sleep(1)"),
    ),
    (
        "WF508",
        "with a break",
        module(
            "done = []\nwhile True:\n    if done:\n        break\n    await asyncio.sleep(0)\n"
            "return done"
        ),
        module("items = [1]\nwhile items:\n    print(items.pop())\n    await asyncio.sleep(0)"),
    ),
    (
        "WF509",
        "counting",
        module("while True:\n    n += 1"),
        module("while True:\n    n += 1\n    if n > 3:\n        break"),
    ),
    (
        "WF509",
        "one as the condition",
        module("while 1:\n    for i in range(n):\n        if i:\n            break"),
        module("while 1:\n    for i in range(n):\n        return i"),
    ),
    (
        "WF509",
        "in an async helper",
        module("await spin()", "async def spin():\n    while True:\n        pass\n\n\n"),
        module(
            "try:\n    while True:\n        next(iter([]))\nexcept StopIteration:\n    return 1"
        ),
    ),
    (
        "WF510",
        "poll",
        module("while True:\n    await work(n)"),
        module("while True:\n    await work(n)\n    await sleep('1 minute')"),
    ),
    (
        "WF510",
        "two steps",
        module("while True:\n    x = await work(n)\n    await plain(x)"),
        module("while True:\n    if not await work(n):\n        break"),
    ),
    (
        "WF511",
        "break",
        module("async for i in numbers():\n    break", GENERATOR),
        module("async for i in numbers():\n    print(i)", GENERATOR),
    ),
    (
        "WF511",
        "return",
        module("async for i in numbers():\n    if i:\n        return i", GENERATOR),
        module(
            "async for i in numbers():\n    break",
            "async def numbers():\n    yield 1\n    yield 2\n\n\n",
        ),
    ),
    (
        "WF516",
        "awaited",
        module("hook = create_hook(token='a')\nreturn await hook"),
        module("hook = create_hook(token='a', timeout='7 days')\nreturn await hook"),
    ),
    (
        "WF516",
        "looped over",
        module("async for x in create_hook():\n    print(x)"),
        module("hook = create_webhook()\nreturn await hook"),
    ),
    (
        "WF516",
        "no limit around it",
        module("async with create_hook() as hook:\n    return await hook"),
        module("async with asyncio.timeout(60):\n    return await create_hook()"),
    ),
    (
        "WF516",
        "defined",
        module("return await answer.create(token='a')", ""),
        module("await answer.create(token='a')\n\nasync def f(): await answer.resume('a', 1)"),
    ),
    (
        "WF517",
        "start",
        module("await work(n)") + "\nasync def go():\n    await start(work, 1)\n",
        module("await work(n)") + "\nasync def go():\n    await start(main, 1)\n",
    ),
    (
        "WF517",
        "with options",
        module("await work(n)") + "\nasync def go():\n    await with_options().start(work, 1)\n",
        module("await work(n)") + "\nasync def go():\n    await with_options().start(main, 1)\n",
    ),
    (
        "WF518",
        "key of a child",
        module("await with_options(idempotency_key=n).start(main, n)"),
        module("await with_options(delay=5).start(main, n)"),
    ),
    (
        "WF603",
        "async function",
        module(
            "return await f(n)", "import functools\n@functools.cache\nasync def f(x): return x\n"
        ),
        module("return f(n)", "import functools\n@functools.lru_cache(9)\ndef f(x): return x\n"),
    ),
    (
        "WF603",
        "returns the call of a step",
        module(
            "return await f(n)", "from functools import cache\n@cache\ndef f(x): return work(x)\n"
        ),
        module("return await f(n)", "def f(x): return work(x)\n"),
    ),
    (
        "WF606",
        "destructor",
        defining("def __del__(self): pass"),
        defining("def __exit__(self, *a): pass"),
    ),
    (
        "WF608",
        "filled in a loop",
        module("return PRICES", "import os\nPRICES = {}\nfor i in os.environ: PRICES[i] = i\n"),
        module("return PRICES", "PRICES = {}\nfor i in range(3):\n    PRICES[i] = i\n"),
    ),
    (
        "WF608",
        "taken out",
        module("return PRICES", "import os\nPRICES = {1: 2}\ndel PRICES[os.getpid()]\n"),
        module("return n", "import os\nPRICES = {1: 2}\ndel PRICES[os.getpid()]\n"),
    ),
    (
        "WF608",
        "set on an object",
        module(
            "return BOX.total",
            "import os\n" + CLASS.format("") + "BOX = Box()\nBOX.total = os.getpid()\n",
        ),
        module(
            "return BOX.total",
            CLASS.format("") + "BOX = Box()\nif __name__ == '__main__':\n    BOX.total = 3\n",
        ),
    ),
    (
        "WF610",
        "precision",
        module("decimal.getcontext().prec = 9", "import decimal\n"),
        module("with decimal.localcontext() as c:\n    c.prec = 9", "import decimal\n"),
    ),
    (
        "WF610",
        "imported by name",
        module("setcontext(None)", "from decimal import setcontext\n"),
        module("return Decimal(1) / 3", "from decimal import Decimal\n"),
    ),
    (
        "WF611",
        "filled by a step",
        module(
            "await fill(n)\nreturn SEEN",
            "SEEN = []\nasync def fill(x):\n    'use step'\n    SEEN.append(x)\n",
        ),
        module(
            "return len(KINDS)",
            "SEEN = []\nKINDS = []\nasync def fill(x):\n    'use step'\n    SEEN.append(x)\n",
        ),
    ),
    (
        "WF611",
        "counted by a step",
        module(
            "await count()\nreturn TOTAL",
            "TOTAL = 0\nasync def count():\n    'use step'\n    global TOTAL\n    TOTAL += 1\n",
        ),
        module(
            "await count()\nreturn TOTAL",
            "TOTAL = 0\nasync def count():\n    'use step'\n    TOTAL = 1\n    return TOTAL\n",
        ),
    ),
    (
        "WF611",
        "set by a workflow",
        module(
            "global MODE\nMODE = 'fast'\nawait act()",
            "MODE = ''\nasync def act():\n    'use step'\n    return MODE\n",
        ),
        module(
            "global MODE\nMODE = 'fast'\nawait act(MODE)",
            "MODE = ''\nasync def act(MODE):\n    'use step'\n    return MODE\n",
        ),
    ),
    (
        "WF611",
        "an attribute",
        module(
            "await act()\nreturn BOX.total",
            CLASS.format("") + "BOX = Box()\nasync def act():\n    'use step'\n    BOX.total = 3\n",
        ),
        module(
            "await act()\nreturn BOX.total",
            CLASS.format("")
            + "BOX = Box()\nasync def act():\n    'use step'\n    BOX = Box()\n    BOX.total = 3\n",
        ),
    ),
    ("WF801", "eval", module("return eval('n')"), module("return n")),
    ("WF802", "of a function", module("return main.__globals__"), module("return main.__name__")),
    ("WF802", "of an object", module("return n.__class__"), module("return str(type(n))")),
    (
        "WF802",
        "of a class",
        module("return n.__class__.__mro__"),
        module("return n.__class__.__name__, n.__class__ is int, n.__class__(3)"),
    ),
    ("WF802", "of a module", module("return __file__"), module("return __name__")),
    ("WF803", "generator", module("return n.gi_frame"), module("return next(iter([n]))")),
    (
        "WF803",
        "traceback",
        module(
            "try:\n    await work(n)\nexcept Exception as e:\n    print(e.__traceback__.tb_frame)"
        ),
        module("try:\n    await work(n)\nexcept Exception as e:\n    print(e.__cause__)"),
    ),
    (
        "WF804",
        "own metaclass",
        module("return A()", "class M(type): pass\nclass A(metaclass=M): pass\n"),
        module("return A()", "def deco(c): return c\n@deco\nclass A: pass\n"),
    ),
    (
        "WF804",
        "of Python",
        module("return A()", "import abc\nclass A(metaclass=abc.ABCMeta): pass\n"),
        module("return A()", "import abc\nclass A(abc.ABC): pass\n"),
    ),
    ("WF805", "attribute access", defining("def __getattribute__(self, n): pass"), defining("")),
    ("WF805", "pattern", defining("__match_args__ = ('x',)"), defining("__slots__ = ('x',)")),
    ("WF805", "making", defining("def __new__(cls): pass"), defining("def make(self): pass")),
    ("WF806", "variable", module("__x = 1\nreturn __x"), module("_x = 1\nreturn _x")),
    ("WF806", "field", defining("def f(self): self.__x = 1"), defining("def f(self): self._x = 1")),
    ("WF806", "parameter", module("return (lambda __x: 1)(n)"), module("return (lambda x: x)(n)")),
    (
        "WF806",
        "function",
        module("return __f()", "def __f(): pass\n"),
        module("return f()", "def f(): pass\n"),
    ),
    (
        "WF807",
        "call",
        module("f(n)", "def f(x: 'g()'): pass\n"),
        module("f(n)", "def f(x: 'int'): pass\n"),
    ),
    ("WF807", "words", module("x: 'how many' = 1\nreturn x"), module("x: int = 1\nreturn x")),
    ("WF808", "type", module("return type('X', (), {})"), module("return str(type(n))")),
    (
        "WF809",
        "subclass",
        module("raise E('x', [ValueError()])", "class E(ExceptionGroup): pass\n"),
        module("raise ExceptionGroup('x', [ValueError()])"),
    ),
    ("WF901", "lock", taking("asyncio.Lock", "import asyncio\n"), taking("str")),
    (
        "WF901",
        "in a list",
        taking("list[threading.Lock]", "import threading\n"),
        taking("threading.Lock | None", "import threading\n"),
    ),
    (
        "WF901",
        "in a dict",
        taking("dict[str, sqlite3.Connection]", "import sqlite3\n"),
        taking("dict[str, int]"),
    ),
    ("WF901", "in a dataclass", taking("Order", DATACLASS), taking("Order", "class Order: pass\n")),
    (
        "WF901",
        "no data",
        taking("Order", "class Order:\n    def __init__(self): self.x = 1\n\n\n"),
        taking(
            "Order",
            "class Order:\n    def __init__(self): self.x = 1\n\n\nclass Big(Order): pass\n\n\n",
        ),
    ),
    (
        "WF901",
        "says how",
        taking("Order", "class Order:\n    def __init__(self): self.x = 1\n\n\n"),
        taking(
            "Order",
            "class Order:\n    def __init__(self): self.x = 1\n"
            "    def __workflow_serialize__(self): return 1\n"
            "    @classmethod\n    def __workflow_deserialize__(cls, x): return cls()\n\n\n",
        ),
    ),
    (
        "WF901",
        "alias",
        taking("Conn", "import sqlite3\nConn = sqlite3.Connection\n"),
        taking("Address", "import ipaddress\nAddress = ipaddress.IPv4Address\n"),
    ),
    (
        "WF901",
        "value",
        module("lock = asyncio.Lock()\nawait work(lock)"),
        module("lock = asyncio.Lock()\nasync with lock:\n    await work(n)"),
    ),
    (
        "WF901",
        "task",
        module("t = asyncio.create_task(work(n))\nreturn await work(t)"),
        module("t = asyncio.create_task(work(n))\nreturn await work(await t)"),
    ),
    ("WF901", "lambda", module("await work(lambda: n)"), module("await work(n)")),
    (
        "WF902",
        "iterator",
        giving("Iterator[int]", "from collections.abc import Iterator\n"),
        giving("Iterable[int]", "from collections.abc import Iterable\n"),
    ),
    (
        "WF902",
        "connection",
        giving("sqlite3.Connection", "import sqlite3\n"),
        giving("sqlite3.Connection | None", "import sqlite3\n"),
    ),
    (
        "WF902",
        "in a dataclass",
        giving("list[Order]", DATACLASS),
        giving("Point", "from typing import NamedTuple\nclass Point(NamedTuple):\n    x: int\n"),
    ),
    (
        "WF905",
        "changed before the await",
        module("o = [n]\nr = keep(o)\no.append(2)\nawait r"),
        module("o = [n]\nr = await keep(o)\no.append(2)\nreturn r"),
    ),
    (
        "WF905",
        "changed by the next round",
        module(
            "todo, o = [], []\nfor i in range(n):\n    o.append(i)\n    todo.append(keep(o))\n"
            "await asyncio.gather(*todo)"
        ),
        module(
            "todo = []\nfor i in range(n):\n    o = []\n    o.append(i)\n    todo.append(keep(o))\n"
            "await asyncio.gather(*todo)"
        ),
    ),
    (
        "WF905",
        "a task that has not begun",
        module("o = {}\nt = asyncio.create_task(keep(o))\no['a'] = 1\nawait t"),
        module("o = {}\nt = asyncio.create_task(keep(o))\nawait sleep(1)\no['a'] = 1\nawait t"),
    ),
    (
        "WF905",
        "a copy",
        module("o = [n]\nr = keep(o)\ndel o[0]\nawait r"),
        module("o = [n]\nr = keep(list(o))\ndel o[0]\nawait r"),
    ),
    (
        "WF906",
        "step",
        module("await f()", "async def f(x=time.time()): pass\n\n\nimport time\n"),
        module("def f(x=time.time()): return x\nreturn f()", "import time\n"),
    ),
    (
        "WF906",
        "method",
        defining("def f(self, x=uuid.uuid4()): pass").replace("class", "import uuid\nclass", 1),
        defining("def f(self, x=lambda: 1): pass"),
    ),
    (
        "WF907",
        "appended",
        module("await f([n])", 'async def f(o: list[int]):\n    "use step"\n    o.append(1)\n\n\n'),
        module(
            "await f([n])",
            'async def f(o: list[int]):\n    "use step"\n    o.append(1)\n    return o\n\n\n',
        ),
    ),
    (
        "WF907",
        "in a loop",
        module(
            "await f({})",
            'async def f(o: dict):\n    "use step"\n    for i in "ab":\n        o[i] = 1\n\n\n',
        ),
        module(
            "await f({})",
            'async def f(o: dict):\n    "use step"\n    for i in "ab":\n        print(o)\n'
            "        o[i] = 1\n\n\n",
        ),
    ),
    ("WF908", "plain step", module("plain(n)"), module("await plain(n)")),
    (
        "WF914",
        "secret",
        taking("SecretStr", "from pydantic import SecretStr\n"),
        taking("str", "from pydantic import SecretStr\n"),
    ),
    (
        "WF914",
        "in a model",
        taking(
            "Login",
            "from pydantic import BaseModel, SecretStr\nclass Login(BaseModel):\n"
            "    password: SecretStr\n",
        ),
        taking(
            "Login", "from pydantic import BaseModel\nclass Login(BaseModel):\n    account: str\n"
        ),
    ),
    (
        "WF914",
        "of a union",
        taking("str | SecretStr", "from pydantic import SecretStr\n"),
        taking("str | bytes"),
    ),
    (
        "WF520",
        "metadata",
        "from workflow import get_step_metadata\n" + module("return get_step_metadata().attempt"),
        module("return n"),
    ),
    ("WF915", "misspelt", module("await work(m=n)"), module("await work(n=n)")),
    ("WF915", "too many", module("await work(n, n)"), module("await work(n)")),
]

NO_MISTAKE: list[tuple[str, str, str]] = [
    (
        "WF510: a live run costs the same however long its log is, and a paused loop grows slowly",
        "paused",
        module("while True:\n    await sleep('1 day')\n    await work(n)"),
    ),
    (
        "WF512: cancelling is an event, and what `finally` awaits is done and recorded after it",
        "await in finally",
        module("try:\n    await work(n)\nfinally:\n    await plain(n)"),
    ),
    (
        "WF601: module globals are fresh in every run and the same at every replay",
        "global",
        module("global N\nN += 1\nreturn N", "N = 0\n"),
    ),
    ("WF602: as WF601", "module state", module("CACHE[n] = 1\nreturn CACHE", "CACHE = {}\n")),
    (
        "WF604: as WF601, classes as well",
        "class attribute",
        module("Box.total = n", CLASS.format("")),
    ),
    (
        "WF605: as WF601; within a run a default is shared as everywhere in Python",
        "mutable default",
        module("return f(n)", "def f(x, to=[]):\n    to.append(x)\n    return to\n\n\n"),
    ),
    (
        "WF609: the build loads every module once in the sandbox, which shows what would fail; the "
        "rest is replayed like all workflow code",
        "call at top level",
        module("return LIMIT", "def limit(): return 5\nLIMIT = limit()\n"),
    ),
    (
        "WF903: classes are recorded with their names and come back as what they were, annotated "
        "or not",
        "unannotated",
        module("return await work(n)"),
    ),
    (
        "WF909: floats are computed alike by every CPython on the same kind of processor, and what "
        "the rule finds are mostly constants",
        "float equality",
        module("if n / 3 == 0.1:\n    return await work(n)"),
    ),
    (
        "WF913: steps are done at least once in any case, so a time limit adds no new case",
        "time limit",
        module("await asyncio.wait_for(work(n), 5)"),
    ),
]
"""WF910, WF911 and WF912 compare with a deployed build or with logs and are no rules of a build."""

PREFIX = "from workflow.api import start, with_options\n"
DEFINED = "answer = define_hook(int)\n\n\nasync def main("


def codes(root: Path, text: str) -> list[str]:
    text = PREFIX + text.replace("async def main(", DEFINED, 1)
    found = wfc.build(write_project(root, text), write=False, cache=False).diagnostics
    return sorted({d.code for d in found})


@pytest.mark.parametrize(
    ("code", "bad", "good"), [pytest.param(c, b, g, id=f"{c} {n}") for c, n, b, g in MISTAKES]
)
def test_mistake_is_found_and_its_mending_is_not(
    code: str, bad: str, good: str, tmp_path: Path
) -> None:
    """The bad module gives this code and no other, the good one gives nothing."""
    assert codes(tmp_path / "bad", bad) == [code]
    assert codes(tmp_path / "good", good) == []


@pytest.mark.parametrize("text", [pytest.param(t, id=n) for _, n, t in NO_MISTAKE])
def test_what_is_no_mistake_here_builds_without_a_word(text: str, tmp_path: Path) -> None:
    """What the runtime makes harmless is not reported."""
    assert codes(tmp_path, text) == []


def test_every_rule_of_this_half_has_a_row() -> None:
    """A code of WF505 to WF999 that nobody put into the tables above is noticed."""
    from wfc.analyse.checks import rules

    elsewhere = {"WF513", "WF514", "WF515", "WF519", "WF607", "WF810", "WF811", "WF812", "WF904"}
    elsewhere |= {code for code in rules() if code.startswith("WF7") or code < "WF505"}
    assert {code for code, *_ in MISTAKES} == rules().keys() - elsewhere


@pytest.mark.parametrize(
    ("said", "oldest"),
    [
        (">=3.11", (3, 11)),
        (">=3.11,<3.14", (3, 11)),
        ("~=3.12.1", (3, 12)),
        ("== 3.13.*", (3, 13)),
        (">=3.10, >=3.12", (3, 12)),
        (">3.11", (3, 11)),
        ("<3.14", None),
        ("", None),
    ],
)
def test_oldest_python_that_a_project_allows(
    said: str, oldest: tuple[int, int] | None, tmp_path: Path
) -> None:
    """The highest of the lower bounds counts; upper bounds say nothing about it."""
    file = tmp_path / "pyproject.toml"
    file.write_text(f'[project]\nrequires-python = "{said}"\n', "utf-8")
    assert oldest_python(file) == oldest


@pytest.mark.parametrize(
    "text", ["[project\n", "project = 1\n", "[project]\nrequires-python = 3\n"]
)
def test_pyproject_that_says_nothing_about_versions(text: str, tmp_path: Path) -> None:
    """A file that is broken or says something else is no reason to fail here."""
    file = tmp_path / "pyproject.toml"
    assert oldest_python(file) is None
    file.write_text(text, "utf-8")
    assert oldest_python(file) is None


def test_hook_is_resumed_by_a_file_that_is_not_compiled(tmp_path: Path) -> None:
    """The search for resume_hook() goes through all files of the project, but not through those
    of others."""
    flows = module("return await create_hook()")
    root = write_project(tmp_path, {".venv/lib/other.py": "resume_hook('t', 1)\n"})
    assert codes(root, flows) == ["WF516"]
    write_project(root, {"web/views.py": "async def answer(x):\n    await resume_hook('t', x)\n"})
    assert codes(root, flows) == []


RANGE = '[project]\nname = "x"\nrequires-python = ">=3.11,<3.14"\n'
SMALL = 'async def main():\n    "use workflow"\n'


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the syntax is new in 3.12")
@pytest.mark.parametrize(
    ("text", "codes_found"),
    [
        ("type Id = int\n", ["WF810"]),
        ("def first[T](x: list[T]) -> T: return x[0]\n", ["WF810"]),
        ('def f(d): return f"{d["a"]}"\n', ["WF810"]),
        ("def f(d): return f\"{d['a']}\"\n", []),
        ('def f(d): return f\'{f"{d}"}\' "x"\n', []),
    ],
)
def test_syntax_of_a_later_python(text: str, codes_found: list[str], tmp_path: Path) -> None:
    """What requires-python allows has to be able to read every file of the bundle."""
    files = {"pyproject.toml": RANGE, "flows.py": text + SMALL}
    found = wfc.build(write_project(tmp_path, files), write=False, cache=False).diagnostics
    assert sorted({d.code for d in found}) == codes_found
