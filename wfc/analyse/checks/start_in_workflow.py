"""A workflow starts a run.

`start()` writes a new run into the database. Workflow code is replayed from its log, and every
replay would start another one, so `workflow.api` is for applications and steps.

Start the run in a function marked `"use step"`: what a step has done is recorded and not done
again. The workflow cannot wait for the result of the other run. If the code should be part of this
run, put it into an async function without a directive and await that.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.banned_uses import banned
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF518",
    name="start-in-workflow",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
from workflow.api import start


async def remind(email: str) -> None:
    "use workflow"


async def sign_up(email: str) -> None:
    "use workflow"
    await start(remind, email)
""",
    good="""\
from workflow.api import start


async def remind(email: str) -> None:
    "use workflow"


async def start_reminder(email: str) -> str:
    "use step"
    return (await start(remind, email)).run_id


async def sign_up(email: str) -> str:
    "use workflow"
    return await start_reminder(email)
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each use of start() in workflow code."""
    yield from banned(program, RULE)
