"""Workflow code uses a name that can only come from `from … import *`.

The compiler decides name by name what a workflow uses. A star import says "whatever is there", so
it cannot tell where the name comes from.

Import the names you use.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.modules import facades
from wfc.analyse.names import Names
from wfc.diagnostics import Diagnostic, Rule, Severity, note_at
from wfc.model import Module, Program

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
            source, shown = _origin(program, home, missing.star, missing.name)
            where = "" if home is missing.module else f" in {home.path}"
            yield RULE.at(
                missing.module,
                missing.node,
                f"{missing.name} seems to come from a star import{where}, which hides where it is "
                "defined.",
                f"Write `from {shown} import {missing.name}`"
                f"{where or ' instead'}." + ("" if source else _NOT_SEEN),
                [note_at(home, missing.star, "the star import")],
            )


_NOT_SEEN = " If it comes from somewhere else, import it from there."


def _origin(program: Program, home: Module, star: ast.ImportFrom, name: str) -> tuple[bool, str]:
    """Whether it is known that a star import brings the name, and the module to import it from:
    of several star imports the last one that does."""
    shown = "." * star.level + (star.module or "")
    for statement in reversed(home.tree.body):
        if isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*":
            written = "." * statement.level + (statement.module or "")
            source = program.modules.get(Names.absolute(home, statement))
            if source is not None and name in source.bindings:
                return True, written
            if source is None and name in facades().get(written, ()):
                return True, written
    return False, shown
