"""A loop without an end and without an await.

A worker runs many workflows and goes from one to the next when they wait. A loop that never awaits
and that nothing ends is never left: this run stands still, and so does every other run of the
worker.

Await something in it (a step, a sleep, a hook), or give the loop a condition that becomes false.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.awaiting import parents_of
from wfc.analyse.functions import awaits, catches, exits, functions, is_always_true
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF509",
    name="unbounded-loop",
    severity=Severity.ERROR,
    page=__doc__,
    bad="""\
async def remind(email: str) -> None:
    "use workflow"
    count = 0
    while True:
        count += 1
        print(f"reminder {count} to {email}")
""",
    good="""\
from workflow import sleep


async def remind(email: str) -> None:
    "use workflow"
    count = 0
    while True:
        count += 1
        print(f"reminder {count} to {email}")
        await sleep("1 day")
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each endless loop that never lets go of the worker."""
    for module, function, nodes in functions(program):
        # A plain function may well be left by an exception that its caller expects.
        if not isinstance(function, ast.AsyncFunctionDef):
            continue
        for node in nodes:
            if (
                isinstance(node, ast.While)
                and is_always_true(node.test)
                and not awaits(node.body)
                and not exits(node)
                and not catches(parents_of(function, frozenset()), node)
            ):
                yield RULE.at(
                    module,
                    node,
                    "Nothing in this loop awaits and nothing ends it, so the worker that gets to "
                    "it does nothing else any more.",
                    'Await a step, a hook or `sleep("1 hour")` in it, or end it with a condition.',
                )
