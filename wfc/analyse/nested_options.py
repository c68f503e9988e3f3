"""The settings of nested steps, read from the text: nobody has the function before it is called.

Those of other steps are found on the function itself where it runs.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.model import Function, Marked
from wfc.nodes import walk

__all__ = ["is_readable", "nested_options"]

_NAMES = ("max_retries", "timeout", "backoff", "run_in")


def nested_options(step: Marked) -> dict[str, object]:
    """The settings that `@step_options(...)` and attributes such as `step.max_retries = 5` give
    a nested step, where they are constants."""
    found: dict[str, object] = {}
    for name, value in [*_decorated(step.node), *_assigned(step)]:
        try:
            found[name] = ast.literal_eval(value)
        except ValueError:
            continue
    return dict(sorted(found.items()))


def is_readable(decorator: ast.expr) -> bool:
    """Whether all arguments of a `step_options` are constants."""
    if not isinstance(decorator, ast.Call) or decorator.args:
        return False
    try:
        for keyword in decorator.keywords:
            ast.literal_eval(keyword.value)
    except ValueError:
        return False
    return all(keyword.arg in _NAMES for keyword in decorator.keywords)


def _decorated(function: Function) -> Iterator[tuple[str, ast.expr]]:
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and is_readable(decorator):
            yield from ((k.arg, k.value) for k in decorator.keywords if k.arg is not None)


def _assigned(step: Marked) -> Iterator[tuple[str, ast.expr]]:
    outer = [s for s in step.sighting.enclosing if isinstance(s, Function)]
    for node in walk(outer[-1]) if outer else ():
        match node:
            case ast.Assign(
                targets=[ast.Attribute(value=ast.Name(id=name), attr=attr)], value=value
            ) if name == step.node.name and attr in _NAMES:
                yield attr, value
