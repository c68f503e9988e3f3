"""Workflow code that fails while its module is being loaded.

A worker executes the module-level code of a workflow before every run: classes, constants, what
helpers need. The build does it once, in the same sandbox. What fails there would stop every run
before its first step. The clock and random numbers belong to a run, so they have no value there.

Correct the line, or compute the value inside the workflow, or in a step where it needs the host.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Module, Program

RULE = Rule(
    code="WF812",
    name="not-loadable",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
import datetime

STARTED = datetime.datetime.now()


async def report() -> str:
    "use workflow"
    return f"since {STARTED}"
""",
    good="""\
import datetime


async def report() -> str:
    "use workflow"
    started = datetime.datetime.now()
    return f"since {started}"
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Nothing: the finished bundle is loaded, see `failed`."""
    return iter(())


def failed(module: Module, line: int, why: str) -> Diagnostic:
    """The finding for a module whose line `line` raised `why` (type and message)."""
    return RULE.at(
        module,
        line,
        f"Loading this module for a workflow fails here, and would before every run. {why}",
        "Correct the line, or compute the value inside the workflow function or a step.",
    )
