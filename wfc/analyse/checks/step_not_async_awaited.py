"""A step that is a plain `def` is called without `await` in a workflow.

A step may be a plain function: the worker runs it in a thread. In a workflow its call is awaited
all the same, because there it stands for "have this done and give me the result", which may take
hours and several attempts. Without `await` nothing is done.

Write `await` before the call. Outside of workflows the step stays the plain function it is.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.checks.missing_await import awaiting
from wfc.analyse.unawaited import unawaited
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF908",
    name="step-not-async-awaited",
    severity=Severity.ERROR,
    page=__doc__,
    bad="""\
def resize(path: str) -> str:
    "use step"
    return path


async def thumbnail(path: str) -> str:
    "use workflow"
    return resize(path)
""",
    good="""\
def resize(path: str) -> str:
    "use step"
    return path


async def thumbnail(path: str) -> str:
    "use workflow"
    return await resize(path)
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each call of a plain step whose value nobody can await."""
    for found in unawaited(program):
        if found.step is not None and isinstance(found.step.node, ast.FunctionDef):
            yield RULE.at(
                found.module,
                found.call,
                f"{found.step.name} is a plain `def`, but it is a step, and in a workflow the call "
                f"of a step has to be awaited. It is not here, {found.why}.",
                f"Write `{found.instead}`.",
                edits=awaiting(found),
            )
