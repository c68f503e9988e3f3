"""Which names a piece of syntax binds in its own scope."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

__all__ = ["alias_keys", "bindings", "bound_names", "is_type_checking", "typing_only"]

_COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def bound_names(node: ast.AST) -> Iterator[str]:
    """Names bound by `node` in the scope it stands in; bodies of inner scopes are not entered."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield node.name
            return
        case ast.Lambda():
            return
        case ast.Import() | ast.ImportFrom():
            yield from (a.asname or a.name.partition(".")[0] for a in node.names if a.name != "*")
            return
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            yield name
        case ast.ExceptHandler(name=str(name)):
            yield name
        case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name
        case ast.MatchMapping(rest=str(name)):
            yield name
    if isinstance(node, _COMPREHENSIONS):
        # Their targets are their own, but `:=` inside binds outside.
        for inner in ast.walk(node):
            if isinstance(inner, ast.NamedExpr):
                yield from bound_names(inner.target)
        return
    for child in ast.iter_child_nodes(node):
        yield from bound_names(child)


def alias_keys(
    statement: ast.Import | ast.ImportFrom, name: str, attrs: tuple[str, ...] = ()
) -> set[str]:
    """Which parts of an import statement a use of `name.attrs` needs, by what they are called in
    it.

    `import a.b` and `import a.c` both bind `a`: the attributes say which is meant. Where they do
    not, all that bind the name are given.
    """
    found = {
        alias.asname or alias.name
        for alias in statement.names
        if (alias.asname or alias.name.partition(".")[0]) == name
    }
    dotted = ".".join([name, *attrs]) + "."
    return {key for key in found if dotted.startswith(key + ".")} or found


def is_type_checking(statement: ast.stmt) -> bool:
    """Whether a statement is `if TYPE_CHECKING:` without an else, which never runs."""
    match statement:
        case ast.If(test=ast.Name(id="TYPE_CHECKING"), orelse=[]):
            return True
        case ast.If(test=ast.Attribute(attr="TYPE_CHECKING"), orelse=[]):
            return True
    return False


def bindings(tree: ast.Module) -> Mapping[str, tuple[int, ...]]:
    """Top-level names and the indexes of the statements of `tree.body` that bind them."""
    found: dict[str, list[int]] = {}
    for index, statement in enumerate(tree.body):
        if is_type_checking(statement):
            continue
        for name in bound_names(statement):
            places = found.setdefault(name, [])
            if not places or places[-1] != index:
                places.append(index)
    return {name: tuple(places) for name, places in found.items()}


def typing_only(tree: ast.Module) -> Mapping[str, ast.Import | ast.ImportFrom]:
    """Names imported under `if TYPE_CHECKING:`."""
    found: dict[str, ast.Import | ast.ImportFrom] = {}
    for statement in tree.body:
        if is_type_checking(statement):
            for inner in _imports(statement.body if isinstance(statement, ast.If) else []):
                found.update((name, inner) for name in bound_names(inner))
    return found


def _imports(body: Sequence[ast.stmt]) -> Iterator[ast.Import | ast.ImportFrom]:
    yield from (s for s in body if isinstance(s, ast.Import | ast.ImportFrom))
