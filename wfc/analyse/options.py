"""The options of steps, as far as they are constants in the text."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Any

from wfc.analyse.spans import text_of
from wfc.model import Form, Marked, Module
from wfc.nodes import walk

__all__ = ["OPTION_NAMES", "step_options"]

OPTION_NAMES = ("max_retries", "timeout", "backoff", "run_in")
_BACKOFF = ("initial", "factor", "max", "jitter")


def step_options(step: Marked) -> dict[str, dict[str, Any]]:
    """The options that are set on a step: by `@step_options(…)`, or as an attribute of the function
    at the top of its module, which is stronger.

    Each has its `value`, None where it is computed, and its `source`, the user's text.
    """
    found: dict[str, dict[str, Any]] = {}
    for name, node in (*_decorated(step), *_attributes(step)):
        found[name] = {"value": _value(node), "source": text_of(step.module, node)}
    return found


def _decorated(step: Marked) -> Iterator[tuple[str, ast.expr]]:
    for decorator in step.node.decorator_list:
        match decorator:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), keywords=given):
                if _original(step.module, name) != "step_options":
                    continue
                for keyword in given:
                    if keyword.arg in OPTION_NAMES:
                        yield keyword.arg, keyword.value


def _original(module: Module, name: str) -> str:
    """What an imported name was called where it comes from."""
    for index in module.bindings.get(name, ()):
        statement = module.tree.body[index]
        if isinstance(statement, ast.ImportFrom):
            for alias in statement.names:
                if (alias.asname or alias.name) == name:
                    return alias.name
    return name


def _attributes(step: Marked) -> Iterator[tuple[str, ast.expr]]:
    dotted = step.name.replace("#", ".")
    module = step.module.tree
    yield from _set_on(dotted, module.body)
    if step.form is not Form.FUNCTION:  # in the body of the class or function around it
        for node in (n for s in module.body for n in walk(s)):
            body = getattr(node, "body", None)
            if isinstance(body, list) and step.node in body:
                yield from _set_on(step.node.name, body)


def _set_on(dotted: str, body: Iterable[ast.AST]) -> Iterator[tuple[str, ast.expr]]:
    for statement in body:
        match statement:
            case ast.Assign(targets=[ast.Attribute(value=owner, attr=name)], value=value):
                if name in OPTION_NAMES and ast.unparse(owner) == dotted:
                    yield name, value


def _value(node: ast.expr) -> Any:
    match node:
        case ast.Call(func=ast.Name(id="Backoff") | ast.Attribute(attr="Backoff")):
            given = dict(zip(_BACKOFF, node.args, strict=False))
            given |= {k.arg: k.value for k in node.keywords if k.arg}
            found = {name: _constant(value) for name, value in given.items()}
            return None if None in found.values() or not _plain(node) else found
    return _constant(node)


def _plain(call: ast.Call) -> bool:
    return all(k.arg for k in call.keywords) and not any(
        isinstance(a, ast.Starred) for a in call.args
    )


def _constant(node: ast.expr) -> str | int | float | None:
    match node:
        case ast.Constant(value=bool() | None):
            return None
        case ast.Constant(value=str() | int() | float() as value):
            return value
    return None
