"""A subclass of `ExceptionGroup`.

Python takes exception groups apart and puts them together again by calling methods of the group
itself. A subclass can answer them with something else, and that can bring the whole process down.

Raise an `ExceptionGroup` with a message of your own. To tell it from others, raise errors of your
own class in it and catch them with `except*`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.types import types_of
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import External, Program

RULE = Rule(
    code="WF809",
    name="exception-group-subclass",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
class OrderErrors(ExceptionGroup):
    pass


async def order(items: list[str]) -> None:
    "use workflow"
    raise OrderErrors("order", [ValueError(item) for item in items])
""",
    good="""\
class OrderError(ValueError):
    pass


async def order(items: list[str]) -> None:
    "use workflow"
    raise ExceptionGroup("order", [OrderError(item) for item in items])
""",
)

_GROUPS = ("builtins.ExceptionGroup", "builtins.BaseExceptionGroup")


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each class of workflow code that is derived from an exception group."""
    types = types_of(program)
    for module, node in program.workflow_code():
        if not isinstance(node, ast.ClassDef):
            continue
        for base in node.bases:
            named = base.value if isinstance(base, ast.Subscript) else base
            target = types.target(module, named)
            if isinstance(target, External) and str(target) in _GROUPS:
                yield RULE.at(
                    module,
                    base,
                    f"{target.member} cannot have subclasses in workflow code: Python calls "
                    "methods of them at moments nobody chooses.",
                    f"Raise {target.member} itself, with errors of a class of your own in it.",
                )
