"""Workflow code takes some item out of a set.

`pop()` and `next(iter(...))` give whichever item comes first in the order of hashes, and for text
and most other values that is another one in each process. A replay would go on with another item
than the log says.

Take a certain one: `min(s)`, then `s.remove(...)`. To work through items one by one, keep them in a
list or a `collections.deque`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.checks.set_order import lowered, order_matters, unordered
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF402",
    name="set-pop",
    severity=Severity.ERROR,
    page=__doc__,
    bad="""\
async def notify(team: str) -> None:
    "use step"


async def announce() -> None:
    "use workflow"
    teams = {"red", "green"}
    await notify(teams.pop())
""",
    good="""\
async def notify(team: str) -> None:
    "use step"


async def announce() -> None:
    "use workflow"
    teams = {"red", "green"}
    await notify(min(teams))
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each `pop()` of a set and each `next(iter(...))` over one."""
    for module, node in program.workflow_code():
        match node:
            case ast.Call(func=ast.Attribute(value=taken, attr="pop"), args=[], keywords=[]):
                pass
            case ast.Call(
                func=ast.Name(id="next"),
                args=[ast.Call(func=ast.Name(id="iter"), args=[taken]), *_],
            ):
                pass
            case _:
                continue
        found = unordered(program, module, taken)
        if found is not None and order_matters(program, module, node):
            what = ast.unparse(taken)
            then = f", then `{what}.remove(...)`" if isinstance(taken, ast.Name) else ""
            yield lowered(
                RULE.at(
                    module,
                    node,
                    "This takes whichever item of the set comes first, and that is another one in "
                    "another process.",
                    f"Take a certain one: `min({what})`{then}.",
                ),
                found,
            )
