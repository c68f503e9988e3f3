"""What the client mode of a module has to hold, decided on names alone.

Annotations are never evaluated in a client module, so what only they name is for type checkers.
At run time there are the workflows, and the classes of the same file that signatures name, with
what these need: an application makes instances of them. Steps that come along with a class refuse
to run, and so none of their code is needed.
"""

from __future__ import annotations

import ast
import copy
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from wfc.analyse.scopes import Found, Use, annotation_uses, expression_uses, uses
from wfc.model import Function, Key, Kind, Marked, Module, Program
from wfc.nodes import walk
from wfc.parse.bindings import alias_keys, bound_names, is_type_checking

__all__ = ["ClientPlan", "Kept", "client_plan"]

Kept = Mapping[int, frozenset[str] | None]
"""Top-level statements by index; for imports the names to keep of them, None for all."""


@dataclass(frozen=True)
class ClientPlan:
    """Client mode of one module.

    `runtime`: statements that run; `typing`: all that annotations need, for type checkers;
    `package`: where relative imports start; `workflows` and `steps`: ids by qualified name;
    `data`: classes kept with their fields, not only for their workflows; `classes`: the classes
    whose instances may travel, as (id, module, name), with no module for those of this file.
    """

    path: str
    package: str
    workflows: Mapping[str, str]
    steps: Mapping[str, str]
    runtime: Kept
    typing: Kept
    data: frozenset[str]
    classes: tuple[tuple[str, str | None, str], ...]

    def to_text(self) -> str:
        """A canonical text of the plan."""
        kept = [
            {str(index): None if names is None else sorted(names) for index, names in part.items()}
            for part in (self.runtime, self.typing)
        ]
        named = [dict(self.workflows), dict(self.steps), sorted(self.data), self.classes]
        return json.dumps([self.path, self.package, *kept, *named], sort_keys=True)


def client_plan(program: Program, module: Module) -> ClientPlan:
    """The plan for a module that has workflows."""
    workflows = [m for m in program.marked_in(module) if m.kind is Kind.WORKFLOW]
    steps = [m for m in program.marked_in(module) if m.kind is Kind.STEP]
    search = _Search(module, [*workflows, *steps])
    for m in workflows:
        search.need(_named(annotation_uses(m.node)))
        search.need(name for other in _overloads(module, m) for name in _declared(other))
    search.run()
    travelling = _travelling(program, workflows, search.mentioned)
    own = {m.key for m in workflows}
    search.need(
        name for home, name in travelling if home == module.name and (home, name) not in own
    )
    search.run()
    return ClientPlan(
        path=module.path,
        package=module.name if module.is_package else module.name.rpartition(".")[0],
        workflows={m.qualname: m.id for m in workflows},
        steps={m.qualname: m.id for m in steps},
        runtime=_frozen(search.runtime),
        typing=_frozen(search.typing),
        data=frozenset(search.data),
        classes=tuple(
            (f"class//{program.modules[home].path}//{name}", None if own_file else home, name)
            for home, name in travelling
            if not (own_file := home == module.name) or name in search.data
        ),
    )


def _overloads(module: Module, workflow: Marked) -> list[ast.stmt]:
    """The other definitions of the same name beside it."""
    name, _, method = workflow.qualname.partition(".")
    found = [module.tree.body[index] for index in module.bindings.get(name, ())]
    if method:
        found = [s for c in found if isinstance(c, ast.ClassDef) for s in c.body]
    return [
        s
        for s in found
        if isinstance(s, ast.FunctionDef | ast.AsyncFunctionDef)
        and s.name == (method or name)
        and s is not workflow.node
    ]


class _Search:
    """Follows names through the statements of a module, for type checkers and for run time."""

    def __init__(self, module: Module, marked: Iterable[Marked]) -> None:
        self.module = module
        self.stubs = frozenset(m.node for m in marked)
        self.functions = {m.qualname for m in marked}
        self.places = _places(module)
        self.runtime: dict[int, set[str] | None] = {}
        self.typing: dict[int, set[str] | None] = {}
        self.data: set[str] = set()
        self.mentioned: set[str] = set()
        self._queue: list[tuple[str, bool]] = []
        self._seen: set[tuple[str, bool]] = set()

    def need(self, names: Iterable[str], *, runs: bool = False) -> None:
        self._queue += ((name, runs) for name in names)

    def run(self) -> None:
        while self._queue:
            wanted = self._queue.pop()
            if wanted not in self._seen:
                self._seen.add(wanted)
                self._find(*wanted)

    def _find(self, name: str, runs: bool) -> None:
        self.mentioned.add(name)
        places = self.places.get(name, ())
        if not places and not runs:
            places = [i for i, s in enumerate(self.module.tree.body) if _is_star(s)]
        for index in places:
            statement = self.module.tree.body[index]
            kept = self.runtime if runs else self.typing
            if is_type_checking(statement):
                self._part(self.typing, index, {name})
                self.need(_named(uses(_body_of(statement, name))))
            elif isinstance(statement, ast.Import | ast.ImportFrom):
                self._part(kept, index, alias_keys(statement, name))
                self.mentioned |= {a.name for a in statement.names if a.asname == name}
            else:
                kept[index] = None
                self._whole(statement, runs)

    def _part(self, kept: dict[int, set[str] | None], index: int, names: set[str]) -> None:
        known = kept.setdefault(index, set())
        if known is not None:
            known |= names

    def _whole(self, statement: ast.stmt, runs: bool) -> None:
        if runs:
            if statement not in self.stubs:
                self.need(_named(uses(statement, self.stubs)), runs=True)
            self.need(_declared(statement))
            return
        self.need(_declared(statement))
        if isinstance(statement, ast.ClassDef):
            self.data.add(statement.name)
            self.need([statement.name], runs=True)


def _places(module: Module) -> dict[str, list[int]]:
    found = {name: list(indexes) for name, indexes in module.bindings.items()}
    for index, statement in enumerate(module.tree.body):
        if is_type_checking(statement):
            for name in bound_names(statement):
                found.setdefault(name, []).append(index)
    return found


def _is_star(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*"


def _body_of(statement: ast.stmt, name: str) -> ast.stmt:
    """What binds `name` in a type-checking block, as a block of its own."""
    assert isinstance(statement, ast.If)
    body = [s for s in statement.body if name in bound_names(s)]
    return ast.If(test=ast.Constant(value=True), body=body, orelse=[])


def _declared(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement needs in a stub, where functions have no bodies."""
    for node in walk(statement):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from _named(annotation_uses(node))
            case ast.AnnAssign(annotation=annotation):
                yield from _named(expression_uses(annotation))
    yield from _named(uses(_bare(statement)))


def _bare(node: ast.stmt) -> ast.stmt:
    """The statement with functions that do nothing; what it holds besides is shared."""
    changes: dict[str, object] = {}
    if isinstance(node, Function):
        args = copy.copy(node.args)
        args.defaults, args.kw_defaults = [], []
        changes = {"args": args, "body": [ast.Pass()]}
    else:
        for name in ("body", "orelse", "finalbody", "handlers", "cases"):
            inner = getattr(node, name, None)
            if isinstance(inner, list):
                changes[name] = [_bare(part) for part in inner]
    if not changes:
        return node
    made = copy.copy(node)
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def _named(found: list[Found]) -> Iterator[str]:
    yield from (use.name for use in found if isinstance(use, Use))


def _frozen(kept: Mapping[int, set[str] | None]) -> Kept:
    return {i: None if names is None else frozenset(names) for i, names in sorted(kept.items())}


def _travelling(program: Program, workflows: Iterable[Marked], mentioned: set[str]) -> list[Key]:
    """The classes that arguments and results may hold: reached by the workflows, or of a name
    that their signatures mention. One too many does no harm, it is looked up when needed."""
    names = set(mentioned)
    for m in workflows:
        names |= {part.attr for part in _signature(m.node) if isinstance(part, ast.Attribute)}
    queue = [m.key for m in workflows] + [key for key in program.classes if key[1] in names]
    seen = set(queue)
    while queue:
        for key in program.reach.edges.get(queue.pop(), ()):
            if key not in seen:
                seen.add(key)
                queue.append(key)
    return sorted(seen & program.classes.keys())


def _signature(function: Function) -> Iterator[ast.AST]:
    yield from walk(function.args)
    if function.returns is not None:
        yield from walk(function.returns)
