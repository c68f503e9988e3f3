"""A step, a sleep or an async function that is called and not awaited.

In a workflow, calling a step or `sleep()` only prepares it; awaiting it makes it happen. The same
holds for every `async def` of your own. The call alone does nothing, and what it gives back is a
coroutine, not the result.

Write `await` before it; `wfc build --fix` does so where the call is a statement of its own or what
a variable is given. To have several at once, write `await asyncio.gather(first(), second())`, or
start one with `asyncio.create_task(...)` and await that later.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.unawaited import Unawaited, unawaited
from wfc.diagnostics import Diagnostic, Edit, Rule, Severity, inserting
from wfc.model import Program

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


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each such call whose value nobody can await."""
    for found in unawaited(program):
        if found.step is not None and isinstance(found.step.node, ast.FunctionDef):
            continue  # whoever forgets that one thinks of something else
        if found.step is not None:
            what = f"The step {found.step.name}"
        else:
            what = f"{ast.unparse(found.call.func)}()"
        yield RULE.at(
            found.module,
            found.call,
            f"{what} is called here but not awaited, {found.why}.",
            f"Write `{found.instead}`.",
            edits=awaiting(found),
        )


def awaiting(found: Unawaited) -> tuple[Edit, ...]:
    """Puts `await` before a call where nothing else has to change."""
    return inserting(found.module, found.call, "await ") if found.takes_await else ()
