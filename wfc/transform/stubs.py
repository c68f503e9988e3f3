"""The typed stubs beside a client module, `client/<path>.pyi`: what type checkers read of it.

Workflows keep their signatures and overloads, classes their fields; bodies and defaults that are
computed are `...`. Types that live in other modules are imported from there.
"""

from __future__ import annotations

import libcst as cst

from wfc.transform.client_parts import (
    absolute,
    bare,
    each,
    import_part,
    is_import,
    is_overload,
    members,
    spaced,
)
from wfc.transform.client_plan import ClientPlan
from wfc.transform.prune import Statement, identifier

__all__ = ["to_stubs"]

_START = "# Made by wfc from {path}; do not edit.\n"


def to_stubs(module: cst.Module, plan: ClientPlan) -> cst.Module:
    """The stubs of a module that has workflows."""
    imports: list[Statement] = []
    others: list[Statement] = []
    overloaded = _overloaded(module)
    for index, statement in each(module):
        match statement:
            case cst.FunctionDef(name=found) if (name := identifier(found)) in plan.workflows:
                if name not in overloaded or is_overload(statement):
                    others.append(spaced(_function(statement, name, plan), 1))
            case cst.ClassDef() if index in plan.typing or _holds(statement, plan):
                others.append(spaced(_class(statement, plan), 1))
            case cst.FunctionDef(name=found) if index in plan.typing:
                others.append(spaced(_function(statement, identifier(found), plan), 1))
            case _:
                for part in import_part(statement, index, plan.typing):
                    (imports if is_import(part) else others).append(
                        spaced(part, 0 if is_import(part) else 1)
                    )
    start = cst.parse_module(_START.format(path=plan.path))
    # A comment alone is the header of what follows.
    made = start.with_changes(body=[*imports, *others], footer=[])
    return absolute(made.with_changes(header=[*start.header, *start.footer]), plan)


def _overloaded(module: cst.Module) -> set[str]:
    return {
        identifier(s.name)
        for _, s in each(module)
        if isinstance(s, cst.FunctionDef) and is_overload(s)
    }


def _holds(statement: cst.ClassDef, plan: ClientPlan) -> bool:
    return any(q.startswith(f"{identifier(statement.name)}.") for q in plan.workflows)


def _class(statement: cst.ClassDef, plan: ClientPlan) -> cst.ClassDef:
    overloaded = {
        identifier(m.name)
        for m in statement.body.body
        if isinstance(m, cst.FunctionDef) and is_overload(m)
    }

    def method(function: cst.FunctionDef, qualname: str) -> cst.FunctionDef | None:
        if identifier(function.name) in overloaded and not is_overload(function):
            return None
        return _function(function, qualname, plan)

    return members(statement, plan, method)


def _function(function: cst.FunctionDef, qualname: str, plan: ClientPlan) -> cst.FunctionDef:
    ellipsis = cst.ensure_type(cst.parse_statement("..."), cst.SimpleStatementLine)
    made = bare(function, [ellipsis])
    if qualname not in plan.workflows and qualname not in plan.steps:
        return made
    kept = [d for d in function.decorators if _stays(d)]
    return made.with_changes(decorators=[d.with_changes(leading_lines=[]) for d in kept])


def _stays(decorator: cst.Decorator) -> bool:
    match decorator.decorator:
        case cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name)):
            return name in ("staticmethod", "classmethod", "overload")
    return False
