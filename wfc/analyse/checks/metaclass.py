"""A class with a metaclass.

A metaclass decides what a class is: how it is made, what its attributes mean, what counts as an
instance of it. The sandbox can then no longer tell what the code of the class does.

For an abstract class, inherit from `abc.ABC`. Otherwise write a class decorator, or move the class
into a step.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.checks.banned_uses import banned
from wfc.analyse.types import Types, types_of
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import External, Module, Program

RULE = Rule(
    code="WF804",
    name="metaclass",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
from abc import ABCMeta


class Plan(metaclass=ABCMeta):
    cents = 900


async def price() -> int:
    "use workflow"
    return Plan.cents
""",
    good="""\
from abc import ABC


class Plan(ABC):
    cents = 900


async def price() -> int:
    "use workflow"
    return Plan.cents
""",
)

_INSTEAD = "Write a class decorator, or a function that makes the objects."
_READY = {
    "abc.ABCMeta": "Inherit from abc.ABC, which needs no metaclass here.",
    "enum.EnumMeta": "Inherit from enum.Enum.",
    "enum.EnumType": "Inherit from enum.Enum.",
}


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each class that has a metaclass or is one, and for each metaclass of
    Python that is named elsewhere."""
    types = types_of(program)
    spoken: set[tuple[str, int]] = set()
    for module, node in program.workflow_code():
        if not isinstance(node, ast.ClassDef):
            continue
        for keyword in node.keywords:
            if keyword.arg == "metaclass":
                spoken.add((module.path, keyword.lineno))
                yield _finding(types, module, node, keyword.value)
        for base in node.bases:
            target = types.target(module, base)
            if str(target) in ("builtins.type", *_READY):
                spoken.add((module.path, base.lineno))
                yield RULE.at(
                    module,
                    base,
                    f"{node.name} is a metaclass: it decides what other classes are, and workflow "
                    "code cannot have such.",
                    _INSTEAD,
                )
    for finding in banned(program, RULE):
        if (finding.path, finding.span.line) not in spoken:
            yield finding


def _finding(types: Types, module: Module, cls: ast.ClassDef, meta: ast.expr) -> Diagnostic:
    target = types.target(module, meta)
    return RULE.at(
        module,
        cls,
        f"{cls.name} has a metaclass, {ast.unparse(meta)}, and then nobody can tell from the text "
        "what the class does.",
        _READY.get(str(target), _INSTEAD) if isinstance(target, External) else _INSTEAD,
    )
