"""Calls of functions that `workflow` offers, wherever they stand in the files that were read."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from wfc.analyse.types import Types, types_of
from wfc.model import External, Module, Program
from wfc.nodes import walk

__all__ = ["RuntimeCall", "argument", "runtime_calls", "starts"]


@dataclass(frozen=True, eq=False)
class RuntimeCall:
    """A call of `name`, such as `workflow.sleep` or `workflow.api.start`."""

    module: Module
    node: ast.Call
    name: str


_IMPORTS = re.compile(r"\b(?:from|import)\s+workflow\b|,\s*workflow\b")
_CACHE: WeakKeyDictionary[Program, tuple[RuntimeCall, ...]] = WeakKeyDictionary()


def runtime_calls(program: Program) -> tuple[RuntimeCall, ...]:
    """Every such call; those of methods, and through variables, are not known."""
    found = _CACHE.get(program)
    if found is None:
        found = _CACHE[program] = tuple(_all(program))
    return found


def _all(program: Program) -> Iterator[RuntimeCall]:
    types = types_of(program)
    for module in program.modules.values():
        nodes = list(walk(module.tree)) if _IMPORTS.search(module.text) else []
        imported = set(_imported(nodes))
        for node in nodes:
            match node:
                case ast.Call(func=ast.Name() | ast.Attribute() as function):
                    if _root(function) in imported:
                        target = types.target(module, function)
                        if isinstance(target, External):
                            yield RuntimeCall(module, node, str(target))


def _imported(nodes: list[ast.AST]) -> Iterator[str]:
    """The names under which a file has `workflow` or something of it."""
    for node in nodes:
        match node:
            case ast.ImportFrom(module=str(home), level=0) if home.split(".")[0] == "workflow":
                yield from (alias.asname or alias.name for alias in node.names)
            case ast.Import():
                for alias in node.names:
                    if alias.name.split(".")[0] == "workflow":
                        yield alias.asname or "workflow"


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


_MAY_START = re.compile(r"\bworkflow\.api\b|\bworkflow\s+import\b")


def starts(program: Program, module: Module) -> Iterator[ast.Call]:
    """The calls in a file that start something: of `start()`, with options or without. The first
    argument of each is what is started."""
    if _MAY_START.search(module.text):
        types = types_of(program)
        for node in walk(module.tree):
            if isinstance(node, ast.Call) and node.args and _is_start(types, module, node.func):
                yield node


def _is_start(types: Types, module: Module, function: ast.expr) -> bool:
    # As text: with `import workflow.api` the module is an attribute of `workflow`.
    match function:
        case ast.Attribute(value=ast.Call(func=made), attr="start"):
            return str(types.target(module, made)) == "workflow.api.with_options"
        case ast.Name() | ast.Attribute():
            return str(types.target(module, function)) == "workflow.api.start"
    return False


def argument(call: ast.Call, name: str, position: int | None) -> ast.expr | None:
    """What a call gives for a parameter, by its name or its position; None where it does not, or
    where that cannot be seen."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    if position is None or any(isinstance(a, ast.Starred) for a in call.args[: position + 1]):
        return None
    return call.args[position] if position < len(call.args) else None
