"""Reading syntax trees, and making nodes that stand where another node stood."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

__all__ = [
    "at",
    "awaiting",
    "call",
    "class_reads",
    "guard",
    "if_type_in",
    "in_parts",
    "is_placing",
    "no_arguments",
    "parsed",
    "plain_copy",
    "read_again",
    "type_in",
]


def parsed(source: str, filename: str = "<unknown>") -> ast.Module:
    """`ast.parse`, once more where the depth did not add up: all threads of a process count it
    together, and the memory that is freed meanwhile may let another one in."""
    with suppress(SystemError):
        return ast.parse(source, filename)
    return ast.parse(source, filename)


def at(node: Any, place: ast.AST) -> Any:
    """Return `node` with the position of `place`."""
    return ast.copy_location(node, place)


def guard(name: str, place: ast.AST) -> ast.expr:
    """A guard, whose name is no identifier."""
    made: ast.expr = at(ast.Name(name, ast.Load()), place)
    return made


def call(name: str, args: list[ast.expr], place: ast.AST) -> ast.Call:
    """A call of a guard."""
    made: ast.Call = at(ast.Call(guard(name, place), args, []), place)
    return made


def if_type_in(kinds: str, name: ast.Name, usual: ast.expr, otherwise: ast.expr) -> ast.IfExp:
    """`usual if type(name) in kinds else otherwise`: a guard is only called when needed."""
    made: ast.IfExp = at(ast.IfExp(type_in(kinds, name), usual, otherwise), name)
    return made


def type_in(kinds: str, name: ast.Name) -> ast.Compare:
    """`type(name) in kinds`, which executes nothing of the workflow's."""
    kind = call("$type", [read_again(name)], name)
    made: ast.Compare = at(ast.Compare(kind, [ast.In()], [guard(kinds, name)]), name)
    return made


def read_again(name: ast.Name) -> ast.expr:
    """Another node that reads the same variable."""
    made: ast.expr = at(ast.Name(name.id, ast.Load()), name)
    return made


def in_parts(node: ast.AugAssign, target: ast.Attribute) -> list[ast.stmt]:
    """`a.b += c` as a read, `+=` and a store, where `a` is evaluated once."""

    def name(known: str, context: ast.expr_context) -> ast.Name:
        return at(ast.Name(known, context), node)  # type: ignore[no-any-return]

    def part(context: ast.expr_context) -> ast.expr:
        made: ast.expr = at(ast.Attribute(name("$of", ast.Load()), target.attr, context), target)
        return made

    return [
        at(ast.Assign([name("$of", ast.Store())], target.value), node),
        at(ast.Assign([name("$part", ast.Store())], part(ast.Load())), node),
        at(ast.AugAssign(name("$part", ast.Store()), node.op, node.value), node),
        at(ast.Assign([part(ast.Store())], name("$part", ast.Load())), node),
        # Nothing is kept alive by this.
        at(ast.Delete([name("$of", ast.Del()), name("$part", ast.Del())]), node),
    ]


def no_arguments() -> ast.arguments:
    """The arguments of `lambda: …`."""
    return ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])


def is_placing(node: ast.AST) -> bool:
    """Whether it is `object.__setattr__(self, name, value)`, which frozen dataclasses write."""
    match node:
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id="object"), attr="__setattr__"),
            args=[_, _, _] as args,
            keywords=[],
        ):
            return not any(isinstance(arg, ast.Starred) for arg in args)
    return False


def plain_copy(node: ast.Call) -> ast.Attribute | None:
    """The `x.copy` of `x.copy()`, as of lists and dicts."""
    func = node.func
    if node.args or node.keywords or not isinstance(func, ast.Attribute):
        return None
    return func if func.attr == "copy" else None


def awaiting(node: ast.AST) -> ast.expr | None:
    """The `x` of `x.__await__()`, which classes write that can be awaited."""
    match node:
        case ast.Call(func=ast.Attribute(value=value, attr="__await__"), args=[], keywords=[]):
            return value
    return None


def class_reads(node: ast.AST) -> Iterator[ast.Attribute]:
    """The `x.__class__` right below `node` that ask for the name of a class, compare it, or make
    another object of it: `x.__class__.__name__`, `self.__class__(…)`, `a.__class__ is b.__class__`.
    """
    match node:
        case ast.Attribute(value=found, attr="__name__" | "__qualname__", ctx=ast.Load()):
            below = [found]
        case ast.Call(func=ast.Name(id="isinstance" | "issubclass"), args=args):
            below = [each for each in args if _is_of_variable(each)]
        case ast.Call(func=found):
            below = [found] if _is_of_variable(found) else []
        case ast.Compare(left=left, comparators=others):
            below = [each for each in (left, *others) if _is_of_variable(each)]
        case _:
            return
    for each in below:
        match each:
            case ast.Attribute(value=ast.Call(func=ast.Name(id="super"))):
                pass
            case ast.Attribute(attr="__class__"):
                yield each


def _is_of_variable(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
