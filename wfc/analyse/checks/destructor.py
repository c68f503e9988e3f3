"""A class with `__del__`.

Python calls `__del__` when nothing refers to an object any more, and the garbage collector decides
when that is noticed. A replay would get there at another moment, so workflow code has no
destructors.

Use a context manager (`with` or `async with`), or a `try` with `finally`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Function, Program

RULE = Rule(
    code="WF606",
    name="destructor",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
class Basket:
    def __init__(self) -> None:
        self.items: list[str] = []

    def __del__(self) -> None:
        print("left behind:", self.items)


async def shop(item: str) -> list[str]:
    "use workflow"
    basket = Basket()
    basket.items.append(item)
    return basket.items
""",
    good="""\
class Basket:
    def __init__(self) -> None:
        self.items: list[str] = []

    def __enter__(self) -> "Basket":
        return self

    def __exit__(self, *error: object) -> None:
        print("left behind:", self.items)


async def shop(item: str) -> list[str]:
    "use workflow"
    with Basket() as basket:
        basket.items.append(item)
        return basket.items
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each destructor in a class of workflow code."""
    for module, node in program.workflow_code():
        if isinstance(node, ast.ClassDef):
            for statement in node.body:
                if isinstance(statement, Function) and statement.name == "__del__":
                    yield RULE.at(
                        module,
                        statement,
                        "__del__ runs when the garbage collector gets to the object, which is "
                        "another moment at every replay; workflow code cannot have it.",
                        "Give the class __enter__ and __exit__ and use it with `with`.",
                    )
