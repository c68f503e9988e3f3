"""The options of steps, as far as they are constants in the text."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from wfc.analyse.spans import text_of
from wfc.model import Form, Marked, Module
from wfc.nodes import walk

__all__ = ["OPTION_NAMES", "SetOption", "options_set", "step_options"]

OPTION_NAMES = ("max_retries", "timeout", "backoff", "run_in")
_BACKOFF = ("initial", "factor", "max", "jitter")


def step_options(step: Marked) -> dict[str, dict[str, Any]]:
    """The options that are set on a step: by `@step_options(…)`, or as an attribute of the function
    at the top of its module, which is stronger.

    Each has its `value`, None where it is computed, and its `source`, the user's text.
    """
    found: dict[str, dict[str, Any]] = {}
    for option in options_set(step):
        if option.name in OPTION_NAMES:
            value = option.value
            found[option.name] = {"value": _value(value), "source": text_of(step.module, value)}
    return found


@dataclass(frozen=True)
class SetOption:
    """What is set on a step: `value` is the user's expression, `attribute` what is assigned to,
    None in the decorator."""

    name: str
    value: ast.expr
    attribute: ast.Attribute | None = None


def options_set(step: Marked) -> Iterator[SetOption]:
    """The options in the decorator, and all attributes that are set on a step's function, whatever
    their names: a misspelt option is among them."""
    yield from _decorated(step)
    yield from _attributes(step)


def _decorated(step: Marked) -> Iterator[SetOption]:
    for decorator in step.node.decorator_list:
        match decorator:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), keywords=given):
                if _original(step.module, name) != "step_options":
                    continue
                for keyword in given:
                    if keyword.arg in OPTION_NAMES:
                        yield SetOption(keyword.arg, keyword.value)


def _original(module: Module, name: str) -> str:
    """What an imported name was called where it comes from."""
    for index in module.bindings.get(name, ()):
        statement = module.tree.body[index]
        if isinstance(statement, ast.ImportFrom):
            for alias in statement.names:
                if (alias.asname or alias.name) == name:
                    return alias.name
    return name


def _attributes(step: Marked) -> Iterator[SetOption]:
    dotted = step.name.replace("#", ".")
    module = step.module.tree
    yield from _set_on(dotted, module.body)
    if step.form is not Form.FUNCTION:  # in the body of the class or function around it
        for node in (n for s in module.body for n in walk(s)):
            body = getattr(node, "body", None)
            if isinstance(body, list) and step.node in body:
                yield from _set_on(step.node.name, body)


def _set_on(dotted: str, body: Iterable[ast.AST]) -> Iterator[SetOption]:
    for statement in body:
        match statement:
            case ast.Assign(targets=[ast.Attribute(value=owner, attr=name) as target], value=value):
                if ast.unparse(owner) == dotted:
                    yield SetOption(name, value, target)


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
