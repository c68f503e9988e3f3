"""Workflow code uses a name that its module does not offer inside a workflow.

Inside a workflow, modules such as `asyncio`, `time` or `datetime` are stood in for by others of
the same name, whose answers are recorded: `datetime.now()` gives the same time again when the run
is replayed. They have the names for which that is possible. `asyncio.all_tasks`, for instance,
gives tasks in an order that no replay can repeat, so it is not there.

Use another function of the module, or move the call into a function marked `"use step"` and await
it: in a step everything is there.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.use_notes import also_notes, notes_for
from wfc.analyse.externals import refused
from wfc.analyse.modules import facades, suggest
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF710",
    name="unlisted-member",
    severity=Severity.ERROR,
    page=__doc__,
    bad="""\
import asyncio


async def ship(order: str) -> None:
    "use step"


async def ship_all(orders: list[str]) -> int:
    "use workflow"
    tasks = [asyncio.create_task(ship(order)) for order in orders]
    await asyncio.wait(tasks, timeout=3600)
    return len(asyncio.all_tasks())
""",
    good="""\
import asyncio


async def ship(order: str) -> None:
    "use step"


async def ship_all(orders: list[str]) -> int:
    "use workflow"
    tasks = [asyncio.create_task(ship(order)) for order in orders]
    done, late = await asyncio.wait(tasks, timeout=3600)
    return len(late)
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each file and unlisted name that workflow code uses."""
    for use in refused(program, RULE.code):
        target = use.first.target
        close = suggest(target.member or "", facades().get(target.module, ()))
        yield RULE.at(
            use.first.module,
            use.first.node,
            f"{target.module}.{target.member} is not available in workflow code. {use.refusal.why}",
            f"Did you mean {target.module}.{close}?" if close else use.refusal.instead,
            [*notes_for(program, use.first), *also_notes(use.others)],
        )
