"""Through which names a bundle sets attributes, as far as that can be seen in its text."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator

__all__ = ["OF_CLASSES", "handed_on", "new_attributes", "sets_attributes", "written"]

OF_CLASSES = frozenset({"ClassVar", "Final"})
"""Annotations of what the class has, and not its objects: pydantic takes `Final` for `ClassVar`."""


def sets_attributes(tree: ast.AST) -> bool:
    """Whether anything below a node sets or deletes an attribute of whatever object."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(ctx=ast.Store() | ast.Del()):
                return True
            case ast.Name(id="setattr" | "delattr") | ast.Attribute(attr="__setattr__"):
                return True
    return False


def written(trees: Iterable[ast.Module]) -> set[str] | None:
    """The names through which attributes are set or deleted, such as `Order` and `total` in
    `Order.total.seen = 1`; None when it could be those of any class."""
    found: set[str] = set()
    classes = {"cls"}  # what may stand for any class
    for tree in trees:
        for node in ast.walk(tree):
            match node:
                case ast.FunctionDef(decorator_list=[_, *_], args=ast.arguments(args=[first, *_])):
                    if any(_is_classmethod(each) for each in node.decorator_list):
                        classes.add(first.arg)
                    continue
                case (
                    ast.Assign(targets=[ast.Name(id=name)], value=value)
                    | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
                    | ast.NamedExpr(target=ast.Name(id=name), value=value)
                ):
                    if _is_type_of(value):
                        classes.add(name)
                    continue
                case ast.Attribute(value=target, ctx=ast.Store() | ast.Del()):
                    pass
                case ast.Call(func=ast.Name(id="setattr" | "delattr"), args=[target, *_]):
                    pass
                case _:
                    continue
            while isinstance(target, ast.Attribute):
                found.add(target.attr)
                target = target.value
            match target:
                case ast.Name(id=name):
                    found.add(name)
                case ast.Call(func=ast.Name(id="type")):
                    return None
    return None if found & classes else found


def _is_classmethod(node: ast.expr) -> bool:
    return any(isinstance(each, ast.Name) and each.id == "classmethod" for each in ast.walk(node))


def _is_type_of(node: ast.expr) -> bool:
    return any(
        isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id == "type"
        for each in ast.walk(node)
    )


def new_attributes(trees: Iterable[ast.Module]) -> set[str]:
    """The variables whose objects get attributes that no class of the bundle has as a field, as in
    `kind.label = "x"`: such an object may well be a class. `*` stands for what is no variable."""
    nodes = [node for tree in trees for node in ast.walk(tree)]
    fields: set[str] = set()
    functions: set[str] = set()
    for node in nodes:
        match node:
            case ast.ClassDef(body=body):
                for each in body:
                    match each:
                        case ast.AnnAssign(target=ast.Name(id=name), annotation=kind):
                            if not _is_of_class(kind):
                                fields.add(name)
            case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store()):
                fields.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                functions.add(name)
    found: set[str] = set()
    for node in nodes:
        match node:
            case ast.Attribute(value=target, attr=name, ctx=ast.Store() | ast.Del()):
                pass
            case ast.Call(
                func=ast.Name(id="setattr" | "delattr"),
                args=[target, ast.Constant(value=str(name)), *_],
            ):
                pass
            case ast.Call(func=ast.Name(id="setattr" | "delattr"), args=[target, *_]):
                name = ""
            case _:
                continue
        variable = target.id if isinstance(target, ast.Name) else "*"
        if name not in fields and variable not in functions | {"self"}:
            found.add(variable)
    return found


def _is_of_class(kind: ast.expr) -> bool:
    return any(
        getattr(node, "id", getattr(node, "attr", "")) in OF_CLASSES for node in ast.walk(kind)
    )


def handed_on(tree: ast.AST, is_harmless: Callable[[ast.expr], bool]) -> Iterator[ast.Name]:
    """The names below a node whose values get another name, or a place in a container, or go to a
    function. `is_harmless` says of a function that it keeps and changes nothing."""
    match tree:
        case ast.Name(ctx=ast.Load()):
            yield tree
            return
        case ast.Call(func=function, args=args, keywords=keywords):
            given = [*args, *(each.value for each in keywords)]
            parts = [function, *(_inner(given) if is_harmless(function) else given)]
            if isinstance(function, ast.Name):
                parts = parts[1:]
        case ast.Attribute(value=value) | ast.Raise(exc=ast.expr() as value):
            parts = _inner([value])
        case ast.Subscript(value=value, slice=index):
            parts = [*_inner([value]), *_inner([index])]
        case ast.Compare(left=left, comparators=others):
            parts = _inner([left, *others])
        case ast.AnnAssign(value=found):
            parts = [] if found is None else [found]
        case ast.arg():
            return
        case ast.MatchClass(patterns=patterns, kwd_patterns=more):
            yield from _below([*patterns, *more], is_harmless)
            return
        case (
            ast.For(body=body, orelse=orelse, iter=source)
            | ast.AsyncFor(body=body, orelse=orelse, iter=source)
        ):
            yield from _below([*_looped(source), *body, *orelse], is_harmless)
            return
        case ast.comprehension(iter=source, ifs=conditions):
            yield from _below([*_looped(source), *conditions], is_harmless)
            return
        case ast.ExceptHandler(body=body):
            yield from _below(body, is_harmless)
            return
        case ast.ClassDef(body=body):
            yield from _below(body, is_harmless)
            return
        case ast.FunctionDef(body=body, args=spec) | ast.AsyncFunctionDef(body=body, args=spec):
            yield from _below([spec, *body], is_harmless)
            return
        case _:
            yield from _below(ast.iter_child_nodes(tree), is_harmless)
            return
    yield from _below(parts, is_harmless)


def _below(parts: Iterable[ast.AST], is_harmless: Callable[[ast.expr], bool]) -> Iterator[ast.Name]:
    for part in parts:
        yield from handed_on(part, is_harmless)


def _looped(source: ast.expr) -> list[ast.expr]:
    # The members of an enum; `for` gives them to a variable that others look after.
    return [] if isinstance(source, ast.Name) else [source]


def _inner(parts: Iterable[ast.expr]) -> list[ast.expr]:
    """What stands where names, and tuples of names, only are looked at."""
    return [
        each
        for part in parts
        for each in (part.elts if isinstance(part, ast.Tuple) else [part])
        if not isinstance(each, ast.Name)
    ]
