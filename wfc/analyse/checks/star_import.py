"""Workflow code uses a name that can only come from `from … import *`.

The compiler decides name by name what a workflow uses. A star import says "whatever is there", so
it cannot tell where the name comes from.

Import the names you use.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.diagnostics import Diagnostic, Rule, Severity, note_at
from wfc.model import Program

RULE = Rule(
    code="WF703",
    name="star-import",
    severity=Severity.ERROR,
    page=__doc__,
    bad={
        "flows.py": """\
from prices import *


async def total(cents: int) -> int:
    "use workflow"
    return with_tax(cents)
""",
        "prices.py": """\
def with_tax(cents: int) -> int:
    return cents * 6 // 5
""",
    },
    good={
        "flows.py": """\
from prices import with_tax


async def total(cents: int) -> int:
    "use workflow"
    return with_tax(cents)
""",
        "prices.py": """\
def with_tax(cents: int) -> int:
    return cents * 6 // 5
""",
    },
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each name that a star import may bring."""
    for missing in program.reach.missing:
        if missing.star is not None:
            home = program.modules.get(missing.wanted_from, missing.module)
            yield RULE.at(
                missing.module,
                missing.node,
                f"{missing.name} seems to come from a star import, which hides where it is "
                "defined.",
                f"Import it by name: `from ... import {missing.name}`.",
                [note_at(home, missing.star, "the star import")],
            )
