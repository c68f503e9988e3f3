"""Workflow code uses `hash()`.

The hash of text, and of everything with text in it, is salted anew at every start of Python. A
replay happens in another process and would compute another value.

Use `hashlib` for a number that stays: `int(hashlib.sha256(text.encode()).hexdigest(), 16) % 10`.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.banned_uses import banned
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF207",
    name="builtin-hash",
    severity=Severity.ERROR,
    page=__doc__,
    bad="""\
async def sign_up(email: str) -> int:
    "use workflow"
    return hash(email) % 10
""",
    good="""\
import hashlib


async def sign_up(email: str) -> int:
    "use workflow"
    return int(hashlib.sha256(email.encode()).hexdigest(), 16) % 10
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each use of `hash`, except as a sort key, which WF408 is about."""
    yield from banned(program, RULE)
