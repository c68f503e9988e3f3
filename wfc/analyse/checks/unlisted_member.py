"""Workflow code uses a name that its module does not offer inside a workflow.

Inside a workflow, modules such as `asyncio`, `time` or `datetime` are stood in for by others of
the same name, whose answers are recorded: `datetime.now()` gives the same time again when the run
is replayed. They have the names for which that is possible. `asyncio.all_tasks`, for instance,
gives tasks in an order that no replay can repeat, so it is not there.

Use another function of the module, or move the call into a function marked `"use step"` and await
it: in a step everything is there.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.bans import MOVE
from wfc.analyse.checks.use_notes import also_notes, notes_for
from wfc.analyse.externals import Refused, refused
from wfc.analyse.modules import facades, suggest
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Function, Program, Reference
from wfc.nodes import walk

RULE = Rule(
    code="WF710",
    name="unlisted-member",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
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

_OF_FILES = ("json.load", "json.dump")


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each file and unlisted name that workflow code uses."""
    opened = {r.owner for r in program.reach.references if str(r.target) == "builtins.open"}
    for use in refused(program, RULE.code):
        target = use.first.target
        owners = {r.owner for r in (use.first, *use.others)}
        if str(target) in _OF_FILES and owners <= opened:
            continue  # it goes where the file goes, and WF301 says where that is
        close = suggest(target.member or "", facades().get(target.module, ()))
        yield RULE.at(
            use.first.module,
            use.first.node,
            f"{target.module}.{target.member} is not available in workflow code. {use.refusal.why}",
            _instead(use, close),
            [*notes_for(program, use.first), *also_notes(use.others)],
        )


def _instead(use: Refused, close: str | None) -> str:
    if use.refusal.instead != MOVE:
        return use.refusal.instead
    if close:
        return f"Did you mean {use.first.target.module}.{close}?"
    if _shapes_a_definition(use.first):
        return (
            "It stands at the definition of something that workflow code uses, so no step can do "
            "it. Define that without it, and keep the one with it for steps."
        )
    return MOVE


def _shapes_a_definition(reference: Reference) -> bool:
    """Whether the name is part of a decorator or a base class."""
    for top in reference.module.tree.body:
        for node in walk(top):
            parts: list[ast.expr] = []
            if isinstance(node, Function | ast.ClassDef):
                parts += node.decorator_list
            if isinstance(node, ast.ClassDef):
                parts += node.bases
            if any(reference.node in set(walk(part)) for part in parts):
                return True
    return False
