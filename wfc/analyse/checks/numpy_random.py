"""Workflow code draws from `numpy.random`.

Its numbers come from one generator for the whole process. Which of them a run gets depends on what
else ran before, and a replay gets others. That is so even where numpy itself is listed under
`passthrough`.

Draw in a function marked `"use step"` and return plain numbers, or use `random`, which is replayed.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.banned_uses import banned
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF209",
    name="numpy-random",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
import numpy as np


async def noise() -> float:
    "use workflow"
    return float(np.random.rand())
""",
    good="""\
import numpy as np


async def noise() -> float:
    "use step"
    return float(np.random.rand())


async def shifted(value: float) -> float:
    "use workflow"
    return value + await noise()
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each file and such name that workflow code uses."""
    yield from banned(program, RULE)
