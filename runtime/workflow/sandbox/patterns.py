"""Class patterns that ask for an attribute with a name that is guarded, as in
`case Command(name="run", args=[first, *_])`.

Python reads the attributes of a pattern itself, past the guards. So the pattern asks for another
one, with a name that cannot be spelled in Python source: a property that the class gets right
before the `match` statement, and that reads what was meant through the guard. Only the workflow's
own classes can get one.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from typing import Any

from workflow.errors import SandboxError
from workflow.sandbox import guards, names
from workflow.sandbox.ownership import owns
from workflow.sandbox.trees import at, call

__all__ = ["ask_guards", "matchable"]

_INSTEAD = "read it below, as in `case {name}() as found:`"


def ask_guards(node: ast.Match, error: Any) -> Iterator[ast.stmt]:
    """Change the patterns of `node`, not yet visited, and give what has to stand before it.

    `error` is told about patterns whose class is certainly none of the workflow's own.
    """
    for case in node.cases:
        for part in ast.walk(case.pattern):
            if not isinstance(part, ast.MatchClass):
                continue
            guarded = [name for name in part.kwd_attrs if name in names.GUARDED]
            if not guarded:
                continue
            shown = ast.unparse(part.cls)
            if hasattr(builtins, shown):
                instead = _INSTEAD.format(name=shown)
                error(part, f"{guarded[0]!r} cannot be read by a class pattern; {instead}")
                continue
            part.kwd_attrs = [f"${name}" if name in guarded else name for name in part.kwd_attrs]
            asked: list[ast.expr] = [at(ast.Constant(name), part) for name in guarded]
            yield at(ast.Expr(call("$matchable", [_again(part.cls), *asked], part)), node)


def _again(node: ast.expr) -> ast.expr:
    if isinstance(node, ast.Attribute):
        made: ast.expr = at(ast.Attribute(_again(node.value), node.attr, ast.Load()), node)
    else:
        assert isinstance(node, ast.Name)
        made = at(ast.Name(node.id, ast.Load()), node)
    return made


def matchable(cls: Any, *attributes: str) -> None:
    """Let class patterns of `cls` ask for guarded attributes."""
    if not isinstance(cls, type) or not owns(cls):
        name = getattr(cls, "__name__", "C")
        raise SandboxError(
            f"{attributes[0]!r} cannot be read by a class pattern; {_INSTEAD.format(name=name)}"
        )
    for attribute in attributes:
        if f"${attribute}" not in cls.__dict__:
            setattr(cls, f"${attribute}", property(_reader(attribute)))


def _reader(attribute: str) -> Any:
    return lambda value: guards.read(value, attribute)
