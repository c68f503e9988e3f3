"""Uses of global names and imports in one statement, with their places.

Follows Python's scoping: parameters, assignments, comprehensions, class bodies that inner
functions do not see. `symtable` answers the same question without places, and the caret needs the
place; the tests hold the two together. Function annotations are not uses, because the bundle is
compiled with the `annotations` future flag; those of class bodies are, because dataclasses read
them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from wfc.model import Function
from wfc.nodes import children, walk
from wfc.parse.bindings import at_import, bound_names, guarded, running

__all__ = [
    "Found",
    "ImportUse",
    "StepUse",
    "Use",
    "annotation_uses",
    "expression_uses",
    "method_uses",
    "uses",
]


@dataclass(frozen=True)
class Use:
    """`name.attrs…` where `name` is not local; `node` is the whole expression.

    `binding` is the import statement inside the same function that binds the name, if one does.
    """

    name: str
    attrs: tuple[str, ...]
    node: ast.expr
    binding: ast.Import | ast.ImportFrom | None = None


@dataclass(frozen=True)
class ImportUse:
    """One name of an import statement that runs as part of the statement looked at."""

    statement: ast.Import | ast.ImportFrom
    alias: ast.alias
    guarded: bool = False  # in a `try` that goes on when the import fails


@dataclass(frozen=True)
class StepUse:
    """A name that stands for a step defined in the same statement: a nested one, or a method of
    `self`."""

    node: ast.expr
    function: Function


@dataclass
class _Scope:
    is_class: bool
    names: set[str]
    imports: dict[str, ast.Import | ast.ImportFrom] = field(default_factory=dict)
    outer: set[str] = field(default_factory=set)  # declared `global`
    steps: dict[str, Function] = field(default_factory=dict)  # of a class its step methods
    receivers: dict[str, dict[str, Function]] = field(default_factory=dict)  # `self`, `cls`


Found = Use | ImportUse | StepUse


def uses(
    statement: ast.stmt,
    stubs: frozenset[Function] = frozenset(),
    left_out: frozenset[ast.AST] = frozenset(),
) -> list[Found]:
    """Everything `statement`, at top level, takes from outside itself when it runs or is called.

    The functions in `stubs` (steps) take nothing: neither their bodies nor their defaults are
    evaluated here, except for the defaults of nested ones. What is in `left_out` is not looked
    at.
    """
    walker = _Walker(stubs, left_out)
    walker.visit(statement)
    return walker.found


def method_uses(
    node: ast.ClassDef,
    method: Function,
    stubs: frozenset[Function],
    left_out: frozenset[ast.AST] = frozenset(),
) -> list[Found]:
    """What one method of a class at top level takes from outside the class."""
    walker = _Walker(stubs, left_out)
    walker.scopes.append(_scope(True, node.body, stubs))
    walker.visit(method)
    return walker.found


def annotation_uses(function: Function) -> list[Found]:
    """The names in the annotations of a function's signature; strings are read as expressions."""
    a = function.args
    every = [*a.posonlyargs, *a.args, *a.kwonlyargs, *filter(None, (a.vararg, a.kwarg))]
    found = [arg.annotation for arg in every] + [function.returns]
    walker = _Walker(frozenset())
    for node in filter(None, found):
        walker.annotation(node)
    return walker.found


_OWN_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_LEAVES = (*_OWN_SCOPES, ast.expr)
_SPECIAL = {
    *_OWN_SCOPES,
    ast.ListComp,
    ast.SetComp,
    ast.GeneratorExp,
    ast.DictComp,
    ast.Import,
    ast.ImportFrom,
    ast.If,
    ast.Try,
    ast.AnnAssign,
    getattr(ast, "TypeAlias", ast.AnnAssign),  # Python 3.12
}
"""Nodes that are more than what is inside them."""


def expression_uses(annotation: ast.expr) -> list[Found]:
    """The names in one annotation; strings are read as expressions."""
    walker = _Walker(frozenset())
    walker.annotation(annotation)
    return walker.found


class _Walker:
    def __init__(
        self, stubs: frozenset[Function], left_out: frozenset[ast.AST] = frozenset()
    ) -> None:
        self.stubs = stubs
        self.left_out = left_out
        self.scopes: list[_Scope] = []
        self.guards = 0  # how many `try` around go on when an import fails
        self.found: list[Found] = []

    def visit(self, node: ast.AST) -> None:
        if node in self.left_out:
            return
        match node:
            case ast.Name(ctx=context):
                if isinstance(context, ast.Load):
                    self._name(node, (), node)
            case ast.Constant():
                return
            case ast.Attribute():
                self._attribute(node)
            case _ if type(node) not in _SPECIAL:
                for child in children(node):
                    self.visit(child)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._function(node)
            case ast.Lambda():
                self._defaults(node.args)
                self._inner(node.args, [node.body])
            case ast.ClassDef():
                self._class(node)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                self._comprehension(node)
            case ast.Import() | ast.ImportFrom():
                self.found += (ImportUse(node, alias, self.guards > 0) for alias in node.names)
            case ast.If() if (branch := self._branch(node)) is not None:
                if running(node) is not None:
                    self.visit(node.test)  # it stays in the text, unlike the other kind
                for statement in branch:
                    self.visit(statement)
            case ast.Try() if guarded(node):
                self._guarded(node)
            case ast.stmt() if type(node).__name__ == "TypeAlias":
                self._type_alias(node)
            case ast.AnnAssign():
                if self.scopes and self.scopes[-1].is_class:
                    self.annotation(node.annotation)
                self._children(node, skip="annotation")
            case _:
                self._children(node)

    def annotation(self, node: ast.expr) -> None:
        for inner in walk(node):
            if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                try:
                    parsed = ast.parse(inner.value, mode="eval").body
                except SyntaxError:
                    continue  # Literal["a b"]: a value, not a name
                for part in walk(parsed):
                    if isinstance(part, ast.expr):
                        ast.copy_location(part, inner)
                self.visit(parsed)
        self.visit(node)

    def _children(self, node: ast.AST, skip: str = "") -> None:
        for name, value in ast.iter_fields(node):
            if name == skip:
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    self.visit(child)

    def _function(self, node: Function) -> None:
        if node in self.stubs:
            # The default of a nested step may depend on the function around it, so it is
            # evaluated there; the others are left to the side where the step runs.
            if any(not scope.is_class for scope in self.scopes):
                self._defaults(node.args)
            return
        self._defaults(node.args)
        for decorator in node.decorator_list:
            self.visit(decorator)
        if any(isinstance(d, ast.Attribute) and d.attr == "register" for d in node.decorator_list):
            # `@f.register` of functools.singledispatch goes by the first one, or that after `self`.
            for arg in [*node.args.posonlyargs, *node.args.args][:2]:
                if arg.annotation is not None:
                    self.annotation(arg.annotation)
        receivers: dict[str, dict[str, Function]] = {}
        if self.scopes and self.scopes[-1].is_class and not _is_static(node):
            for arg in [*node.args.posonlyargs, *node.args.args][:1]:
                receivers = {arg.arg: self.scopes[-1].steps}
        params = getattr(node, "type_params", [])
        self._inner(node.args, node.body, params, receivers)

    def _branch(self, node: ast.If) -> Sequence[ast.stmt] | None:
        return running(node) if self.scopes else at_import(node)

    def _guarded(self, node: ast.Try) -> None:
        self.guards += 1
        for statement in node.body:
            self.visit(statement)
        self.guards -= 1
        self._children(node, skip="body")

    def _type_alias(self, node: ast.stmt) -> None:
        params = {p.name for p in getattr(node, "type_params", [])}  # Python 3.12
        self.scopes.append(_Scope(False, params))
        self.visit(getattr(node, "value", node))
        self.scopes.pop()

    def _defaults(self, args: ast.arguments) -> None:
        for default in [*args.defaults, *filter(None, args.kw_defaults)]:
            self.visit(default)

    def _inner(
        self,
        args: ast.arguments,
        body: list[ast.stmt] | list[ast.expr],
        params: Sequence[ast.AST] = (),
        receivers: dict[str, dict[str, Function]] | None = None,
    ) -> None:
        every = [*args.posonlyargs, *args.args, *args.kwonlyargs]
        every += filter(None, (args.vararg, args.kwarg))
        scope = _scope(False, body, self.stubs)
        # A `self` that is assigned to is a variable like others.
        scope.receivers = {n: m for n, m in (receivers or {}).items() if n not in scope.names}
        scope.names |= {a.arg for a in every} | {getattr(p, "name", "") for p in params}
        self._within(scope, body)

    def _class(self, node: ast.ClassDef) -> None:
        for decorator in node.decorator_list:
            self.visit(decorator)
        scope = _scope(True, node.body, self.stubs)
        params = {getattr(p, "name", "") for p in getattr(node, "type_params", [])}
        if params:
            self.scopes.append(_Scope(False, params))
        for part in [*node.bases, *(k.value for k in node.keywords)]:
            self.visit(part)
        self._within(scope, node.body)
        if params:
            self.scopes.pop()

    def _comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
    ) -> None:
        # The first iterable is evaluated outside.
        self.visit(node.generators[0].iter)
        names = {n for g in node.generators for n in bound_names(g.target)}
        rest: list[ast.AST] = [g.target for g in node.generators]
        rest += [test for g in node.generators for test in g.ifs]
        rest += [g.iter for g in node.generators[1:]]
        rest += [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self.scopes.append(_Scope(False, names))
        for part in rest:
            self.visit(part)
        self.scopes.pop()

    def _within(self, scope: _Scope, body: list[ast.stmt] | list[ast.expr]) -> None:
        self.scopes.append(scope)
        for child in body:
            self.visit(child)
        self.scopes.pop()

    def _attribute(self, node: ast.Attribute) -> None:
        attrs: list[str] = []
        root: ast.expr = node
        while isinstance(root, ast.Attribute):
            attrs.append(root.attr)
            root = root.value
        if isinstance(root, ast.Name):
            self._name(root, tuple(reversed(attrs)), node)
        else:
            self.visit(root)

    def _name(self, name: ast.Name, attrs: tuple[str, ...], node: ast.expr) -> None:
        for depth, scope in enumerate(reversed(self.scopes)):
            if name.id in scope.outer:
                break
            if scope.is_class and depth > 0:
                continue
            if name.id in scope.imports:
                self.found.append(Use(name.id, attrs, node, scope.imports[name.id]))
                return
            if name.id in scope.names:
                self.found += _local_step(scope, name, attrs, node)
                return
        self.found.append(Use(name.id, attrs, node))


def _local_step(
    scope: _Scope, name: ast.Name, attrs: tuple[str, ...], node: ast.expr
) -> Iterator[StepUse]:
    if not attrs and not scope.is_class and name.id in scope.steps:
        yield StepUse(node, scope.steps[name.id])
    elif len(attrs) == 1 and attrs[0] in scope.receivers.get(name.id, {}):
        yield StepUse(node, scope.receivers[name.id][attrs[0]])


def _is_static(function: Function) -> bool:
    return any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in function.decorator_list)


def _scope(
    is_class: bool, body: list[ast.stmt] | list[ast.expr], stubs: frozenset[Function]
) -> _Scope:
    scope = _Scope(is_class, set())
    bound: list[str] = []
    hopeful: set[ast.AST] = set()  # imports that may fail
    unbound: set[str] = set()
    for statement in body:
        bound += bound_names(statement)
        for node in _statements(statement):
            match node:
                case ast.Global(names=names):
                    scope.outer |= set(names)
                case ast.Nonlocal(names=names):
                    unbound |= set(names)
                case ast.Try() if guarded(node):
                    hopeful |= {inner for part in node.body for inner in _statements(part)}
                case ast.Import() | ast.ImportFrom() if node not in hopeful:
                    scope.imports.update((name, node) for name in bound_names(node))
                case ast.FunctionDef() | ast.AsyncFunctionDef() if node in stubs:
                    scope.steps[node.name] = node
    scope.names = set(bound) - unbound
    scope.steps = {name: step for name, step in scope.steps.items() if bound.count(name) == 1}
    return scope


def _statements(node: ast.AST) -> list[ast.AST]:
    """The statements of one scope, and what they are made of down to their expressions."""
    found: list[ast.AST] = []
    stack = [node]
    while stack:
        node = stack.pop()
        found.append(node)
        if not isinstance(node, _LEAVES):
            stack += reversed(children(node))
    return found
