"""Workflow code uses a name that nothing defines.

The file neither defines nor imports it, and Python has no such name: an import was forgotten, or
the name is misspelt. Python finds that out when it gets to the line, which in a workflow may be
after weeks of sleep. The run fails with a `NameError` then.

Import it, or correct it.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

from wfc.analyse.modules import facades, suggest
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Missing, Module, Program
from wfc.nodes import walk
from wfc.parse.bindings import bound_names

RULE = Rule(
    code="WF714",
    name="undefined-name",
    severity=Severity.ERROR,
    page=__doc__,
    bad="""\
async def remind(email: str) -> None:
    "use step"


async def trial(email: str) -> None:
    "use workflow"
    await sleep("14 days")
    await remind(email)
""",
    good="""\
from workflow import sleep


async def remind(email: str) -> None:
    "use step"


async def trial(email: str) -> None:
    "use workflow"
    await sleep("14 days")
    await remind(email)
""",
)

# The import system sets these in a module, the compiler in a method and in the body of a class.
_GIVEN = {"__file__", "__path__", "__cached__", "__annotations__", "__class__"}
_GIVEN |= {"__module__", "__qualname__"}
_OF_API = ("start", "with_options", "Run")


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each such use in workflow code."""
    candidates = [m for m in program.reach.undefined if m.name not in _GIVEN]
    if not candidates:
        return
    inside = {node for _, node in program.workflow_code()}
    odd = {module: _bound_oddly(module) for module in {m.module for m in candidates}}
    quiet = {node for module in odd for node in _unread(module)}
    for missing in candidates:
        place = missing.node
        if place not in inside or place in quiet or missing.name in odd[missing.module]:
            continue
        yield RULE.at(
            missing.module,
            _name_in(place, missing.name),
            f"{missing.name} is not defined: {missing.module.path} neither defines nor imports it. "
            "The run would fail when it gets here.",
            _instead(program, missing),
        )


def _instead(program: Program, missing: Missing) -> str:
    from workflow import __all__ as ours

    name = missing.name
    if name in ours:
        return f"Write `from workflow import {name}` at the top of the file."
    if name in _OF_API:
        return f"Write `from workflow.api import {name}` at the top of the file."
    if name in facades() or name in sys.stdlib_module_names:
        return f"Write `import {name}` at the top of the file."
    homes = [m.name for m in program.modules.values() if name in m.bindings]
    if len(homes) == 1:
        return f"Write `from {homes[0]} import {name}` at the top of the file."
    close = suggest(name, {*missing.module.bindings, *_local_names(missing)})
    return f"Did you mean {close}?" if close else "Import it, define it, or correct the name."


def _local_names(missing: Missing) -> Iterator[str]:
    """The variables of the function at the top of the file that the use stands in."""
    for top in missing.module.tree.body:
        nodes = list(walk(top))
        if missing.node in nodes:
            for node in nodes:
                if isinstance(node, ast.arg):
                    yield node.arg
                elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    yield node.id


def _bound_oddly(module: Module) -> set[str]:
    """Names that the file may have after all: declared `global` in a function, bound in a branch
    for another Python or for type checkers; all of them where the file writes to `globals()`."""
    found = {name for statement in module.tree.body for name in bound_names(statement)}
    for node in walk(module.tree):
        match node:
            case ast.Global(names=names):
                found |= set(names)
            case ast.Call(func=ast.Name(id="globals" | "exec" | "setattr")):
                return found | {n.id for n in walk(module.tree) if isinstance(n, ast.Name)}
    return found


def _unread(module: Module) -> Iterator[ast.AST]:
    """What is not evaluated, or may fail: annotations, and what stands in `try` with `except
    NameError`."""
    for node in walk(module.tree):
        parts: list[ast.AST] = []
        match node:
            case ast.AnnAssign(annotation=annotation):
                parts = [annotation]
            case ast.arg(annotation=ast.expr() as annotation):
                parts = [annotation]
            case ast.Try(body=body, handlers=handlers) if any(map(_catches, handlers)):
                parts = list(body)
        for part in parts:
            yield from walk(part)


def _catches(handler: ast.ExceptHandler) -> bool:
    return handler.type is not None and any(
        isinstance(node, ast.Name) and node.id == "NameError" for node in walk(handler.type)
    )


def _name_in(node: ast.AST, name: str) -> ast.AST:
    """The name itself in `name.attribute`."""
    for inner in walk(node):
        if isinstance(inner, ast.Name) and inner.id == name:
            return inner
    return node
