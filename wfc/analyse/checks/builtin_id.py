"""Workflow code uses `id()`.

It is the address of an object in memory. A replay happens in another process, where the object is
somewhere else, so the body would compute other values and take another way.

Compare with `is`, or use a value of your own as the key.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.banned_uses import banned
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF206",
    name="builtin-id",
    severity=Severity.ERROR,
    page=__doc__,
    bad="""\
async def sign_up(emails: list[str]) -> int:
    "use workflow"
    return id(emails)
""",
    good="""\
async def sign_up(emails: list[str]) -> int:
    "use workflow"
    return len(emails)
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each use of `id`, except as a sort key, which WF408 is about."""
    yield from banned(program, RULE)
