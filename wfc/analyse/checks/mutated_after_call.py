"""A value is changed between the call of a step and its start.

In a workflow, calling a step prepares it; its arguments are recorded when it starts, that is when
the call is awaited or its task gets its first turn. What is changed before that becomes part of
what the step receives, although the line of the change stands below the call. A list that is
filled, passed on and cleared again reaches every step empty.

Pass a copy (`list(batch)`, `dict(order)`, `copy.deepcopy(order)`), or make a new value instead of
changing the old one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from wfc.analyse.awaiting import parents_of
from wfc.analyse.functions import LOOPS, ancestors, awaits, functions, mutated
from wfc.diagnostics import Diagnostic, Rule, Severity, note_at
from wfc.model import Function, Kind, Marked, Module, Program
from wfc.parse.bindings import bound_names

RULE = Rule(
    code="WF905",
    name="mutated-after-call",
    severity=Severity.WARNING,
    page=__doc__,
    bad="""\
import asyncio


async def send(batch: list[str]) -> None:
    "use step"


async def send_all(emails: list[str]) -> None:
    "use workflow"
    batch: list[str] = []
    sending = []
    for email in emails:
        batch.append(email)
        if len(batch) == 100:
            sending.append(send(batch))
            batch.clear()
    if batch:
        sending.append(send(batch))
    await asyncio.gather(*sending)
""",
    good="""\
import asyncio


async def send(batch: list[str]) -> None:
    "use step"


async def send_all(emails: list[str]) -> None:
    "use workflow"
    batch: list[str] = []
    sending = []
    for email in emails:
        batch.append(email)
        if len(batch) == 100:
            sending.append(send(batch))
            batch = []
    if batch:
        sending.append(send(batch))
    await asyncio.gather(*sending)
""",
)

Parents = Mapping[ast.AST, ast.AST]


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each argument that is changed in place before its step can start."""
    for module, function, nodes in functions(program):
        parents: Parents | None = None
        for node in nodes:
            match program.reach.meaning.get(node.func) if isinstance(node, ast.Call) else None:
                case Marked(kind=Kind.STEP) as step:
                    assert isinstance(node, ast.Call)
                    parents = parents or parents_of(function, frozenset())
                    yield from _in_call(module, function, parents, step, node)


def _in_call(
    module: Module, function: Function, parents: Parents, step: Marked, call: ast.Call
) -> Iterator[Diagnostic]:
    around = [call, *ancestors(parents, call)]
    statement = next((n for n in around if isinstance(n, ast.stmt)), None)
    if statement is None or awaits([statement]) or isinstance(statement, ast.Return):
        return
    values = [*call.args, *(keyword.value for keyword in call.keywords)]
    for name in {v.id: v for v in values if isinstance(v, ast.Name)}.values():
        for later in _before_it_starts(parents, function, statement, name.id):
            change = mutated(later)
            if change is not None and change.id == name.id:
                yield RULE.at(
                    module,
                    later,
                    f"{name.id} is changed before the call of {step.name} above is awaited, and "
                    f"{step.name} is given what {name.id} holds when it starts.",
                    f"Pass a copy of {name.id}, or bind {name.id} to a new value instead of "
                    "changing it.",
                    [note_at(module, call, f"{name.id} is passed here")],
                )
                break


def _before_it_starts(
    parents: Parents, function: Function, statement: ast.stmt, name: str
) -> Iterator[ast.stmt]:
    """The statements behind `statement` that surely run before anything is awaited, with the same
    value in `name`."""
    while True:
        parent = parents.get(statement, function)
        block = _block_of(parent, statement)
        for later in block[block.index(statement) + 1 :]:
            if awaits([later]) or name in bound_names(later) or _leaves(later):
                return
            yield later
        if isinstance(parent, LOOPS):
            # The next round changes it.
            whole = name in bound_names(parent)
            if not whole and not awaits(parent.body) and not isinstance(parent, ast.AsyncFor):
                yield from parent.body[: parent.body.index(statement)]
        if not isinstance(parent, ast.If):
            return
        statement = parent


def _block_of(parent: ast.AST, statement: ast.stmt) -> Sequence[ast.stmt]:
    for field in ("body", "orelse", "finalbody"):
        block: list[ast.stmt] = getattr(parent, field, [])
        if statement in block:
            return block
    return [statement]


def _leaves(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Return | ast.Raise | ast.Break | ast.Continue)
