"""Workflow code reads the environment.

A run may last for months. Its next replay happens in another process, perhaps after a deploy that
has changed the variable; the body would then take another way than the log says.

Read the variable where the run is started and pass it as an argument, or read it in a function
marked `"use step"`: then the value of the first time is recorded.
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
