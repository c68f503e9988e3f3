"""Workflow mode: the text that runs. Every kept line stays on the line where the user wrote it.

Steps become one line each, in the place of their directive; workflows and what they reach stay as
they are; the rest is blank. The import that the stubs need comes after the user's last line,
where it moves nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import libcst as cst

from wfc.transform.plan import Stub, WorkflowPlan
from wfc.transform.prune import Statement, blank, line_count, prune, prune_import

__all__ = ["to_workflow"]

_ABI = "from workflow.abi.flow_v1 import step as _wfc_step"


def to_workflow(module: cst.Module, plan: WorkflowPlan) -> cst.Module:
    """Workflow mode of a module."""
    used: set[str] = set()

    def rewrite(index: int, statement: Statement) -> Statement | None:
        if index in plan.aliases:
            return prune_import(statement, plan.aliases[index])
        return _with_stubs(statement, plan, "", used)

    keep = {i: (lambda s, i=i: rewrite(i, s)) for i in plan.keep}
    pruned = prune(module, keep)
    if not used:
        return pruned
    ending = cst.parse_statement(_ABI)
    if not pruned.has_trailing_newline:
        pruned = pruned.with_changes(has_trailing_newline=True)
    return pruned.with_changes(
        body=[*pruned.body, ending.with_changes(leading_lines=pruned.footer)], footer=[]
    )


def _with_stubs(statement: Statement, plan: WorkflowPlan, prefix: str, used: set[str]) -> Statement:
    match statement:
        case cst.FunctionDef(name=cst.Name(value=name)) if prefix + name in plan.stubs:
            used.add(name)
            return stubbed(statement, plan.stubs[prefix + name])
        case cst.ClassDef(name=cst.Name(value=name), body=cst.IndentedBlock() as block):
            if not prefix:
                body = [_with_stubs(s, plan, f"{name}.", used) for s in block.body]  # type: ignore[arg-type]
                return statement.with_changes(body=block.with_changes(body=body))
    return statement


def stubbed(function: cst.FunctionDef, stub: Stub) -> cst.FunctionDef:
    """The step with its body replaced by the call through the runtime, on as many lines."""
    static = [
        d
        for d in function.decorators
        if isinstance(d.decorator, cst.Name) and d.decorator.value == "staticmethod"
    ]
    above = line_count(function) - line_count(
        function.with_changes(
            decorators=static, lines_after_decorators=function.lines_after_decorators
        )
    )
    params = _without_defaults(function.params, stub)
    above += line_count(function) - line_count(function.with_changes(params=params))
    return function.with_changes(
        params=params,
        # A step is a coroutine function in workflow mode even where the user wrote `def`: the
        # call crosses processes, and `asyncio.create_task` takes nothing but coroutines.
        asynchronous=function.asynchronous or cst.Asynchronous(),
        decorators=static,
        leading_lines=[*function.leading_lines, *blank(above)],
        body=_body(function.body, stub),
    )


def _without_defaults(params: cst.Parameters, stub: Stub) -> cst.Parameters:
    """`...` for the defaults that are left to the step's side."""

    def short(parameters: Sequence[cst.Param]) -> list[cst.Param]:
        return [
            p.with_changes(default=cst.Ellipsis()) if p.name.value in stub.optional else p
            for p in parameters
        ]

    return params.with_changes(
        posonly_params=short(params.posonly_params),
        params=short(params.params),
        kwonly_params=short(params.kwonly_params),
    )


def _body(body: cst.BaseSuite, stub: Stub) -> cst.BaseSuite:
    if isinstance(body, cst.SimpleStatementSuite):
        return body.with_changes(body=[call(stub)])
    assert isinstance(body, cst.IndentedBlock)
    target = _place(body, stub)
    head = list(body.body[:target])
    line = body.body[target]
    docs = _docs_on(line, stub)
    if isinstance(line, cst.SimpleStatementLine):
        new = line.with_changes(body=[*docs, call(stub)], trailing_whitespace=_NEWLINE)
    else:
        # Only under a directive for the whole file: the body starts with a compound statement.
        new = cst.SimpleStatementLine(body=[call(stub)], leading_lines=line.leading_lines)  # type: ignore[attr-defined]
    old_lines = sum(line_count(s) for s in body.body[target:])
    rest = blank(old_lines - line_count(new) + len(body.footer))
    return body.with_changes(body=[*head, new], footer=rest)


_NEWLINE = cst.TrailingWhitespace()


def _place(body: cst.IndentedBlock, stub: Stub) -> int:
    """Index of the line of the body that becomes the call."""
    wanted = stub.statement
    if wanted is None:
        wanted = 1 if len(body.body) > 1 and _is_string(body.body[0]) else 0
    index = 0
    for line_index, statement in enumerate(body.body):
        index += len(statement.body) if isinstance(statement, cst.SimpleStatementLine) else 1
        if index > wanted:
            return line_index
    return len(body.body) - 1


def _docs_on(line: cst.BaseStatement, stub: Stub) -> list[cst.BaseSmallStatement]:
    """The docstring, where it stands on the line that becomes the call."""
    if not isinstance(line, cst.SimpleStatementLine) or not _is_string(line):
        return []
    if stub.statement == 1 and len(line.body) > 1:
        return [line.body[0]]
    return [line.body[0].with_changes(semicolon=_SEMICOLON)] if stub.statement is None else []


_SEMICOLON = cst.Semicolon(whitespace_after=cst.SimpleWhitespace(" "))


def _is_string(line: cst.BaseStatement) -> bool:
    match line:
        case cst.SimpleStatementLine(body=[cst.Expr(value=value), *_]):
            return isinstance(value, cst.SimpleString | cst.ConcatenatedString)
    return False


def call(stub: Stub) -> cst.Return:
    """`return await _wfc_step("step//…", {"email": email})`."""
    items = ", ".join(_item(key, name, name in stub.optional) for key, name in stub.arguments)
    step = json.dumps(stub.id, ensure_ascii=False)
    line = cst.parse_statement(f"return await _wfc_step({step}, {{{items}}})")
    assert isinstance(line, cst.SimpleStatementLine)
    statement = line.body[0]
    assert isinstance(statement, cst.Return)
    return statement


def _item(key: str, name: str, optional: bool) -> str:
    item = f"{json.dumps(key, ensure_ascii=False)}: {name}"
    return f"**({{}} if {name} is ... else {{{item}}})" if optional else item
