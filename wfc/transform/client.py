"""Client mode: a module with which an application starts workflows without importing step code.

Signatures and docstrings stay, bodies raise, and each workflow carries its id for `start()`.
"""

from __future__ import annotations

import json

import libcst as cst

from wfc.transform.client_plan import ClientPlan
from wfc.transform.prune import Statement, blank, numbered, prune_import

__all__ = ["to_client"]

_START = """\
# Made by wfc from {path}; do not edit.
from __future__ import annotations

"""
_ABI = "from workflow.errors import DirectCallError"


def to_client(module: cst.Module, plan: ClientPlan) -> cst.Module:
    """Client mode of a module that has workflows."""
    imports: list[Statement] = []
    others: list[Statement] = []
    for statement, parts in numbered(module.body):
        if _is_future(statement):
            continue
        match statement:
            case cst.FunctionDef(name=cst.Name(value=name)) if name in plan.workflows:
                others += [_stub(statement, name), _id_line(name, plan.workflows[name])]
                continue
            case cst.ClassDef(name=cst.Name(value=name)) if _inside(name, plan):
                others += [_shell(statement, plan), *_id_lines(name, plan)]
                continue
        kept = [i for i in parts if i in plan.keep]
        if not kept:
            continue
        if kept[0] in plan.aliases and len(parts) == 1:
            pruned = prune_import(statement, plan.aliases[kept[0]])
            if pruned is not None:
                imports.append(pruned)
        else:
            others.append(statement)
    start = cst.parse_module(_START.format(path=plan.path))
    imports.append(cst.ensure_type(cst.parse_statement(_ABI), cst.SimpleStatementLine))
    body = [
        *start.body,
        *(_spaced(s, 1 if s is imports[0] else 0) for s in imports),
        *(_spaced(s, _blanks(s)) for s in others),
    ]
    made = start.with_changes(body=body, footer=[]).visit(_Absolute(plan.package))
    return cst.ensure_type(made, cst.Module)


class _Absolute(cst.CSTTransformer):
    """Relative imports would mean something else in the generated folder."""

    def __init__(self, package: str) -> None:
        self.package = package.split(".") if package else []

    def leave_ImportFrom(  # noqa: N802 (the name is libcst's)
        self, original_node: cst.ImportFrom, updated_node: cst.ImportFrom
    ) -> cst.ImportFrom:
        level = len(original_node.relative)
        if not level:
            return updated_node
        base = self.package[: len(self.package) - level + 1]
        if original_node.module is not None:
            base = [*base, cst.Module(body=[]).code_for_node(original_node.module)]
        module = cst.parse_expression(".".join(base))
        return updated_node.with_changes(relative=(), module=module)


def _is_future(statement: Statement) -> bool:
    match statement:
        case cst.SimpleStatementLine(body=[cst.ImportFrom(module=cst.Name(value="__future__"))]):
            return True
    return False


def _inside(name: str, plan: ClientPlan) -> bool:
    return any(qualname.startswith(f"{name}.") for qualname in plan.workflows)


def _spaced(statement: Statement, count: int) -> Statement:
    lines = [line for line in statement.leading_lines if line.comment is not None]
    return statement.with_changes(leading_lines=[*blank(count), *lines])


def _blanks(statement: Statement) -> int:
    match statement:
        case cst.FunctionDef() | cst.ClassDef():
            return 2
        case cst.SimpleStatementLine(
            body=[cst.Assign(targets=[cst.AssignTarget(cst.Attribute())])]
        ):
            return 2  # the id after its workflow
    return 1


def _stub(function: cst.FunctionDef, qualname: str, *, static: bool = False) -> cst.FunctionDef:
    message = (  # the words of the runtime, which refuses calls of the function itself
        f"{qualname} is a workflow; calling it directly would neither record nor resume it."
        " Use `await start(function, ...)` from workflow.api"
    )
    failing = cst.parse_statement(f"raise DirectCallError({json.dumps(message)})")
    doc = _docstring(function)
    decorators = [cst.Decorator(cst.Name("staticmethod"))] if static else []
    return function.with_changes(
        decorators=decorators,
        lines_after_decorators=[],
        leading_lines=[],
        body=cst.IndentedBlock(body=[*([doc] if doc is not None else []), failing]),
    )


def _docstring(function: cst.FunctionDef) -> cst.SimpleStatementLine | None:
    match function.body:
        case cst.IndentedBlock(body=[cst.SimpleStatementLine(body=[cst.Expr() as first, *_]), *_]):
            if isinstance(first.value, cst.SimpleString) and not _is_directive(first.value):
                return cst.SimpleStatementLine(
                    body=[first.with_changes(semicolon=cst.MaybeSentinel.DEFAULT)]
                )
    return None


def _is_directive(value: cst.SimpleString) -> bool:
    text = value.evaluated_value
    return isinstance(text, str) and " ".join(text.split()).casefold().strip(" .!") in (
        "use workflow",
        "use step",
    )


def _shell(statement: cst.ClassDef, plan: ClientPlan) -> cst.ClassDef:
    """The class with nothing but its workflows."""
    name = statement.name.value
    methods: list[cst.FunctionDef] = []
    for inner in statement.body.body:
        if isinstance(inner, cst.FunctionDef) and f"{name}.{inner.name.value}" in plan.workflows:
            stub = _stub(inner, f"{name}.{inner.name.value}", static=True)
            methods.append(stub.with_changes(leading_lines=blank(1 if methods else 0)))
    return statement.with_changes(
        decorators=[],
        lines_after_decorators=[],
        bases=[],
        keywords=[],
        lpar=cst.MaybeSentinel.DEFAULT,
        rpar=cst.MaybeSentinel.DEFAULT,
        body=cst.IndentedBlock(body=methods),
    )


def _id_line(qualname: str, id_: str) -> Statement:
    text = json.dumps(id_, ensure_ascii=False)
    line = cst.parse_statement(f"{qualname}.workflow_id = {text}  # type: ignore[attr-defined]")
    assert isinstance(line, cst.SimpleStatementLine)
    return line


def _id_lines(name: str, plan: ClientPlan) -> list[Statement]:
    return [_id_line(q, i) for q, i in plan.workflows.items() if q.startswith(f"{name}.")]
