"""Workflow code waits for a terminal.

A workflow has no terminal: it runs in a worker, may wait for months and may continue on another
machine.

Wait for the answer of a person with a hook.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.banned_uses import banned
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF306",
    name="stdin",
    severity=Severity.ERROR,
    page=__doc__,
    bad="""\
async def approve(order: str) -> bool:
    "use workflow"
    return input(f"approve {order}?") == "y"
""",
    good="""\
from workflow import create_hook


async def approve(order: str) -> bool:
    "use workflow"
    return await create_hook(token=f"approve:{order}", timeout="30 days") == "y"
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each use of `input` and its like."""
    yield from banned(program, RULE)
