"""Workflow code handles signals of the operating system.

A signal goes to one process. A workflow is not tied to one: it may wait without any, and go on in
another. The worker itself handles the signals that stop it, and runs go on after the restart.

To tell a workflow something from outside, let it wait for a hook, or cancel the run.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.banned_uses import banned
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF514",
    name="signal-handler",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
import signal


async def watch() -> None:
    "use workflow"
    signal.signal(signal.SIGTERM, lambda *_: None)
""",
    good="""\
from workflow import create_hook


async def watch() -> None:
    "use workflow"
    await create_hook(token="stop", timeout="30 days")
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each file and such name that workflow code uses."""
    yield from banned(program, RULE)
