"""Names that nothing defines, in workflow code."""

from __future__ import annotations

from pathlib import Path

import pytest

import wfc
from tests.compiler.projects import write_project

HEAD = """\
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import shop.prices

if TYPE_CHECKING:
    from decimal import Decimal


def set_later() -> None:
    global LATER
    LATER = 1


async def step(n: int) -> int:
    "use step"
    return undefined_in_a_step


"""
PRICES = "RATE = 3\n\n\ndef with_tax(cents: int) -> int:\n    return cents * 6 // 5\n"
WRONG = {
    "await asyncio.sleep(1)": "Write `import asyncio` at the top of the file.",
    'await sleep("1h")': "Write `from workflow import sleep` at the top of the file.",
    "await start(flow, n)": "Write `from workflow.api import start` at the top of the file.",
    "shop.prices.with_tax(n)\n    return with_tax(n)": "Write `from shop.prices import with_tax`",
    "amount = n\n    return amonut": "Did you mean amount?",
    "return await stepp(n)": "Did you mean step?",
    "return frobnicate(n)": "Import it, define it, or correct the name.",
    "return [x for _ in range(n)]": "x is not defined",
    "return (lambda a: a + b)(n)": "b is not defined",
}
RIGHT = (
    "return shop.prices.with_tax(n)",
    "set_later()\n    return LATER",
    "x: Undefined = n\n    return x",
    "try:\n        return unicode(n)\n    except NameError:\n        return n",
    "match n:\n        case {'a': a, **rest}: return a, rest\n        case [b, *c]: return b, c",
    "try:\n        n += 1\n    except* ValueError as e:\n        print(e)",
    "if (m := n): return m",
    "return [x for y in range(n) if y for x in range(y)]",
    "return __name__, __debug__",
)


def findings(text: str, root: Path) -> list[tuple[str, int, str]]:
    files = {"flows.py": text, "shop/__init__.py": "", "shop/prices.py": PRICES}
    result = wfc.build(write_project(root, files), write=False, cache=False)
    found = [d for d in result.diagnostics if d.code == "WF714"]
    return [(d.path, d.span.line, f"{d.message} {d.fix}") for d in found]


def flow(body: str) -> str:
    return f'{HEAD}async def flow(n: int):\n    "use workflow"\n    {body}\n'


@pytest.mark.parametrize("body", WRONG)
def test_an_undefined_name_is_found(body: str, tmp_path: Path) -> None:
    """With the import to write, or the name that was meant."""
    [(path, _, said)] = findings(flow(body), tmp_path)
    assert path == "flows.py"
    assert WRONG[body] in said


@pytest.mark.parametrize("body", RIGHT)
def test_defined_names_are_left_alone(body: str, tmp_path: Path) -> None:
    """However they are bound, and where nothing evaluates them."""
    assert findings(flow(body), tmp_path) == []


def test_annotations_of_a_class_are_not_looked_up(tmp_path: Path) -> None:
    """Texts in `Literal`, forward references and names for type checkers are no uses."""
    body = "return Order('x').price\n\n\n@dataclass\nclass Order:\n"
    body += (
        '    state: Literal["x", "y"]\n    price: "Decimal" = 0\n    next: "Order | None" = None'
    )
    assert findings(flow(body), tmp_path) == []


def test_a_function_that_no_workflow_calls_is_not_looked_at(tmp_path: Path) -> None:
    """Only workflow code: linters look at the rest."""
    assert findings(flow("return n") + "\n\ndef other():\n    return nowhere\n", tmp_path) == []
