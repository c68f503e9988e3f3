"""A step or a sleep that is called and not awaited.

In a workflow, calling a step or `sleep()` only prepares it; awaiting it makes it happen. A call
on a line of its own does nothing and says nothing.

Write `await` before it, or start it with `asyncio.create_task(...)` and await that later.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import External, Kind, Marked, Program

RULE = Rule(
    code="WF506",
    name="missing-await",
    severity=Severity.ERROR,
    page=__doc__,
    bad="""\
async def send_mail(email: str) -> None:
    "use step"


async def sign_up(email: str) -> None:
    "use workflow"
    send_mail(email)
""",
    good="""\
async def send_mail(email: str) -> None:
    "use step"


async def sign_up(email: str) -> None:
    "use workflow"
    await send_mail(email)
""",
)

_AWAITED = {("workflow", "sleep"), ("asyncio", "sleep"), ("workflow", "fetch")}


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each such call that is a statement of its own."""
    for module, node in program.workflow_code():
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
            continue
        match program.reach.meaning.get(node.value.func):
            case Marked(kind=Kind.STEP, qualname=name):
                what = f"The step {name}"
            case External(module=home, member=str(name)) if (home, name) in _AWAITED:
                what = f"{name}()"
            case _:
                continue
        yield RULE.at(
            module,
            node,
            f"{what} is called here but not awaited, so nothing happens.",
            f"Write `await {ast.unparse(node.value.func)}(...)`.",
        )
