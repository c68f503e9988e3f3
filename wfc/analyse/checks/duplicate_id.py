"""Two functions with one id.

The id of a workflow or step is its file and its name, and the log of every run refers to it. When
a name is defined twice, Python keeps the last one and the log could mean either.

Rename one of them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.reach import rewraps
from wfc.diagnostics import Diagnostic, Rule, Severity, note_at
from wfc.model import Form, Marked, Program

RULE = Rule(
    code="WF006",
    name="duplicate-id",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
async def charge(cents: int) -> int:
    "use step"
    return cents


async def charge(cents: int, currency: str) -> int:
    "use step"
    return cents
""",
    good="""\
async def charge(cents: int) -> int:
    "use step"
    return cents


async def charge_in(cents: int, currency: str) -> int:
    "use step"
    return cents
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each definition after the first, and for each other value of a name."""
    first: dict[tuple[str, str], Marked] = {}
    for marked in program.marked:
        earlier = first.setdefault((marked.module.path, marked.qualname), marked)
        if earlier is not marked:
            yield RULE.at(
                marked.module,
                marked.node,
                f"{marked.qualname} is defined twice, and the id {marked.id} could mean either.",
                "Rename one of them.",
                [note_at(earlier.module, earlier.node, "the other definition")],
            )
        for statement in _other_values(marked):
            yield RULE.at(
                marked.module,
                statement,
                f"{marked.qualname} gets another value here, and the id {marked.id} could mean "
                "either.",
                "Give the other value a name of its own.",
                [note_at(marked.module, marked.node, f"the {marked.kind.value}")],
            )


def _other_values(marked: Marked) -> Iterator[ast.stmt]:
    """The statements at the top of the module that give the name of a function another value,
    except for `charge = retrying(charge)`, which is a decorator in other words."""
    if marked.form is not Form.FUNCTION:
        return
    for index in marked.module.bindings.get(marked.qualname, ()):
        statement = marked.module.tree.body[index]
        if not isinstance(statement, _KNOWN) and not rewraps(statement, marked.qualname):
            yield statement


_KNOWN = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    *(ast.If, ast.Try, ast.TryStar, ast.With, ast.While),  # other rules have a say there
)
