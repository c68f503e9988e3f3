"""What binds a name in one scope, and in which scopes a name is looked up.

The raw material of `types.py`: nothing is evaluated here.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from wfc.model import Function
from wfc.nodes import children, walk
from wfc.parse.bindings import bound_names

__all__ = [
    "Binding",
    "Changed",
    "Declared",
    "Defined",
    "Entered",
    "Imported",
    "Item",
    "Opaque",
    "Parameter",
    "Scope",
    "Value",
    "added_to",
    "bindings_of",
    "parents_in",
    "scopes_around",
]

_COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
Scope = (
    ast.FunctionDef
    | ast.AsyncFunctionDef
    | ast.ClassDef
    | ast.Lambda
    | ast.ListComp
    | ast.SetComp
    | ast.DictComp
    | ast.GeneratorExp
)


@dataclass(frozen=True)
class Value:
    """`name = value`; `path` leads through the tuples of an unpacking."""

    value: ast.expr
    path: tuple[int, ...] = ()


@dataclass(frozen=True)
class Declared:
    """`name: annotation = value`."""

    annotation: ast.expr
    value: ast.expr | None


@dataclass(frozen=True)
class Item:
    """`for name in iterated`."""

    iterated: ast.expr
    path: tuple[int, ...] = ()


@dataclass(frozen=True)
class Entered:
    """`with manager as name`."""

    manager: ast.expr


@dataclass(frozen=True)
class Imported:
    """An import statement inside a function."""

    statement: ast.Import | ast.ImportFrom


@dataclass(frozen=True)
class Parameter:
    """A parameter: its annotation, and `"*"` or `"**"` in `stars`."""

    annotation: ast.expr | None
    stars: str = ""


@dataclass(frozen=True)
class Defined:
    """A function or class statement."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Changed:
    """`name op= value`."""

    op: ast.operator
    value: ast.expr


@dataclass(frozen=True)
class Opaque:
    """Bound in a way nothing is said about."""


Binding = Value | Declared | Item | Entered | Imported | Parameter | Defined | Changed | Opaque
_OPAQUE = Opaque()


def parents_in(tree: ast.AST) -> dict[ast.AST, ast.AST]:
    """The parent of every node below `tree`."""
    found: dict[ast.AST, ast.AST] = {}
    stack = [tree]
    while stack:
        node = stack.pop()
        for child in children(node):
            found[child] = node
            stack.append(child)
    return found


def scopes_around(parents: Mapping[ast.AST, ast.AST], node: ast.AST) -> Iterator[Scope]:
    """The scopes in which a name used at `node` is looked up, innermost first."""
    in_class_body = True
    below: list[ast.AST] = [node]
    while (around := parents.get(below[-1])) is not None:
        if isinstance(around, Scope) and _is_inside(around, below):
            # A class body's names are seen by the body alone, not by its functions.
            if not isinstance(around, ast.ClassDef) or in_class_body:
                yield around
            in_class_body = isinstance(around, _COMPREHENSIONS) and in_class_body
        below.append(around)


def _is_inside(scope: Scope, below: Sequence[ast.AST]) -> bool:
    """Whether the part of `scope` that `below` came from is evaluated inside it."""
    child = below[-1]
    if isinstance(scope, _COMPREHENSIONS):
        first = scope.generators[0]
        return not (child is first and len(below) > 1 and below[-2] is first.iter)
    if isinstance(scope, ast.Lambda):
        return child is scope.body
    return child in scope.body


def bindings_of(scope: Scope | ast.Module) -> dict[str, list[Binding]]:
    """Everything that binds a name in `scope` itself."""
    found: dict[str, list[Binding]] = {}
    if isinstance(scope, _COMPREHENSIONS):
        for part in scope.generators:
            _unpack(found, part.target, part.iter, (), Item)
        return found
    if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        _parameters(found, scope.args)
    body = [scope.body] if isinstance(scope, ast.Lambda) else scope.body
    for node in _own_nodes(body):
        _binding(found, node)
    for node in walk(scope):
        # A function further in, or this one, writes to a name that is not its own.
        if isinstance(node, ast.Global | ast.Nonlocal):
            for name in node.names:
                found.setdefault(name, []).append(_OPAQUE)
    return found


def _parameters(found: dict[str, list[Binding]], args: ast.arguments) -> None:
    for arg in [*args.posonlyargs, *args.args, *args.kwonlyargs]:
        found[arg.arg] = [Parameter(arg.annotation)]
    for starred, stars in ((args.vararg, "*"), (args.kwarg, "**")):
        if starred is not None:
            found[starred.arg] = [Parameter(starred.annotation, stars)]


def _own_nodes(body: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """The nodes of one scope, without those of the scopes inside it."""
    for node in body:
        yield node
        if isinstance(node, _COMPREHENSIONS):
            # Their targets are their own, but `:=` inside binds outside.
            yield from (n for n in walk(node) if isinstance(n, ast.NamedExpr))
        elif not isinstance(node, Scope):
            yield from _own_nodes(children(node))


def _binding(found: dict[str, list[Binding]], node: ast.AST) -> None:
    match node:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                _unpack(found, target, value, (), Value)
        case ast.NamedExpr(target=target, value=value):
            _unpack(found, target, value, (), Value)
        case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=given):
            found.setdefault(name, []).append(Declared(annotation, given))
        case ast.AugAssign(target=ast.Name(id=name), op=op, value=value):
            found.setdefault(name, []).append(Changed(op, value))
        case ast.For(target=target, iter=iterated) | ast.AsyncFor(target=target, iter=iterated):
            _unpack(found, target, iterated, (), Item)
        case ast.withitem(context_expr=manager, optional_vars=ast.Name(id=name)):
            found.setdefault(name, []).append(Entered(manager))
        case ast.withitem(optional_vars=ast.expr() as target):
            for name in bound_names(target):
                found.setdefault(name, []).append(_OPAQUE)
        case ast.Import() | ast.ImportFrom():
            for name in bound_names(node):
                found.setdefault(name, []).append(Imported(node))
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            found.setdefault(node.name, []).append(Defined(node))
        case ast.ExceptHandler() | ast.MatchAs() | ast.MatchStar() | ast.MatchMapping():
            bound = node.rest if isinstance(node, ast.MatchMapping) else node.name
            if bound is not None:
                found.setdefault(bound, []).append(_OPAQUE)


def _unpack(
    found: dict[str, list[Binding]],
    target: ast.expr,
    source: ast.expr,
    path: tuple[int, ...],
    make: type[Value] | type[Item],
) -> None:
    match target:
        case ast.Name(id=name):
            found.setdefault(name, []).append(make(source, path))
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            starred = any(isinstance(e, ast.Starred) for e in elements)
            for index, element in enumerate(elements):
                if starred:
                    for name in bound_names(element):
                        found.setdefault(name, []).append(_OPAQUE)
                else:
                    _unpack(found, element, source, (*path, index), make)


def added_to(scope: Function | ast.Module, name: str) -> list[ast.expr]:
    """What `name.add(...)` and `name.append(...)` put into a container."""
    found = []
    for node in walk(scope):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=owner), attr="add" | "append"), args=[value]
            ) if owner == name:
                found.append(value)
    return found
