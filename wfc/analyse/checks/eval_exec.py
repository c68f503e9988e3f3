"""Workflow code runs code from text.

What workflow code does is checked when it is built. Text that is run later has not been seen by
anybody.

Write the code out, or evaluate the text in a function marked `"use step"`.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.banned_uses import banned
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF801",
    name="eval-exec",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
async def total(formula: str) -> float:
    "use workflow"
    return eval(formula)
""",
    good="""\
async def evaluate(formula: str) -> float:
    "use step"
    return eval(formula)


async def total(formula: str) -> float:
    "use workflow"
    return await evaluate(formula)
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each use of `eval`, `exec` or `compile`."""
    yield from banned(program, RULE)
