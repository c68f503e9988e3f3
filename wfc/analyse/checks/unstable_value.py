"""Workflow code uses `id()` or `hash()`.

Both depend on the process: one is a memory address, the other is salted anew at every start. A
replay would compute other values and take another way.

Compare with `is`, use a value of your own as the key, or `hashlib` for a digest.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.builtin_uses import builtin_uses
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF206",
    name="unstable-value",
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
    """Yield a finding for each use of `id` or `hash`."""
    yield from builtin_uses(program, RULE, ("id", "hash"))
