"""Workflow code asks for the decimal context of the thread.

`decimal.getcontext()` is where precision and rounding are kept, for everything that a thread
computes. Many runs share a thread: what one of them set, the next would compute with, and a replay
elsewhere would not.

Open a context of your own with `decimal.localcontext()`. It ends with its block.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.banned_uses import banned
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF610",
    name="decimal-context",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
import decimal


async def share(total: decimal.Decimal, parts: int) -> decimal.Decimal:
    "use workflow"
    decimal.getcontext().prec = 50
    return total / parts
""",
    good="""\
import decimal


async def share(total: decimal.Decimal, parts: int) -> decimal.Decimal:
    "use workflow"
    with decimal.localcontext() as context:
        context.prec = 50
        return total / parts
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each use of the shared contexts."""
    yield from banned(program, RULE)
