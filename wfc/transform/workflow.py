"""Workflow mode: the text that runs. Every kept line stays on the line where the user wrote it.

Steps become one line each, in the place of their directive; workflows and what they reach stay as
they are; the rest is blank. The import that the stubs need comes after the user's last line,
where it moves nothing.
"""

# ruff: noqa: N802 - libcst calls the methods of its visitors so

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence

import libcst as cst

from wfc.parse.bindings import known_version
from wfc.transform.plan import Stub, WorkflowPlan
from wfc.transform.prune import (
    Statement,
    blank,
    identifier,
    line_count,
    numbered,
    prune,
    prune_import,
    with_blank_lines_before,
)

__all__ = ["to_workflow"]

_ABI = "from workflow.abi.flow_v1 import step as _wfc_step"


def to_workflow(module: cst.Module, plan: WorkflowPlan, text: str) -> str:
    """Workflow mode of a module, which was parsed from `text`."""
    stubs = _Stubs(plan.stubs, plan.dropped)
    holders = {qualname.partition(".")[0] for qualname in (*plan.stubs, *plan.dropped)}

    def rewrite(index: int, statement: Statement) -> Statement | None:
        if index in plan.aliases:
            return prune_import(statement, plan.aliases[index])
        match statement:
            case cst.FunctionDef() if stubs.replaces(statement):
                # `prune` fills up what is shorter than it was.
                return stubbed(statement, plan.stubs[identifier(statement.name)], fill=False)
            case cst.FunctionDef() | cst.ClassDef() if identifier(statement.name) in holders:
                return _statement(statement.visit(stubs))
            case cst.If() | cst.Try():
                return _statement(statement.visit(_Versions()))
        return statement

    keep = {i: (lambda s, i=i: rewrite(i, s)) for i in plan.keep}
    pruned = prune(module, keep, text)
    if stubs.used:
        return f"{pruned}{_ABI}\n"
    return pruned if module.has_trailing_newline else pruned.removesuffix("\n")


def _statement(node: object) -> Statement:
    assert isinstance(node, cst.SimpleStatementLine | cst.BaseCompoundStatement)
    return node


class _Stubs(cst.CSTTransformer):
    """Puts stubs in the place of steps: functions, methods, and functions in either."""

    def __init__(self, stubs: Mapping[str, Stub], dropped: frozenset[str]) -> None:
        super().__init__()
        self._stubs = stubs
        self._dropped = dropped
        self._prefixes = [""]
        self.used = False

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        qualname = self._prefixes[-1] + identifier(node.name)
        self._prefixes.append(f"{qualname}.<locals>.")
        return qualname not in self._stubs

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef:
        self._prefixes.pop()
        if not self.replaces(original_node):
            return updated_node
        return stubbed(
            original_node, self._stubs[self._prefixes[-1] + identifier(original_node.name)]
        )

    def replaces(self, function: cst.FunctionDef) -> bool:
        """Whether a function at the place reached so far becomes a stub."""
        name = self._prefixes[-1] + identifier(function.name)
        found = name in self._stubs and not any(map(_is_overload, function.decorators))
        self.used = self.used or found
        return found

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        self._prefixes.append(f"{self._prefixes[-1]}{identifier(node.name)}.")

    def leave_ClassDef(
        self, original_node: cst.ClassDef, updated_node: cst.ClassDef
    ) -> cst.ClassDef:
        prefix = self._prefixes.pop()
        if not any(name.startswith(prefix) for name in self._dropped):
            return updated_node
        return updated_node.with_changes(body=self._without(updated_node.body, prefix))

    def _without(self, body: cst.BaseSuite, prefix: str) -> cst.BaseSuite:
        """The body of a class without the methods to leave out, on as many lines."""
        kept: list[Statement] = []
        pending = 0
        assert isinstance(body, cst.IndentedBlock)  # a class with methods has lines
        for statement, _ in numbered(body.body):
            match statement:
                case cst.FunctionDef(name=name) if prefix + identifier(name) in self._dropped:
                    pending += line_count(statement)
                case _:
                    kept.append(with_blank_lines_before(statement, pending))
                    pending = 0
        if not kept:
            nothing = cst.SimpleStatementLine(body=[cst.Pass()])
            kept.append(with_blank_lines_before(nothing, pending - 1))
            pending = 0
        return body.with_changes(body=kept, footer=[*blank(pending), *body.footer])

    def visit_Lambda(self, node: cst.Lambda) -> bool:
        return False


def _is_overload(decorator: cst.Decorator) -> bool:
    match decorator.decorator:
        case cst.Name(value="overload") | cst.Attribute(attr=cst.Name(value="overload")):
            return True
    return False


class _Versions(cst.CSTTransformer):
    """Says what a test of the Python version gives, where that is known: workflow code has no
    `sys`, and the branch that does not run may import what it does not have."""

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        return False

    def visit_ClassDef(self, node: cst.ClassDef) -> bool:
        return False

    def leave_If(self, original_node: cst.If, updated_node: cst.If) -> cst.If:
        test = ast.parse(_MODULE.code_for_node(original_node.test).strip(), mode="eval").body
        known = known_version(test)
        if known is None:
            return updated_node
        return updated_node.with_changes(test=cst.Name(str(known)))


_MODULE = cst.Module(body=[])


def stubbed(function: cst.FunctionDef, stub: Stub, *, fill: bool = True) -> cst.FunctionDef:
    """The step with its body replaced by the call through the runtime; with `fill` on as many
    lines."""
    static = [
        d
        for index, d in enumerate(function.decorators)
        if index in stub.decorators
        or (isinstance(d.decorator, cst.Name) and d.decorator.value in _BINDING)
    ]
    params = _without_defaults(function.params, stub)
    head = function.with_changes(body=_SHORT)  # the body is as long before as after
    above = line_count(head) - line_count(head.with_changes(decorators=static, params=params))
    return function.with_changes(
        params=params,
        # A step is a coroutine function in workflow mode even where the user wrote `def`: the
        # call crosses processes, and `asyncio.create_task` takes nothing but coroutines.
        asynchronous=function.asynchronous or cst.Asynchronous(),
        decorators=static,
        leading_lines=[*function.leading_lines, *blank(above)],
        body=_body(function.body, stub, fill=fill),
    )


_SHORT = cst.SimpleStatementSuite(body=[cst.Pass()])
_BINDING = ("staticmethod", "classmethod")  # what a method is called on stays


def _without_defaults(params: cst.Parameters, stub: Stub) -> cst.Parameters:
    """`...` for the defaults that are left to the step's side."""

    def short(parameters: Sequence[cst.Param]) -> list[cst.Param]:
        return [
            p.with_changes(default=cst.Ellipsis()) if identifier(p.name) in stub.optional else p
            for p in parameters
        ]

    return params.with_changes(
        posonly_params=short(params.posonly_params),
        params=short(params.params),
        kwonly_params=short(params.kwonly_params),
    )


def _body(body: cst.BaseSuite, stub: Stub, *, fill: bool) -> cst.BaseSuite:
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
    if not fill:
        return body.with_changes(body=[*head, new], footer=[])
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
    """`return await _wfc_step("step//…", {"email": email})`; captured variables come third."""
    items = ", ".join(_item(key, name, name in stub.optional) for key, name in stub.arguments)
    step = json.dumps(stub.id, ensure_ascii=False)
    captured = ", ".join(_item(name, name, False) for name in stub.captured)
    third = f", {{{captured}}}" if captured else ""
    line = cst.parse_statement(f"return await _wfc_step({step}, {{{items}}}{third})")
    assert isinstance(line, cst.SimpleStatementLine)
    statement = line.body[0]
    assert isinstance(statement, cst.Return)
    return statement


def _item(key: str, name: str, optional: bool) -> str:
    item = f"{json.dumps(key, ensure_ascii=False)}: {name}"
    return f"**({{}} if {name} is ... else {{{item}}})" if optional else item
