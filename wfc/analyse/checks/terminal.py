"""Workflow code waits for a terminal.

A workflow has no terminal, and nobody sits in front of it: it runs in a worker, may wait for
months, and may go on on another machine.

Wait for the answer of a person with a hook. `await create_hook(token=…)` stops the run until your
code calls `resume_hook(token, answer)`, say in the handler of a form. With `timeout=`, it raises
`TimeoutError` when the time is up; catch that, or the run fails. To end a workflow, return from it
or raise `FatalError`.
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
    silenceable=False,
    bad="""\
async def approve(order: str) -> bool:
    "use workflow"
    return input(f"approve {order}?") == "y"
""",
    good="""\
from workflow import create_hook


async def approve(order: str) -> bool:
    "use workflow"
    try:
        answer = await create_hook(token=f"approve:{order}", timeout="30 days")
    except TimeoutError:
        return False
    return answer == "y"
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each use of `input` and its like."""
    yield from banned(program, RULE)
