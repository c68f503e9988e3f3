"""Workflow code asks for the decimal context of the thread.

`decimal.getcontext()` is where Python keeps precision and rounding, one for each thread. A worker
runs many workflows on a thread: what one of them sets, all the others compute with. And after a
restart, another process goes on with this run, where nothing was set.

Write `with decimal.localcontext(prec=50):` around the computation. Precision, rounding and traps
hold inside the block and nowhere else.
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
    with decimal.localcontext(prec=50):
        return total / parts
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each use of the shared contexts."""
    yield from banned(program, RULE)
