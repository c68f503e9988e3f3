"""Which top-level names workflow code reaches, and how.

Starts at the workflows and follows every name used, through imports, into other modules of the
project. Step bodies are not followed: in workflow code a step is a call through the runtime. The
way to each name is remembered, because an error in a helper is understood only with it.
"""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from wfc.analyse.bans import BUILTINS
from wfc.analyse.effects import Effect
from wfc.analyse.externals import refusal
from wfc.analyse.forms import class_of, is_data
from wfc.analyse.functions import own_nodes
from wfc.analyse.members import ANY, BY_PROTOCOL, PLAIN_BASES, helpers, spoken
from wfc.analyse.modules import is_builtin
from wfc.analyse.names import Names, ProjectModule, ProjectName, Target, by_place
from wfc.analyse.scopes import (
    Found,
    ImportUse,
    StepUse,
    Use,
    method_uses,
    uses,
)
from wfc.model import External, Function, Key, Kind, Marked, Missing, Module, Reach, Reference
from wfc.parse.bindings import alias_keys

__all__ = ["Kept", "given_classes", "made_classes", "rewraps", "trial", "walk"]


@dataclass(frozen=True, eq=False)
class Kept:
    """An effect that workflow code keeps, and the imports that lead to its module from those of
    the workflows that see it."""

    effect: Effect
    imports: tuple[tuple[Module, int, ast.alias], ...] = ()


def walk(
    names: Names,
    marked: tuple[Marked, ...],
    also: Iterable[Key] = (),
    left_out: frozenset[ast.AST] = frozenset(),
    effects: Iterable[Kept] = (),
) -> Reach:
    """Everything reached from the workflows of `marked` and from the names in `also`.

    Expressions in `left_out` are not followed. The statements of `effects` are kept together with
    what they change.
    """
    walker = _Walker(names, marked, left_out, tuple(effects))
    for m in marked:
        if m.kind is Kind.WORKFLOW:
            walker.enter(m.key, None)
    for key in also:
        walker.enter(key, None)
    walker.run()
    return Reach(
        keep={
            m: frozenset(found)
            for m, found in sorted(walker.keep.items())
            if found or m in walker.loaded
        },
        loaded=frozenset(walker.loaded),
        aliases={place: frozenset(found) for place, found in walker.aliases.items()},
        edges={key: tuple(found) for key, found in walker.edges.items()},
        parents=walker.parents,
        references=tuple(walker.references),
        missing=tuple(walker.missing),
        undefined=tuple(walker.undefined),
        meaning=walker.meaning,
        dropped=frozenset(walker.helpers),
        decorated={step: frozenset(kept) for step, kept in walker.decorated.items()},
    )


class _Walker:
    def __init__(
        self,
        names: Names,
        marked: tuple[Marked, ...],
        left_out: frozenset[ast.AST],
        effects: tuple[Kept, ...] = (),
    ) -> None:
        self.names = names
        self.left_out = left_out
        self.stubs: frozenset[Function] = frozenset(m.node for m in marked if m.kind is Kind.STEP)
        self.queue: deque[Key] = deque()
        self.keep: dict[str, set[int]] = {}
        self.loaded: set[str] = set()  # modules that function bodies import
        self.aliases: dict[tuple[str, int], set[str]] = {}
        self.edges: dict[Key, dict[Key, None]] = {}
        self.parents: dict[Key, tuple[Key, int] | None] = {}
        self.references: list[Reference] = []
        self.missing: list[Missing] = []
        self.undefined: list[Missing] = []
        self.places = by_place(marked)
        self.marked = frozenset(m.node for m in marked)
        self.steps = {m.node: m for m in marked if m.kind is Kind.STEP}
        # Methods that nothing in workflow code has named so far, and the names it has spoken.
        self.helpers: dict[Function, tuple[Module, Key, ast.ClassDef]] = {}
        self.spoken: set[str] = set()
        self.meaning: dict[ast.AST, Marked | External] = {}
        self.effects = list(effects)
        self.decorated: dict[Function, set[int]] = {}

    def enter(self, key: Key, parent: tuple[Key, int] | None) -> None:
        if parent is not None:
            self.edges.setdefault(parent[0], {})[key] = None
        if key not in self.parents:
            self.parents[key] = parent
            self.queue.append(key)

    def run(self) -> None:
        while self.queue or self._call_helpers() or self._take_effects():
            while self.queue:
                key = self.queue.popleft()
                module = self.names.find(key[0])
                if module is not None:
                    for index in module.bindings.get(key[1], ()):
                        if not self._rewraps(module.tree.body[index], key):
                            self._statement(module, key, index)

    def _rewraps(self, statement: ast.stmt, key: Key) -> bool:
        """Whether it is `charge = retrying(charge)`, which is a decorator in other words: it takes
        effect where the step runs."""
        step = self.places.get(key)
        return step is not None and step.kind is Kind.STEP and rewraps(statement, key[1])

    def _take_effects(self) -> bool:
        """Keep what changes the names reached so far; whether there was any."""
        found = [e for e in self.effects if not self.parents.keys().isdisjoint(e.effect.keys)]
        for kept in found:
            self.effects.remove(kept)
            self._effect(kept)
        return bool(found)

    def _effect(self, kept: Kept) -> None:
        effect = kept.effect
        module, index = effect.module, effect.index
        line: int = getattr(effect.node, "lineno", 1)
        key = min(effect.keys & self.parents.keys())
        for home, place, alias in kept.imports:
            statement = home.tree.body[place]
            if isinstance(statement, ast.Import | ast.ImportFrom):
                self.keep.setdefault(home.name, set()).add(place)
                name = alias.asname or alias.name.partition(".")[0]
                keys = {alias.asname or alias.name}
                self.aliases.setdefault((home.name, place), set()).update(keys)
                target = self.names.imported(home, statement, name)
                if isinstance(target, ProjectName):
                    self._target(home, key, statement, target, statement)
        statement = module.tree.body[index]
        if isinstance(statement, Function) and statement in self.stubs:
            decorator = statement.decorator_list.index(effect.decorator)  # type: ignore[arg-type]
            self.decorated.setdefault(statement, set()).add(decorator)
            self._uses(module, key, uses(ast.Expr(statement.decorator_list[decorator])))
        bound = [name for name, places in module.bindings.items() if index in places]
        for name in bound:
            self.enter((module.name, name), (key, line))
        if not bound:
            self._statement(module, key, index)

    def _call_helpers(self) -> bool:
        """Follow the methods whose names have been spoken; whether there were any."""
        called = [
            method
            for method, (_, _, cls) in self.helpers.items()
            if method.name in self.spoken
            or (ANY in self.spoken and self.stubs.isdisjoint(cls.body))
        ]
        for method in called:
            module, owner, node = self.helpers.pop(method)
            self.spoken |= set(spoken(method, self.stubs))
            found = method_uses(node, method, self.stubs, self.left_out)
            self._uses(module, owner, found)
        return bool(called)

    def _statement(self, module: Module, owner: Key, index: int) -> None:
        statement = module.tree.body[index]
        self.keep.setdefault(module.name, set()).add(index)
        if isinstance(statement, ast.Import | ast.ImportFrom):
            # Reached by re-export; imports used in their own module are resolved by `_use`.
            kept = alias_keys(statement, owner[1])
            self.aliases.setdefault((module.name, index), set()).update(kept)
            target = self.names.imported(module, statement, owner[1])
            self._target(module, owner, statement, target, None)
            return
        own = helpers(statement, self.marked)
        if self.stubs.isdisjoint(getattr(statement, "body", ())):
            own = {m: cls for m, cls in own.items() if self._is_for_steps(module, cls, m)}
        self.helpers.update((method, (module, owner, node)) for method, node in own.items())
        skipped = self.left_out | frozenset(own)
        self.spoken |= set(spoken(statement, self.stubs | skipped))
        self._uses(module, owner, uses(statement, self.stubs, skipped))

    def _is_for_steps(self, module: Module, cls: ast.ClassDef, method: Function) -> bool:
        """Whether a method does itself what no workflow can do, and only the project's own code
        may call it."""
        if method.name in BY_PROTOCOL or not self._is_own(module, cls):
            return False
        for use in method_uses(cls, method, self.stubs, self.left_out):
            match use:
                case Use(name=name, attrs=attrs, binding=None):
                    target = self.names.of(module, name, attrs)
                    if target is None and name in BUILTINS:
                        return True
                case Use(name=name, attrs=attrs, binding=ast.stmt() as binding):
                    target = self.names.imported(module, binding, name, attrs)
                case _:
                    continue
            if isinstance(target, External) and refusal(target, frozenset()) is not None:
                return True
        return False

    def _is_own(self, module: Module, cls: ast.ClassDef, depth: int = 8) -> bool:
        """Whether no class from outside stands above one, whose methods may call those below."""
        for base in cls.bases:
            named = base.value if isinstance(base, ast.Subscript) else base
            if not isinstance(named, ast.Name) or not depth:
                return False
            match self.names.follow(self.names.of(module, named.id)):
                case External() as outside if str(outside) in PLAIN_BASES:
                    continue
                case ProjectName(key=key) if (home := self.names.find(key[0])) is not None:
                    above = [home.tree.body[i] for i in home.bindings.get(key[1], ())]
                    if all(
                        isinstance(a, ast.ClassDef) and self._is_own(home, a, depth - 1)
                        for a in above
                    ):
                        continue
                case None if named.id == "object":
                    continue
            return False
        return True

    def _uses(self, module: Module, owner: Key, found: list[Found]) -> None:
        for use in found:
            match use:
                case ImportUse():
                    self._import(module, owner, use)
                case StepUse():
                    self.meaning[use.node] = self.steps[use.function]
                case Use():
                    self._use(module, owner, use)

    def _import(self, module: Module, owner: Key, use: ImportUse) -> None:
        if isinstance(use.statement, ast.ImportFrom) and use.alias.name == "*":
            return  # only legal at top level, and there it binds no name we know
        name = use.alias.asname or use.alias.name.partition(".")[0]
        if isinstance(use.statement, ast.Import) and not use.alias.asname:
            parts = tuple(use.alias.name.split("."))
            target = self.names.imported(module, use.statement, name, parts[1:])
            if isinstance(target, External):
                target = External(use.alias.name)
        else:
            target = self.names.imported(module, use.statement, name)
        if use.guarded and not self._is_there(target):
            return  # workflow code gets the ImportError, and goes on as the `try` says
        if isinstance(target, ProjectModule) and self.names.find(target.name) is not None:
            self.loaded.add(target.name)
            self.keep.setdefault(target.name, set())
        self._target(module, owner, use.statement, target, None)

    def _is_there(self, target: Target) -> bool:
        if not isinstance(target, ProjectName):
            return isinstance(target, ProjectModule)
        home = self.names.find(target.key[0])
        return home is not None and target.key[1] in home.bindings

    def _use(self, module: Module, owner: Key, use: Use) -> None:
        if use.binding is not None:
            target = self.names.imported(module, use.binding, use.name, use.attrs)
            self._target(module, owner, use.node, target, use.binding)
            return
        importing = self.names.import_of(module, use.name)
        target = self.names.of(module, use.name, use.attrs)
        if importing is not None:
            self._keep_imports(module, use)
        if target is not None:
            self._target(module, owner, use.node, target, importing)
            return
        star = _star(module)
        if is_builtin(use.name):
            self.references.append(
                Reference(module, owner, use.node, External("builtins", use.name, use.attrs))
            )
        elif star is not None:
            self.missing.append(Missing(module, owner, use.node, "", use.name, star))
        else:
            self.undefined.append(Missing(module, owner, use.node, module.name, use.name))

    def _keep_imports(self, module: Module, use: Use) -> None:
        found: list[tuple[int, set[str]]] = []
        for index in module.bindings[use.name]:
            statement = module.tree.body[index]
            if isinstance(statement, ast.Import | ast.ImportFrom):
                found.append((index, alias_keys(statement, use.name, use.attrs)))
        dotted = ".".join([use.name, *use.attrs]) + "."
        exact = [f for f in found if any(dotted.startswith(key + ".") for key in f[1])]
        for index, keys in exact or found:
            self.keep.setdefault(module.name, set()).add(index)
            self.aliases.setdefault((module.name, index), set()).update(keys)

    def _target(
        self,
        module: Module,
        owner: Key,
        node: ast.AST,
        target: Target,
        imported: ast.stmt | None,
    ) -> None:
        line: int = getattr(node, "lineno", 1)
        self._remember(node, target)
        match target:
            case ProjectName(key=key):
                found = self.names.find(key[0])
                if found is not None and found.error is None and key[1] not in found.bindings:
                    place = imported if imported and _names(imported, key[1]) else node
                    star = _star(found)
                    self.missing.append(Missing(module, owner, place, key[0], key[1], star))
                    return
                if found is None and self.names.is_folder(key[0]):
                    place = imported if imported and _names(imported, key[1]) else node
                    self.missing.append(Missing(module, owner, place, key[0], key[1]))
                    return
                if key != owner:
                    self.enter(key, (owner, line))
                self._through(module, owner, node, target, imported)
            case ProjectModule(name=name):
                # The module itself is handed around: whatever it holds may be used.
                whole = self.names.find(name)
                for bound in whole.bindings if whole is not None and node is not imported else ():
                    if not isinstance(node, ast.Import | ast.ImportFrom):
                        self.enter((name, bound), (owner, line))
            case External():
                self.references.append(Reference(module, owner, node, target, imported))

    def _through(
        self,
        module: Module,
        owner: Key,
        node: ast.AST,
        target: ProjectName,
        imported: ast.stmt | None,
    ) -> None:
        """Follow `helpers.tools.run`, where `helpers` itself imports the module `tools`."""
        home = self.names.find(target.key[0])
        if home is None or self.names.import_of(home, target.key[1]) is None:
            return
        behind = self.names.of(home, target.key[1], target.rest)
        match behind:
            case ProjectName(key=key) if target.rest and key != target.key:
                self._target(module, owner, node, behind, imported)
            case ProjectModule() if not isinstance(node, ast.Import | ast.ImportFrom):
                self._target(module, owner, node, behind, imported)
            case External(module=name) if target.rest and not refusal(External(name), frozenset()):
                self.references.append(Reference(module, owner, node, behind, imported))

    def _remember(self, node: ast.AST, target: Target) -> None:
        match self.names.follow(target):
            case ProjectName(key=(module, name), rest=rest):
                if found := self.places.get((module, ".".join([name, *rest]))):
                    self.meaning[node] = found
            case External() as outside:
                self.meaning[node] = outside


def rewraps(statement: ast.stmt, name: str) -> bool:
    """Whether a statement replaces a function by what something makes of it."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=target)], value=ast.Call() as value):
            return target == name and any(
                isinstance(argument, ast.Name) and argument.id == name
                for argument in [*value.args, *(k.value for k in value.keywords)]
            )
    return False


def _names(imported: ast.stmt, name: str) -> bool:
    """Whether it is the import itself that asks for the name, and not a use of what it gave."""
    return isinstance(imported, ast.ImportFrom) and any(a.name == name for a in imported.names)


def _star(module: Module) -> ast.ImportFrom | None:
    for statement in module.tree.body:
        if isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*":
            return statement
    return None


def made_classes(names: Names, steps: Iterable[Marked]) -> tuple[Key, ...]:
    """The project classes of data that step bodies name: what they make may be written to a
    stream, or be in a result whose type the signature does not say."""
    return _data_named(names, steps, lambda m: None)


def given_classes(names: Names, steps: Iterable[Marked]) -> tuple[Key, ...]:
    """Those that step bodies name where they return or raise: the workflow gets instances."""
    return _data_named(names, steps, lambda m: frozenset(_given(m.node)))


def _given(function: Function) -> Iterator[ast.AST]:
    for node in own_nodes(function.body):
        if isinstance(node, ast.Return | ast.Raise | ast.Yield):
            yield from ast.walk(node)


def _data_named(
    names: Names, steps: Iterable[Marked], among: Callable[[Marked], frozenset[ast.AST] | None]
) -> tuple[Key, ...]:
    found: dict[Key, None] = {}
    for m in steps:
        nodes = among(m)
        for use in uses(m.node):
            if not isinstance(use, Use) or (nodes is not None and use.node not in nodes):
                continue
            key = class_of(names, m.module, use)
            if key is None and use.attrs:  # such as `Color.RED`
                key = class_of(names, m.module, replace(use, attrs=use.attrs[:-1]))
            if key is not None:
                found[key] = None
    return tuple(key for key in found if is_data(names, key))


def trial(
    names: Names,
    marked: tuple[Marked, ...],
    base: Reach,
    wanted: Iterable[Key],
    is_clean: Callable[[Reach, Reach], bool],
    left_out: frozenset[ast.AST] = frozenset(),
    effects: tuple[Kept, ...] = (),
) -> tuple[Reach, dict[Key, bool]]:
    """Add those of the wanted classes to what is reached that bring nothing forbidden along.

    A class that a step returns is of use in the workflow only if it is there, yet a signature
    alone is no reason to fail the build over, say, a model class that opens a database.
    """
    accepted: list[Key] = []
    found: dict[Key, bool] = {}
    asked = list(wanted)
    # All at once, and by halves where something is in the way: every try is a walk of its own.
    queue = [asked]
    while queue:
        group = [key for key in queue.pop() if key not in base.parents]
        if not group:
            continue
        grown = walk(names, marked, [*accepted, *group], left_out, effects)
        if is_clean(base, grown):
            accepted += group
            base = grown
        elif len(group) == 1:
            found[group[0]] = False
        else:
            middle = len(group) // 2
            queue += [group[middle:], group[:middle]]
    return base, {key: found.get(key, True) for key in asked}
