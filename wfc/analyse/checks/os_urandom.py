"""Workflow code draws random numbers from the operating system.

A workflow body runs again at every replay and has to see the same numbers, or it would take another
way than the log says. What the operating system gives is gone once it is read.

Use `random`, also `random.randbytes(n)` and `random.Random()`: in a workflow their numbers are part
of the run. For real entropy, draw it in a function marked `"use step"`.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.banned_uses import banned
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF205",
    name="os-urandom",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
import random


async def draw(names: list[str]) -> str:
    "use workflow"
    return random.SystemRandom().choice(names)
""",
    good="""\
import random


async def draw(names: list[str]) -> str:
    "use workflow"
    return random.choice(names)
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each file and such name that workflow code uses."""
    yield from banned(program, RULE)
