"""Workflow code draws from `secrets`.

A workflow body runs again at every replay, and has to get the same values again. `secrets` exists
so that nobody can get the same values again.

Make the secret in a function marked `"use step"`: the result is recorded and every replay gets it.
If it need not be secret, `random` and `uuid.uuid4()` work in a workflow as they are.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.banned_uses import banned
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF203",
    name="secrets",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
import secrets


async def invite(email: str) -> str:
    "use workflow"
    return secrets.token_urlsafe(16)
""",
    good="""\
import secrets


async def make_token() -> str:
    "use step"
    return secrets.token_urlsafe(16)


async def invite(email: str) -> str:
    "use workflow"
    return await make_token()
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each file and such name that workflow code uses."""
    yield from banned(program, RULE)
