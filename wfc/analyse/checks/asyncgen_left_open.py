"""An asynchronous generator that is left before its end.

Leaving `async for` early, with `break` or `return`, leaves the generator standing at its `yield`.
In a workflow nothing closes it later: what its `finally` or `with` should clean up (a lock to give
back, a compensation to run) does not happen.

Open the generator with `contextlib.aclosing(...)`, which closes it when the block is left.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.functions import exits, functions, own_nodes
from wfc.analyse.names import ProjectName
from wfc.analyse.types import types_of
from wfc.diagnostics import Diagnostic, Rule, Severity, note_at
from wfc.model import Module, Program

RULE = Rule(
    code="WF511",
    name="asyncgen-left-open",
    severity=Severity.WARNING,
    page=__doc__,
    bad="""\
async def check_out(shop: str) -> str:
    "use step"
    return shop


async def give_back(key: str) -> None:
    "use step"


async def keys(shops: list[str]):
    for shop in shops:
        key = await check_out(shop)
        try:
            yield key
        finally:
            await give_back(key)


async def first_fitting(shops: list[str]) -> str | None:
    "use workflow"
    async for key in keys(shops):
        if key.startswith("A"):
            return key
    return None
""",
    good="""\
from contextlib import aclosing


async def check_out(shop: str) -> str:
    "use step"
    return shop


async def give_back(key: str) -> None:
    "use step"


async def keys(shops: list[str]):
    for shop in shops:
        key = await check_out(shop)
        try:
            yield key
        finally:
            await give_back(key)


async def first_fitting(shops: list[str]) -> str | None:
    "use workflow"
    async with aclosing(keys(shops)) as found:
        async for key in found:
            if key.startswith("A"):
                return key
    return None
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each such loop over a generator of the project that cleans up."""
    for module, _, nodes in functions(program):
        for node in nodes:
            if not isinstance(node, ast.AsyncFor) or not exits(node):
                continue
            found = _generator(program, module, node.iter)
            if found is None:
                continue
            home, generator, yielded = found
            yield RULE.at(
                module,
                node,
                f"This loop can be left before {generator.name} is at its end, and then what it "
                "cleans up behind its yield is never done.",
                f"Write `async with contextlib.aclosing({ast.unparse(node.iter)}) as items:` and "
                "loop over items.",
                [note_at(home, yielded, "left standing here")],
            )


def _generator(
    program: Program, module: Module, iterated: ast.expr
) -> tuple[Module, ast.AsyncFunctionDef, ast.Yield] | None:
    """The project's generator behind `iterated`, with a yield that has something to clean up."""
    if not isinstance(iterated, ast.Call):
        return None
    match types_of(program).target(module, iterated.func):
        case ProjectName(key=(name, top), rest=()) if name in program.modules:
            home = program.modules[name]
            for index in home.bindings.get(top, ()):
                function = home.tree.body[index]
                if isinstance(function, ast.AsyncFunctionDef) and not function.decorator_list:
                    yielded = _guarded_yield(function)
                    return (home, function, yielded) if yielded is not None else None
    return None


def _guarded_yield(function: ast.AsyncFunctionDef) -> ast.Yield | None:
    for node in own_nodes(function.body):
        match node:
            case (
                ast.With(body=body)
                | ast.AsyncWith(body=body)
                | ast.Try(body=body, finalbody=[_, *_])
            ):
                for inner in own_nodes(body):
                    if isinstance(inner, ast.Yield):
                        return inner
    return None
