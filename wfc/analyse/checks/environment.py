"""Workflow code reads the environment.

When a run goes on after a crash, a deploy or a long sleep, the function of the workflow starts
again at its first line, in another process. If the variable has another value there, the function
takes another way than the first time, and its record no longer fits.

Read the variable where you call `start()` and pass it as an argument: then the run keeps the value
it began with. Or read it in a function marked `"use step"`: then the value of that moment is
written down. Keys and passwords are best read in the step that uses them, since arguments and
results are stored.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.banned_uses import banned
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF307",
    name="environment",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
import os


async def greet(name: str) -> str:
    "use workflow"
    return os.environ["GREETING"] + name
""",
    good="""\
import os


async def greeting() -> str:
    "use step"
    return os.environ["GREETING"]


async def greet(name: str) -> str:
    "use workflow"
    return await greeting() + name
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each file and such name that workflow code uses."""
    yield from banned(program, RULE)
