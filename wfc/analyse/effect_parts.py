"""Small questions about definitions and assignments, for those who follow what code changes."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.model import Function
from wfc.nodes import children, walk
from wfc.parse.bindings import bound_names

__all__ = [
    "arguments",
    "assigned",
    "by_name",
    "decorator_of",
    "dotted",
    "hands_back",
    "is_script",
    "names_bound",
    "parameters",
    "run_by",
    "shares",
]


def hands_back(function: Function) -> bool:
    """Whether a decorator, or the factory of one, gives back the function that it got."""
    inner = [n for n in walk(function) if isinstance(n, Function)]
    made = {n.name for n in inner if n is not function}
    for node in inner:
        given = set(parameters(node)) - {"self", "cls"}
        stored = {
            n.id for n in walk(node) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)
        }
        returns = [n for n in _own(node) if isinstance(n, ast.Return)]
        for found in returns:
            match found.value:
                case ast.Name(id=name) if name in made | (given - stored):
                    continue
                case ast.Call(func=ast.Name(id=name)) if name in made:
                    continue
            return False
        if not returns:
            return False
    return True


def _own(function: Function) -> Iterator[ast.AST]:
    todo: list[ast.AST] = [*function.body]
    while todo:
        node = todo.pop()
        yield node
        if not isinstance(node, Function | ast.Lambda | ast.ClassDef):
            todo += children(node)


def run_by(node: Function | ast.ClassDef | ast.Lambda) -> list[ast.AST]:
    """What of a definition runs where it stands."""
    if isinstance(node, ast.ClassDef):
        keywords = [k.value for k in node.keywords]
        return [*node.decorator_list, *node.bases, *keywords, *node.body]
    decorators = [] if isinstance(node, ast.Lambda) else node.decorator_list
    return [*decorators, *node.args.defaults, *filter(None, node.args.kw_defaults)]


def assigned(node: ast.AST) -> Iterator[tuple[list[ast.expr], ast.expr]]:
    match node:
        case ast.Assign(targets=targets, value=value):
            yield targets, value
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            yield [target], value
        case ast.For(target=target, iter=value) | ast.comprehension(target=target, iter=value):
            yield [target], value
        case ast.NamedExpr(target=target, value=value):
            yield [target], value
        case ast.With(items=items):
            for item in items:
                if item.optional_vars is not None:
                    yield [item.optional_vars], item.context_expr


def names_bound(node: ast.AST) -> list[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            return [name]
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return [node.name]
        case ast.Import() | ast.ImportFrom():
            return bound_names(node)
        case ast.ExceptHandler(name=str(name)):
            return [name]
    return []


def parameters(function: Function | ast.Lambda) -> list[str]:
    a = function.args
    every = [*a.posonlyargs, *a.args, *a.kwonlyargs, *filter(None, (a.vararg, a.kwarg))]
    return [arg.arg for arg in every]


def arguments(call: ast.Call) -> list[tuple[int | str, ast.expr]]:
    found: list[tuple[int | str, ast.expr]] = list(enumerate(call.args))
    return found + [(k.arg or "", k.value) for k in call.keywords]


def by_name(
    function: Function | ast.Lambda,
    is_method: bool,
    arguments: list[tuple[int | str, ast.expr]],
) -> Iterator[tuple[str, ast.expr]]:
    """The arguments by the parameters they go to; of a method `self` is not among them."""
    names = [a.arg for a in [*function.args.posonlyargs, *function.args.args]]
    decorators = [] if isinstance(function, ast.Lambda) else function.decorator_list
    if is_method and not any(
        isinstance(d, ast.Name) and d.id == "staticmethod" for d in decorators
    ):
        names = names[1:]
    rest = function.args.vararg
    for place, argument in arguments:
        if isinstance(place, str):
            yield place, argument
        elif place < len(names):
            yield names[place], argument
        elif rest is not None:
            yield rest.arg, argument


def decorator_of(statement: ast.stmt, node: ast.AST) -> ast.expr | None:
    for decorator in getattr(statement, "decorator_list", []):
        if any(inner is node for inner in walk(decorator)):
            found: ast.expr = decorator
            return found
    return None


def dotted(node: ast.expr) -> tuple[ast.Name | None, tuple[str, ...]]:
    attrs: list[str] = []
    while isinstance(node, ast.Attribute):
        attrs.append(node.attr)
        node = node.value
    return (node if isinstance(node, ast.Name) else None), tuple(reversed(attrs))


def is_script(statement: ast.stmt) -> bool:
    """Whether a statement is `if __name__ == "__main__":`, which is not for importers."""
    match statement:
        case ast.If(test=ast.Compare(left=ast.Name(id="__name__"))):
            return True
    return False


def shares(node: ast.ClassDef) -> bool:
    """Whether a class holds a list or a table that its instances share."""
    displays = ast.List | ast.Dict | ast.Set | ast.Call
    return not node.decorator_list and any(
        isinstance(s, ast.Assign | ast.AnnAssign) and isinstance(s.value, displays)
        for s in node.body
    )
