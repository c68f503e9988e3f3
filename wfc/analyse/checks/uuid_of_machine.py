"""Workflow code makes an identifier from the machine.

`uuid.uuid1()`, `uuid3`, `uuid4` and `uuid5` work in a workflow: what they draw is recorded with the
run, and a replay draws the same. `uuid.getnode()` is the address of a network card, and the run may
go on where there is another one.

Use one of the four, or read the address in a function marked `"use step"`.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.banned_uses import banned
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF204",
    name="uuid",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
import uuid


async def label() -> str:
    "use workflow"
    return f"{uuid.getnode():012x}"
""",
    good="""\
import uuid


async def label() -> str:
    "use workflow"
    return str(uuid.uuid4())
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each file and such name that workflow code uses."""
    yield from banned(program, RULE)
