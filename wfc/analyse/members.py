"""Which methods of a class workflow code may call.

A step method often has helpers in its class that do what only a step may do, and a class that
workflow and steps share has methods for the steps. They are left out of workflow code where nothing
there speaks their names.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from wfc.analyse.ids import decorator_name
from wfc.model import Function
from wfc.nodes import children, walk

__all__ = ["ANY", "BY_PROTOCOL", "PLAIN_BASES", "helpers", "spoken"]

ANY = "*"
"""Spoken where a name is put together: it may be each."""
BY_PROTOCOL = {
    "aclose", "close", "dst", "flush", "isoformat", "keys", "read", "tzname", "utcoffset", "write",
}  # fmt: skip
"""Methods that Python and its library call by name."""
PLAIN_BASES = {"typing.Generic", "typing.Protocol", "abc.ABC", "builtins.object"}
"""Classes from outside that call no method of those below them."""
_BY_NAME = {"getattr", "hasattr"}

_PLAIN = {"staticmethod", "classmethod", "property", "cached_property"}


def helpers(statement: ast.stmt, marked: frozenset[Function]) -> dict[Function, ast.ClassDef]:
    """The methods of a class that are called by name alone: not marked, not special, without
    decorators that may register them somewhere."""
    if not isinstance(statement, ast.ClassDef):
        return {}
    return {
        node: statement
        for node in statement.body
        if isinstance(node, Function)
        and node not in marked
        and not (node.name.startswith("__") and node.name.endswith("__"))
        and all(decorator_name(d) in _PLAIN for d in node.decorator_list)
    }


def spoken(node: ast.AST, leave_out: frozenset[ast.AST]) -> Iterator[str]:
    """The names that a piece of code may ask an object for: its attributes, and strings that could
    be names, for `getattr`. Code in `leave_out` is not looked at."""
    stack: list[ast.AST] = [node]
    while stack:
        found = stack.pop()
        if found in leave_out:
            if isinstance(found, Function):
                # Those of nested steps are evaluated in the function around them.
                stack += [*found.args.defaults, *filter(None, found.args.kw_defaults)]
            continue
        match found:
            case ast.Attribute(attr=name):
                yield name
            case ast.Call(func=ast.Name(id=function), args=[_, *rest]) if function in _BY_NAME:
                if not rest or not isinstance(rest[0], ast.Constant):
                    yield ANY
            case ast.Constant(value=str(text)) if text.isidentifier():
                yield text
            case ast.MatchClass(kwd_attrs=names):
                yield from names
            case ast.ClassDef(body=body):
                # In a class body its methods go by their bare names.
                yield from (n.id for s in body for n in _bare(s))
        stack.extend(children(found))


def _bare(statement: ast.stmt) -> Iterator[ast.Name]:
    whole: Sequence[ast.AST] = [statement]
    if isinstance(statement, Function | ast.ClassDef):
        whole = statement.decorator_list
    yield from (n for part in whole for n in walk(part) if isinstance(n, ast.Name))
