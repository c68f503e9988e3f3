"""Client mode: a module with which an application starts workflows without importing step code.

Each workflow has its signature, its docstring and its id, and refuses to be called. Annotations
are never evaluated, so what only they need is imported for type checkers alone. Classes of the
same file that signatures name are there as well: the application makes instances of them.
"""

from __future__ import annotations

import json

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
from wfc.transform.client_plan import ClientPlan, Kept
from wfc.transform.prune import Statement, identifier

__all__ = ["to_client"]

_START = """\
# Made by wfc from {path}; do not edit.
from __future__ import annotations
"""
_TYPING = "\nfrom typing import TYPE_CHECKING\n"
_ABI = "from workflow.abi import client_v1 as _wfc"


def to_client(module: cst.Module, plan: ClientPlan) -> cst.Module:
    """Client mode of a module that has workflows."""
    imports: list[Statement] = []
    others: list[Statement] = []
    unseen: list[Statement] = []
    for_types = _without(plan.typing, plan.runtime)
    for index, statement in each(module):
        match statement:
            case cst.FunctionDef(name=found) if (name := identifier(found)) in plan.workflows:
                if not is_overload(statement):
                    others.append(spaced(_refusing(statement, name, plan), 2))
                continue
            case cst.FunctionDef(name=found) if (name := identifier(found)) in plan.steps:
                if index in plan.runtime:
                    others.append(spaced(_refusing(statement, name, plan), 2))
                continue
            case cst.ClassDef(name=found) if _is_wanted(identifier(found), index, plan):
                rewritten = members(statement, plan, lambda f, q: _method(f, q, plan))
                others.append(spaced(rewritten, 2))
                continue
        for part in import_part(statement, index, plan.runtime):
            (imports if is_import(part) else others).append(spaced(part, 1 + _is_block(part)))
        unseen += (spaced(part, 0) for part in import_part(statement, index, for_types))
    start = cst.parse_module(_START.format(path=plan.path) + (_TYPING if unseen else ""))
    abi = cst.ensure_type(cst.parse_statement(_ABI), cst.SimpleStatementLine)
    body = [
        *start.body,
        *(spaced(s, 1 if i == 0 and not unseen else 0) for i, s in enumerate(imports)),
        spaced(abi, 0 if unseen or imports else 1),
        *([_type_checking(unseen)] if unseen else []),
        *others,
        *_class_lines(plan),
    ]
    return absolute(start.with_changes(body=body, footer=[]), plan)


def _is_wanted(name: str, index: int, plan: ClientPlan) -> bool:
    return index in plan.runtime or any(q.startswith(f"{name}.") for q in plan.workflows)


def _is_block(statement: Statement) -> bool:
    return isinstance(statement, cst.FunctionDef | cst.ClassDef)


def _without(kept: Kept, others: Kept) -> Kept:
    found: dict[int, frozenset[str] | None] = {}
    for index, names in kept.items():
        if names is not None:
            rest = names - (others.get(index) or frozenset())
            if rest:
                found[index] = rest
        elif index not in others:
            found[index] = None
    return found


def _method(function: cst.FunctionDef, qualname: str, plan: ClientPlan) -> cst.FunctionDef | None:
    if qualname not in plan.workflows and qualname not in plan.steps:
        return function
    return None if is_overload(function) else _refusing(function, qualname, plan)


def _refusing(function: cst.FunctionDef, qualname: str, plan: ClientPlan) -> cst.FunctionDef:
    """`@_wfc.workflow("workflow//…")` above the signature, for a step `@_wfc.step("step//…")`."""
    kind, ids = ("workflow", plan.workflows) if qualname in plan.workflows else ("step", plan.steps)
    call = f"_wfc.{kind}({json.dumps(ids[qualname], ensure_ascii=False)})"
    kept = [
        d
        for d in function.decorators
        if isinstance(d.decorator, cst.Name)
        and d.decorator.value in ("staticmethod", "classmethod")
    ]
    ellipsis = cst.ensure_type(cst.parse_statement("..."), cst.SimpleStatementLine)
    return bare(function, [ellipsis]).with_changes(
        decorators=[
            *(cst.Decorator(d.decorator) for d in kept),
            cst.Decorator(cst.parse_expression(call)),
        ]
    )


def _type_checking(body: list[Statement]) -> Statement:
    return cst.If(
        test=cst.Name("TYPE_CHECKING"),
        body=cst.IndentedBlock(body=body),
        leading_lines=[cst.EmptyLine(indent=False)],
    )


def _class_lines(plan: ClientPlan) -> list[Statement]:
    """The lines that say under which id the instances of a class are recorded."""
    lines: list[Statement] = []
    for id_, home, name in plan.classes:
        arguments = [
            json.dumps(id_, ensure_ascii=False),
            "__name__" if home is None else json.dumps(home, ensure_ascii=False),
            json.dumps(name, ensure_ascii=False),
        ]
        made = cst.parse_statement(f"_wfc.register_class({', '.join(arguments)})")
        line = cst.ensure_type(made, cst.SimpleStatementLine)
        lines.append(spaced(line, 0 if lines else 2))
    return lines
