"""Workflow code imports a name that the module does not define.

The compiler follows every name a workflow uses to its definition, to check it and to take it
along. A name that its module does not define would fail at the import, in every run.

Correct the name, or define it.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.modules import suggest
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF711",
    name="missing-name",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad={
        "flows.py": """\
from prices import with_taxes


async def total(cents: int) -> int:
    "use workflow"
    return with_taxes(cents)
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
    """Yield a finding for each such name."""
    for missing in program.reach.missing:
        if missing.star is not None:
            continue
        home = program.modules.get(missing.wanted_from)
        if home is None:  # a folder without an `__init__.py`
            name = f"{missing.wanted_from}.{missing.name}"
            close = suggest(name, program.modules)
            yield RULE.at(
                missing.module,
                missing.node,
                f"There is no module {name} in this project.",
                f"Did you mean {close}?" if close else "Correct the name, or write the module.",
            )
            continue
        close = suggest(missing.name, home.bindings)
        yield RULE.at(
            missing.module,
            missing.node,
            f"{home.path} does not define {missing.name!r}.",
            f"Did you mean {close!r}?" if close else "Correct the name, or define it there.",
        )
