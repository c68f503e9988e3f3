"""Workflow code calls `random.seed`.

The random numbers of a workflow come from a generator that belongs to the run: a replay, months
later on another machine, draws the same ones. Seeding it would change what everything else in the
run draws, so it is not possible.

Where you want numbers from a seed of your own, make a generator: `random.Random(seed)`.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.banned_uses import banned
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF210",
    name="random-seed",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
import random


async def draw(names: list[str], seed: int) -> str:
    "use workflow"
    random.seed(seed)
    return random.choice(names)
""",
    good="""\
import random


async def draw(names: list[str], seed: int) -> str:
    "use workflow"
    return random.Random(seed).choice(names)
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each file and such name that workflow code uses."""
    yield from banned(program, RULE)
