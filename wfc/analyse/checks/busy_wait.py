"""A loop that waits by going round and round.

`await asyncio.sleep(0)` lets other tasks of the same run have a turn, and no time passes. What a
run waits for (the result of a step, a payload, the end of a sleep) is only let in when all its
tasks are waiting. A loop that never waits keeps it out for ever, and keeps the worker busy.

Wait for the thing itself: await the task or the hook, set an `asyncio.Event` where it happens, or
sleep for a while that is longer than zero.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.functions import functions, is_call_of
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program
from wfc.nodes import walk

RULE = Rule(
    code="WF508",
    name="busy-wait",
    severity=Severity.ERROR,
    page=__doc__,
    bad="""\
import asyncio


async def convert(path: str) -> str:
    "use step"
    return path


async def publish(path: str) -> str:
    "use workflow"
    conversion = asyncio.create_task(convert(path))
    while not conversion.done():
        await asyncio.sleep(0)
    return conversion.result()
""",
    good="""\
import asyncio


async def convert(path: str) -> str:
    "use step"
    return path


async def publish(path: str) -> str:
    "use workflow"
    conversion = asyncio.create_task(convert(path))
    return await conversion
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each loop that does nothing but sleep for no time."""
    for module, _, nodes in functions(program):
        for node in nodes:
            if isinstance(node, ast.While) and _only_yields(program, node):
                yield RULE.at(
                    module,
                    node,
                    "This loop waits without letting time pass: results, payloads and timers only "
                    "reach a run when all its tasks wait, so it would go round for ever.",
                    "Await the task, hook or asyncio.Event it waits for, or sleep longer than 0.",
                )


def _only_yields(program: Program, loop: ast.While) -> bool:
    waits = [s for s in loop.body if _is_empty_sleep(program, s)]
    rest = [s for s in loop.body if s not in waits]
    return bool(waits) and all(map(_changes_nothing, rest)) and not _waits(loop.test)


def _is_empty_sleep(program: Program, statement: ast.stmt) -> bool:
    match statement:
        case ast.Expr(value=ast.Await(value=ast.Call(args=[ast.Constant(value=0)]) as call)):
            return is_call_of(program, call, "asyncio.sleep", "workflow.sleep")
    return False


def _changes_nothing(statement: ast.stmt) -> bool:
    match statement:
        case ast.Pass() | ast.Continue() | ast.Break() | ast.Return():
            return True
        case ast.If(test=test, body=body, orelse=otherwise):
            return not _waits(test) and all(map(_changes_nothing, [*body, *otherwise]))
    return False


def _waits(test: ast.expr) -> bool:
    return any(isinstance(node, ast.Await | ast.NamedExpr) for node in walk(test))
