"""By which names a module can call `str`, as far as its text tells (`textpolicy.py`).

Too many are no mistake: a call by such a name takes a little longer. Methods, which are most of
what is called, are not among them.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

__all__ = ["attributes", "bundled", "variables"]

_NOT_BUNDLED = sys.stdlib_module_names | {"pydantic", "typing_extensions", "workflow"}

# What can be called is none of these.
_DATA = (
    ast.BinOp,
    ast.Compare,
    ast.Constant,
    ast.Dict,
    ast.DictComp,
    ast.JoinedStr,
    ast.List,
    ast.ListComp,
    ast.Set,
    ast.SetComp,
)


def variables(tree: ast.AST) -> Iterator[str]:
    """The variables that may stand for `str`: what is assigned to, parameters, and what comes out
    of other modules of the bundle."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield name
            case ast.MatchAs(name=str(name)):
                yield name
    yield from bundled(tree)


def bundled(tree: ast.AST) -> Iterator[str]:
    """The names that stand for modules of the bundle, or for what comes out of them."""
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=module, names=names, level=level):
                if level or str(module).partition(".")[0] not in _NOT_BUNDLED:
                    yield from (each.asname or each.name for each in names)
                else:  # typing.Text is str
                    yield from (each.asname or "Text" for each in names if each.name == "Text")
            case ast.Import(names=names):
                for each in names:
                    first = each.name.partition(".")[0]
                    if first not in _NOT_BUNDLED:
                        yield each.asname or first


def attributes(tree: ast.AST) -> Iterator[str]:
    """The attributes that `str` may be put under: those that are assigned to, and fields."""
    yield "Text"  # of typing
    data = set(_data(tree))
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr=name, ctx=ast.Store()) if node not in data:
                yield name
            case ast.ClassDef(body=body):
                yield from _fields(body, data)
            case ast.Call(func=ast.Name(id="setattr"), args=[_, ast.Constant(value=str(name)), *_]):
                yield name
            case ast.Call(keywords=keywords):  # of a class with such a field
                yield from (each.arg for each in keywords if each.arg and _is_str(each.value))


def _data(tree: ast.AST) -> Iterator[ast.expr]:
    """The targets of assignments of what cannot be called."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=targets, value=value) if isinstance(value, _DATA):
                yield from targets
            case ast.AnnAssign(target=target, value=value) if isinstance(value, _DATA):
                yield target
            case ast.AugAssign(target=target):
                yield target


def _fields(body: list[ast.stmt], data: set[ast.expr]) -> Iterator[str]:
    for statement in body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name
            case ast.Assign(targets=targets):
                for target in targets:
                    if target not in data:
                        yield from _names_in(target)


def _names_in(target: ast.expr) -> Iterator[str]:
    return (part.id for part in ast.walk(target) if isinstance(part, ast.Name))


def _is_str(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "str"
