"""A task that is started and never awaited.

A run ends when its workflow function returns. Tasks that are still open then are cancelled, and
the steps they wait for are given up. A task that nobody awaits is also a place where an error goes
unseen.

Keep the task and await it before the workflow returns, or start it in an `asyncio.TaskGroup`,
which waits for all of its tasks.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.awaiting import Fate, Fates, parents_in_workflow
from wfc.analyse.functions import is_call_of
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF505",
    name="lost-task",
    severity=Severity.WARNING,
    page=__doc__,
    bad="""\
import asyncio


async def send_mail(email: str) -> None:
    "use step"


async def sign_up(email: str) -> None:
    "use workflow"
    asyncio.create_task(send_mail(email))
""",
    good="""\
import asyncio


async def send_mail(email: str) -> None:
    "use step"


async def sign_up(email: str) -> None:
    "use workflow"
    mail = asyncio.create_task(send_mail(email))
    await mail
""",
)

_LOOPS = ("asyncio.get_running_loop", "asyncio.get_event_loop")


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each task whose only trace is its call."""
    if any(str(r.target) == "asyncio.all_tasks" for r in program.reach.references):
        return  # it collects the others, and has a finding of its own
    steps = program.elsewhere
    for module in program.bundled:
        for index in sorted(program.reach.keep[module.name]):
            statement = module.tree.body[index]
            if statement in steps:
                continue
            fates = Fates(parents_in_workflow(program, statement), lambda call: False)
            for node in fates.parents:
                if not (isinstance(node, ast.Call) and _makes_task(program, node)):
                    continue
                fate, name = fates.of(node)
                if fate not in (Fate.DROPPED, Fate.FORGOTTEN):
                    continue
                where = f"is kept in {name}, which is not used again" if name else "is not kept"
                made = ast.unparse(node.func)
                kept = name if name.strip("_") else "task"
                instead = f"Write `{kept} = {made}(...)` and `await {kept}` before the workflow "
                instead += "returns, or start it in an asyncio.TaskGroup."
                if made.endswith("gather"):
                    instead = f"Write `await {made}(...)`."
                yield RULE.at(
                    module,
                    node,
                    f"What {made}() starts {where}, so nothing waits for it: when the workflow "
                    "returns, it is cancelled, whether its steps are done or not.",
                    instead,
                )


def _makes_task(program: Program, call: ast.Call) -> bool:
    if is_call_of(program, call, "asyncio.create_task", "asyncio.gather"):
        return True
    if is_call_of(program, call, "asyncio.ensure_future"):
        return bool(call.args) and isinstance(call.args[0], ast.Call)
    match call.func:
        case ast.Attribute(value=owner, attr="create_task"):
            return is_call_of(program, owner, *_LOOPS)
    return False
