"""Workflow code changes an imported module or one of its classes.

Modules from outside are shared by all runs of the process, so they cannot be changed from a
workflow: the change would show in other runs and be missing at a replay. Your own modules can only
be changed by the code in them.

Pass the replacement as an argument, or give the module a function for it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.names import ProjectModule
from wfc.analyse.types import types_of
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import External, Program

RULE = Rule(
    code="WF708",
    name="monkeypatch",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
import json


def to_text(value: object) -> str:
    return str(value)


async def describe(order: dict[str, int]) -> str:
    "use workflow"
    json.dumps = to_text
    return json.dumps(order)
""",
    good="""\
from collections.abc import Callable


def to_text(value: object) -> str:
    return str(value)


def described(order: dict[str, int], text: Callable[[object], str]) -> str:
    return text(order)


async def describe(order: dict[str, int]) -> str:
    "use workflow"
    return described(order, to_text)
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each attribute of a module or a foreign class that is set or deleted."""
    types = types_of(program)
    for module, node in program.workflow_code():
        match node:
            case ast.Attribute(value=owner, ctx=ast.Store() | ast.Del()):
                changed = ast.unparse(node)
            case ast.Call(func=ast.Name(id="setattr" | "delattr"), args=[owner, *_]):
                changed = f"an attribute of {ast.unparse(owner)}"
            case _:
                continue
        match types.target(module, owner):
            case External(module=home) if home != "builtins":
                why = "It is shared by all runs of the process, and a replay would not find it so."
            case ProjectModule(name=name):
                why = f"The names of {name} can only be changed by the code in it."
            case _:
                continue
        yield RULE.at(
            module,
            node,
            f"Workflow code cannot change {changed}. {why}",
            "Pass the replacement as an argument.",
        )
