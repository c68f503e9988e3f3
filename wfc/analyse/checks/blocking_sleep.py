"""Workflow code calls `time.sleep`.

It stops the worker: no other run goes on there meanwhile. If the worker is restarted, nobody
remembers that something was waiting.

Write `await sleep("10 minutes")` with `from workflow import sleep`. The waiting is recorded, no
process has to live that long, and it may take months.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.banned_uses import banned
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF104",
    name="blocking-sleep",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
import time


async def send_reminder(email: str) -> None:
    "use step"


async def remind(email: str) -> None:
    "use workflow"
    time.sleep(86400)
    await send_reminder(email)
""",
    good="""\
from workflow import sleep


async def send_reminder(email: str) -> None:
    "use step"


async def remind(email: str) -> None:
    "use workflow"
    await sleep("1 day")
    await send_reminder(email)
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each file and such name that workflow code uses."""
    yield from banned(program, RULE)
