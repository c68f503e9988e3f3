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
import sys
from collections.abc import Iterator
from importlib import import_module

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
        nowhere = _nowhere(target.module, target.member or "")
        yield RULE.at(
            use.first.module,
            use.first.node,
            nowhere[0]
            if nowhere
            else f"{target.module}.{target.member} is not available in workflow code. "
            f"{use.refusal.why}",
            nowhere[1] if nowhere else _instead(use, close),
            [*notes_for(program, use.first), *also_notes(use.others)],
        )


def _nowhere(module: str, member: str) -> tuple[str, str] | None:
    """What to say of a name that the real module does not have either; with advice where a class
    of the module has it, as with `import datetime` and `datetime.now()`."""
    offered = facades().get(module)
    if offered is None or module not in sys.stdlib_module_names:
        return None  # importing anything else may do something
    real = import_module(module)
    if hasattr(real, member):
        return None
    said = f"The module {module} has no {member}."
    for name in sorted(offered, key=lambda name: (name != module, name)):
        owner = getattr(real, name, None)
        if isinstance(owner, type) and member in vars(owner):
            return said, (
                f"Write `{module}.{name}.{member}` if you mean that of the class {name}, or import "
                f"the class: `from {module} import {name}`."
            )
    close = suggest(member, offered)
    return said, f"Did you mean {module}.{close}?" if close else "Correct the name."


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
