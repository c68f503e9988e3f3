"""What an expression in workflow code stands for, as far as the text tells.

`program.reach.meaning` knows workflows, steps and what is outside of the project. This adds the
functions of the project and those inside of functions, what a parameter is bound to where a helper
is drawn, and the steps that a table or a variable may hold.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from wfc.analyse.names import Names, ProjectName, Target
from wfc.analyse.scopes import Use, uses
from wfc.model import External, Function, Kind, Marked, Module, Program
from wfc.nodes import children, walk

__all__ = ["Callee", "Candidate", "Resolver", "Scope", "names_of", "own_nodes"]

_DEPTH = 4  # how many bindings are followed from a variable to the steps it may hold


@dataclass(frozen=True, eq=False)
class Scope:
    """A function while it is drawn. `top` is the top-level statement it is in.

    `bound` maps parameters to the arguments of the call that is drawn, each with its own scope.
    """

    module: Module
    top: ast.stmt
    function: Function
    parent: Scope | None = None
    owner: ast.ClassDef | None = None
    bound: Mapping[str, tuple[ast.expr, Scope]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Callee:
    """A function of the project that is not a step."""

    module: Module
    top: ast.stmt
    node: Function
    parent: Scope | None = None
    owner: ast.ClassDef | None = None

    @property
    def name(self) -> str:
        """The name as it is shown."""
        return f"{self.owner.name}.{self.node.name}" if self.owner else self.node.name


@dataclass(frozen=True, eq=False)
class Candidate:
    """One of the functions a call may reach. `label` is its key in the table, or its name."""

    label: str
    what: Marked | Callee


def names_of(program: Program) -> Names:
    """Names resolved over the modules that the analysis has read."""
    folders = {".".join(n.split(".")[:i]) for n in program.modules for i in range(n.count(".") + 1)}
    return Names(program.modules.get, folders.__contains__)


def own_nodes(function: Function) -> Iterator[ast.AST]:
    """The nodes of a function's body, without those of functions and classes inside it."""
    stack: list[ast.AST] = list(reversed(function.body))
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            stack.extend(reversed(children(node)))


class Resolver:
    """Answers for one program; remembers what it found."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.names = names_of(program)
        self.steps = {m.node: m for m in program.of(Kind.STEP)}
        self._uses: dict[ast.stmt, dict[ast.AST, Target]] = {}
        self._methods: dict[str, list[Callee]] | None = None
        self._own: dict[Function, tuple[ast.AST, ...]] = {}
        self._bound: dict[Function, dict[str, list[ast.expr]]] = {}
        self._inner: dict[Function, dict[str, Function]] = {}
        self.touching: dict[ast.AST, bool | list[Callee]] = {}  # filled by `inline.touches`

    def own(self, function: Function) -> tuple[ast.AST, ...]:
        """`own_nodes`, listed once: every name of a function is looked for among them."""
        found = self._own.get(function)
        if found is None:
            found = self._own[function] = tuple(own_nodes(function))
        return found

    def meaning(self, node: ast.AST) -> Marked | External | None:
        """The workflow, step or external that an expression names."""
        return self.program.reach.meaning.get(node)

    def target(self, scope: Scope, node: ast.AST) -> Target:
        """What a name from outside of the function stands for; None for local ones."""
        found = self._uses.get(scope.top)
        if found is None:
            found = self._uses[scope.top] = {}
            for use in uses(scope.top, frozenset(self.steps)):
                if isinstance(use, Use):
                    found[use.node] = self._target(scope.module, use)
        return found.get(node)

    def callee(self, scope: Scope, func: ast.expr) -> Marked | Callee | None:
        """The function that a call of `func` runs, where exactly one is meant."""
        found = self.meaning(func)
        if isinstance(found, Marked):
            return found
        if isinstance(func, ast.Name) and (local := self._local(scope, func.id)):
            return local
        match self.target(scope, func):
            case ProjectName(key=(module_name, name), rest=rest):
                return self._defined(self.program.modules.get(module_name), name, rest)
        if isinstance(func, ast.Attribute) and self.target(scope, func) is None:
            methods = self.methods(scope, func)
            return methods[0] if len(methods) == 1 else None
        return None

    def methods(self, scope: Scope, func: ast.Attribute) -> list[Marked | Callee]:
        """The methods of the project that `something.name()` may be; `self.name` is one's own."""
        if self._methods is None:
            self._methods = {}
            for module, index in self._kept():
                top = module.tree.body[index]
                if isinstance(top, ast.ClassDef):
                    for method in _functions(top.body):
                        callee = Callee(module, top, method, None, top)
                        self._methods.setdefault(method.name, []).append(callee)
        found = self._methods.get(func.attr, [])
        if isinstance(func.value, ast.Name) and func.value.id in ("self", "cls") and scope.owner:
            found = [c for c in found if c.owner is scope.owner] or found
        return [self.steps.get(c.node, c) for c in found]

    def candidates(self, scope: Scope, node: ast.AST, depth: int = _DEPTH) -> list[Candidate]:
        """The steps and functions that an expression may hold, each once, in source order."""
        found: dict[object, Candidate] = {}
        for candidate in self._candidates(scope, node, depth):
            what = candidate.what
            found.setdefault(what if isinstance(what, Marked) else what.node, candidate)
        return list(found.values())

    def _candidates(self, scope: Scope, node: ast.AST, depth: int) -> Iterator[Candidate]:
        match node:
            case ast.Name() | ast.Attribute():
                yield from self._named(scope, node, depth)
            case ast.Dict():
                for key, value in zip(node.keys, node.values, strict=True):
                    for c in self._candidates(scope, value, depth):
                        text = repr(key.value) if isinstance(key, ast.Constant) else ""
                        yield Candidate(text or c.label, c.what)
            case ast.Subscript():
                yield from self._candidates(scope, node.value, depth)
            case ast.Call(func=func):
                yield from self._made(scope, func)
                if isinstance(func, ast.Attribute):  # TOOLS.get(name), TOOLS.values()
                    yield from self._candidates(scope, func.value, depth)
                for argument in node.args:  # partial(step, 1)
                    yield from self._candidates(scope, argument, depth)
            case ast.Constant() | ast.Lambda() | ast.Await():
                return
            case _:
                for child in children(node):
                    yield from self._candidates(scope, child, depth)

    def _named(
        self, scope: Scope, node: ast.Name | ast.Attribute, depth: int
    ) -> Iterator[Candidate]:
        found = self.meaning(node)
        if isinstance(found, Marked):
            yield Candidate(found.node.name, found)
            return
        if isinstance(node, ast.Name) and (local := self._local(scope, node.id)):
            yield Candidate(node.id, local)
            return
        if depth == 0:
            return
        match self.target(scope, node):
            case ProjectName(key=(module_name, name), rest=rest):
                yield from self._behind(module_name, name, rest, depth)
                return
        root: ast.expr = node
        while isinstance(root, ast.Attribute):
            root = root.value
        if isinstance(root, ast.Name):
            for value, where in self._bindings(scope, root.id):
                yield from self._candidates(where, value, depth - 1)

    def _made(self, scope: Scope, func: ast.expr) -> Iterator[Candidate]:
        """The steps defined inside of a factory that is called."""
        made = self.callee(scope, func)
        if isinstance(made, Callee):
            for node in self.own(made.node):
                if isinstance(node, Function) and (step := self.steps.get(node)):
                    yield Candidate(node.name, step)

    def _behind(
        self, module_name: str, name: str, rest: tuple[str, ...], depth: int
    ) -> Iterator[Candidate]:
        module = self.program.modules.get(module_name)
        defined = self._defined(module, name, rest)
        if defined is not None:
            yield Candidate(rest[-1] if rest else name, defined)
            return
        for index in module.bindings.get(name, ()) if module else ():
            statement = module.tree.body[index] if module else None
            if module and isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value:
                inside = Scope(module, statement, _NOWHERE)
                yield from self._candidates(inside, statement.value, depth - 1)

    def _bindings(self, scope: Scope, name: str) -> Iterator[tuple[ast.expr, Scope]]:
        """What a local variable is bound to: the value assigned, or what a loop runs over."""
        if name in scope.bound:
            yield scope.bound[name]
        known = self._bound.get(scope.function)
        if known is None:
            known = self._bound[scope.function] = _bound_in(self.own(scope.function))
        for value in known.get(name, ()):
            yield value, scope
        if scope.parent is not None:
            yield from self._bindings(scope.parent, name)

    def _local(self, scope: Scope | None, name: str) -> Marked | Callee | None:
        while scope is not None:
            inner = self._inner.get(scope.function)
            if inner is None:
                found = [n for n in self.own(scope.function) if isinstance(n, Function)]
                inner = self._inner[scope.function] = {n.name: n for n in reversed(found)}
            if (node := inner.get(name)) is not None:
                return self.steps.get(node) or Callee(scope.module, scope.top, node, scope)
            scope = scope.parent
        return None

    def _defined(
        self, module: Module | None, name: str, rest: tuple[str, ...]
    ) -> Marked | Callee | None:
        for index in module.bindings.get(name, ()) if module else ():
            top = module.tree.body[index] if module else None
            if module is None or top is None:
                continue
            match top, rest:
                case ((ast.FunctionDef() | ast.AsyncFunctionDef()), ()):
                    return self.steps.get(top) or Callee(module, top, top)
                case ast.ClassDef(), (method,):
                    for node in _functions(top.body):
                        if node.name == method:
                            return self.steps.get(node) or Callee(module, top, node, None, top)
        return None

    def _target(self, module: Module, use: Use) -> Target:
        if use.binding is not None:
            found = self.names.imported(module, use.binding, use.name, use.attrs)
        else:
            found = self.names.of(module, use.name, use.attrs)
        if found is None:
            return External("builtins", use.name, use.attrs)
        return self.names.follow(found)

    def _kept(self) -> Iterator[tuple[Module, int]]:
        for module in self.program.bundled:
            for index in sorted(self.program.reach.keep[module.name]):
                yield module, index


_NOWHERE = ast.FunctionDef(
    name="",
    args=ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[]),
    body=[],
    decorator_list=[],
)


def _functions(body: Iterable[ast.stmt]) -> Iterator[Function]:
    return (n for n in body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))


def _bound_in(nodes: Iterable[ast.AST]) -> dict[str, list[ast.expr]]:
    """What each variable of a function is bound to, in source order."""
    found: dict[str, list[ast.expr]] = {}
    for node in nodes:
        match node:
            case ast.Assign(targets=targets, value=value):
                names = {name for t in targets for name in (*_stored(t), *_holders(t))}
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                names = set(_stored(target))
            case ast.NamedExpr(target=target, value=value):
                names = set(_stored(target))
            case ast.For(target=target, iter=value) | ast.comprehension(target=target, iter=value):
                names = set(_stored(target))
            case _:
                continue
        for name in names:
            found.setdefault(name, []).append(value)
    return found


def _stored(target: ast.AST) -> Iterator[str]:
    for node in walk(target):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def _holders(target: ast.AST) -> Iterator[str]:
    """The variable into whose value something is put."""
    match target:
        case ast.Subscript(value=ast.Name(id=found)):
            yield found
