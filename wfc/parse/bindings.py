"""Which names a piece of syntax binds in its own scope."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from wfc.nodes import children, walk

__all__ = [
    "alias_keys",
    "at_import",
    "bindings",
    "bound_names",
    "exported",
    "guarded",
    "is_type_checking",
    "known_version",
    "running",
    "typing_only",
]


def bound_names(node: ast.AST) -> list[str]:
    """Names bound by `node` in the scope it stands in; bodies of inner scopes are not entered."""
    found: list[str] = []
    _bound(node, found)
    return found


def _bound(node: ast.AST, found: list[str]) -> None:
    match node:
        case ast.Name():
            if not isinstance(node.ctx, ast.Load):
                found.append(node.id)
            return
        case ast.Constant() | ast.Lambda():
            return
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            found.append(node.name)
            return
        case ast.Import() | ast.ImportFrom():
            found += [a.asname or a.name.partition(".")[0] for a in node.names if a.name != "*"]
            return
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            # Their targets are their own, but `:=` inside binds outside.
            for inner in walk(node):
                if isinstance(inner, ast.NamedExpr):
                    _bound(inner.target, found)
            return
        case ast.ExceptHandler(name=str(name)):
            found.append(name)
        case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            found.append(name)
        case ast.MatchMapping(rest=str(name)):
            found.append(name)
    for child in children(node):
        _bound(child, found)


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
    return isinstance(statement, ast.If) and not statement.orelse and running(statement) == []


def running(statement: ast.If) -> Sequence[ast.stmt] | None:
    """The branch of an `if` about `TYPE_CHECKING` that runs; None for other tests."""
    match statement.test:
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
            return statement.orelse
        case ast.UnaryOp(
            op=ast.Not(),
            operand=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"),
        ):
            return statement.body
    return None


def known_version(test: ast.expr) -> bool | None:
    """What `sys.version_info >= (3, 12)` gives on the oldest Python that this package supports;
    None for other tests.

    Of the two branches workflow code gets the one for older versions, whatever a worker runs on: it
    works on the newer ones as well, and a run may go on with another version.
    """
    match test:
        case ast.Compare(
            left=ast.Attribute(value=ast.Name(id="sys"), attr="version_info"),
            ops=[ast.GtE() | ast.Lt() as operator],
            comparators=[ast.Tuple(elts=items)],
        ) if test.lineno == test.end_lineno:
            wanted = [i.value for i in items if isinstance(i, ast.Constant)]
            if len(wanted) == len(items) and all(isinstance(w, int) for w in wanted):
                return isinstance(operator, ast.GtE) is (tuple(wanted) <= _OLDEST)
    return None


_OLDEST = (3, 11)
_CATCH_IMPORTS = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}


def guarded(statement: ast.stmt) -> bool:
    """Whether a statement is a `try` that goes on when an import in its body fails."""
    if not isinstance(statement, ast.Try):
        return False
    for handler in statement.handlers:
        caught = handler.type
        kinds = caught.elts if isinstance(caught, ast.Tuple) else [caught]
        for kind in kinds:
            if kind is None or (isinstance(kind, ast.Name) and kind.id in _CATCH_IMPORTS):
                return not any(isinstance(s, ast.Raise) for s in handler.body)
    return False


def bindings(tree: ast.Module) -> Mapping[str, tuple[int, ...]]:
    """Top-level names and the indexes of the statements of `tree.body` that bind them."""
    found: dict[str, list[int]] = {}
    for index, statement in enumerate(tree.body):
        for name in _bound_by_running(statement):
            places = found.setdefault(name, [])
            if not places or places[-1] != index:
                places.append(index)
    return {name: tuple(places) for name, places in found.items()}


def _bound_by_running(statement: ast.stmt) -> Iterator[str]:
    branch = at_import(statement) if isinstance(statement, ast.If) else None
    if branch is None:
        yield from bound_names(statement)
    else:
        for inner in branch:
            yield from _bound_by_running(inner)


def at_import(statement: ast.If) -> Sequence[ast.stmt] | None:
    """The branch of an `if` at the top of a module that runs; None where it cannot be known."""
    known = known_version(statement.test)
    if known is not None:
        return statement.body if known else statement.orelse
    return running(statement)


def typing_only(tree: ast.Module) -> Mapping[str, ast.Import | ast.ImportFrom]:
    """Names imported under `if TYPE_CHECKING:`."""
    found: dict[str, ast.Import | ast.ImportFrom] = {}
    for statement in tree.body:
        if isinstance(statement, ast.If) and running(statement) is statement.orelse:
            for inner in _imports(statement.body):
                found.update((name, inner) for name in bound_names(inner))
    return found


def _imports(body: Sequence[ast.stmt]) -> Iterator[ast.Import | ast.ImportFrom]:
    yield from (s for s in body if isinstance(s, ast.Import | ast.ImportFrom))


def exported(tree: ast.Module) -> set[str] | None:
    """The names that `__all__` lists, as far as they are written down; None without `__all__`.

    Lists and tuples of strings, sums of them, `+=`, `extend` and `append` are read.
    """
    found: set[str] | None = None
    for statement in tree.body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id="__all__")], value=value)
                | ast.AnnAssign(target=ast.Name(id="__all__"), value=ast.expr() as value)
            ):
                found = set(_strings(value))
            case ast.AugAssign(target=ast.Name(id="__all__"), op=ast.Add(), value=value):
                found = (found or set()) | set(_strings(value))
            case ast.Expr(
                value=ast.Call(
                    func=ast.Attribute(value=ast.Name(id="__all__"), attr="extend" | "append"),
                    args=[value],
                )
            ):
                found = (found or set()) | set(_strings(value))
    return found


def _strings(value: ast.expr) -> Iterator[str]:
    match value:
        case ast.Constant(value=str(text)):
            yield text
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            for item in items:
                yield from _strings(item)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            yield from _strings(left)
            yield from _strings(right)
        case ast.Starred(value=inner):
            yield from _strings(inner)
