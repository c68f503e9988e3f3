"""Workflow code looks at stack frames.

Frames, code objects and tracebacks show where Python is in the code and what every variable
holds. The bundle runs other code than the file shows, in another process on replay, and from a
frame one can reach everything in the process.

Keep what you need in a variable. To say what went wrong, log with `exc_info=True`; to re-raise an
error, write `raise` or `raise ... from error`.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.refused_names import About, uses
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF803",
    name="frame-access",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
async def charge(cents: int) -> None:
    "use step"


async def order(cents: int) -> str:
    "use workflow"
    try:
        await charge(cents)
    except Exception as error:
        return f"failed in line {error.__traceback__.tb_lineno}"
    return "paid"
""",
    good="""\
import logging


async def charge(cents: int) -> None:
    "use step"


async def order(cents: int) -> str:
    "use workflow"
    try:
        await charge(cents)
    except Exception:
        logging.warning("charging failed", exc_info=True)
        return "failed"
    return "paid"
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each attribute that leads to a frame, a code object or a traceback."""
    for module, node, name in uses(program, About.FRAMES):
        instead = "Keep the value in a variable, or log the error with exc_info=True."
        if name in ("__traceback__", "with_traceback"):
            instead = "Write `raise ... from error`, or log the error with exc_info=True."
        yield RULE.at(
            module,
            node,
            f"{name} gives access to stack frames, and from there to the whole process; workflow "
            "code cannot have it.",
            instead,
        )
