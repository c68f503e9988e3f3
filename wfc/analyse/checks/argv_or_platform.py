"""Workflow code asks about the machine or the process it runs in.

A run may begin on one machine and end on another, months and several deploys later. Command line,
platform, processor count, user and folder are then different ones, and a replay would take another
way than the log says.

Pass what the workflow needs as an argument, or find it out in a function marked `"use step"`.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.banned_uses import banned
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF311",
    name="argv-or-platform",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
import sys


async def mode() -> str:
    "use workflow"
    return sys.argv[1]
""",
    good="""\
async def mode(name: str) -> str:
    "use workflow"
    return name
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each file and such name that workflow code uses."""
    yield from banned(program, RULE)
