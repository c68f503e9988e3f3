"""Which top-level statements workflow code keeps for what they change.

A registry that decorators fill, or a table that gets entries below its definition, is empty unless
those statements run as well. They are kept wherever that is possible; what cannot run in workflow
code is `lost`, and a rule says so.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from wfc.analyse.effect_parts import dotted, hands_back
from wfc.analyse.effects import Effect, Effects
from wfc.analyse.names import Names, ProjectModule, ProjectName
from wfc.analyse.reach import Kept, walk
from wfc.model import External, Function, Key, Kind, Lost, Marked, Module, Reach
from wfc.nodes import walk as walk_nodes

__all__ = ["Keeper"]

_Imports = tuple[tuple[Module, int, ast.alias], ...]
_HARMLESS = ("logging", "structlog", "loguru", "warnings")
"""Whose objects are set up for the whole process: a workflow does without."""


class Keeper:
    """Decides for one project. `obstacle` says what of a grown reach cannot be, if anything.

    `modules` are those that are known; `glimpses` also finds the others, which are not part of the
    program until something of them is kept.
    """

    def __init__(
        self,
        names: Names,
        glimpses: Names,
        modules: Callable[[], Iterable[Module]],
        obstacle: Callable[[Reach, Reach], str],
        left_out: frozenset[ast.AST],
    ) -> None:
        self._names = names
        self._glimpses = glimpses
        self._modules = modules
        self._obstacle = obstacle
        self._left_out = left_out
        self._effects = Effects(glimpses)
        self._loads: dict[str, set[str]] = {}
        self.kept: tuple[Kept, ...] = ()
        self._lost: dict[Effect, Lost] = {}

    def settle(self, marked: tuple[Marked, ...], base: Reach, also: Iterable[Key] = ()) -> Reach:
        """`base`, grown by the statements that change what is in it. `also` is what `base` was
        made with."""
        extra = list(also)
        self._lost.clear()
        steps = frozenset(m.node for m in marked if m.kind is Kind.STEP)
        while pending := self._pending(base, steps):
            possible = []
            for effect in pending:
                keys = effect.keys & base.parents.keys()
                why, imports = self._placed(effect, keys, base, marked, steps)
                if why:
                    self._lose(effect, keys, why)
                else:
                    possible.append(Kept(effect, imports))
            if not possible:
                continue
            grown = self._walk(marked, extra, possible)
            if not self._obstacle(base, grown):
                self.kept += tuple(possible)
                base = grown
                continue
            for kept in possible:
                grown = self._walk(marked, extra, [kept])
                if why := self._obstacle(base, grown):
                    self._lose(kept.effect, kept.effect.keys & base.parents.keys(), why)
                else:
                    self.kept += (kept,)
                    base = grown
        return replace(base, lost=tuple(self._lost.values()))

    def _walk(self, marked: tuple[Marked, ...], also: list[Key], more: list[Kept]) -> Reach:
        effects = [*self.kept, *more]
        return walk(self._names, marked, also, self._left_out, effects)

    def _pending(self, base: Reach, steps: frozenset[Function]) -> list[Effect]:
        """The effects on what is reached about which nothing is decided yet."""
        decided = {kept.effect for kept in self.kept} | self._lost.keys()
        found: list[Effect] = []
        for module in self._around(base):
            keep = base.keep.get(module.name, frozenset())
            for effect in self._effects.of(module):
                if effect in decided or base.parents.keys().isdisjoint(effect.keys):
                    continue
                statement = module.tree.body[effect.index]
                if effect.index in keep and not _leaves_decorator(statement, effect, steps):
                    continue
                if effect.is_call and self._is_set_up(effect, effect.keys & base.parents.keys()):
                    continue
                found.append(effect)
        return found

    def _around(self, base: Reach) -> list[Module]:
        """The known modules, and those that are loaded with the ones workflow code is in."""
        found = {module.name: module for module in self._modules()}
        todo = [found[name] for name in base.keep if name in found]
        while todo:
            module = todo.pop()
            loads = self._loads.get(module.name)
            if loads is None:
                loads = self._loads[module.name] = {
                    name for part in module.tree.body for _, name in self._imported(module, part)
                }
            for name in sorted(loads - found.keys()):
                other = self._glimpses.find(name)
                if other is not None:
                    found[name] = other
                    todo.append(other)
        return list(found.values())

    def _is_set_up(self, effect: Effect, keys: Iterable[Key]) -> bool:
        """Whether a method nobody knows is called on nothing that a workflow would see changed:
        on functions, and on what the whole process shares, such as loggers."""
        return all(self._shared(key) for key in keys)

    def _shared(self, key: Key) -> bool:
        home = self._names.find(key[0])
        for index in home.bindings.get(key[1], ()) if home is not None else ():
            statement = home.tree.body[index] if home is not None else None
            match statement:
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    continue
                case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value):
                    root = value
                    while isinstance(root, ast.Call | ast.Attribute):
                        root = root.func if isinstance(root, ast.Call) else root.value
                    if home is not None and isinstance(root, ast.Name):
                        target = self._names.follow(self._names.of(home, root.id))
                        if isinstance(target, External) and (
                            target.module.partition(".")[0] in _HARMLESS
                        ):
                            continue
            return False
        return True

    def _placed(
        self,
        effect: Effect,
        keys: frozenset[Key],
        base: Reach,
        marked: tuple[Marked, ...],
        steps: frozenset[Function],
    ) -> tuple[str, _Imports]:
        """Why an effect cannot be kept, or the imports that are kept with it."""
        statement = effect.module.tree.body[effect.index]
        if statement in steps and effect.decorator is not None:
            maker = self._effects.decorating(effect.module, effect.decorator)
            if maker is None or not hands_back(maker):
                return "what a decorator makes of a step takes effect where the step runs", ()
        elif isinstance(statement, ast.ClassDef) and _on_method(statement, effect.node, steps):
            return "the decorators of a step method take effect where the step runs", ()
        for node in walk_nodes(statement) if not _is_definition(statement) else ():
            if isinstance(node, ast.Attribute) and node.attr.startswith("__"):
                return f"it uses the special attribute {node.attr}", ()
        if self._is_of_module(effect):
            return "the names of a module can only be changed by the code in it", ()
        imports: dict[tuple[str, int, str], tuple[Module, int, ast.alias]] = {}
        for key in keys:
            if key[0] == effect.module.name or effect.module.name in base.loaded:
                continue
            for workflow in _readers(base, marked, key):
                path = self._path(workflow.module, effect.module)
                if path is None:
                    name = effect.module.name
                    return f"nothing that {workflow.module.path} imports leads to {name}", ()
                imports |= {(m.name, index, a.name): (m, index, a) for m, index, a in path}
        return "", tuple(imports.values())

    def _is_of_module(self, effect: Effect) -> bool:
        """Whether it sets a name of another module, as in `rates.EUR = 2`."""
        if not isinstance(effect.node, ast.Attribute) or effect.decorator is not None:
            return False
        root, attrs = dotted(effect.node.value)
        if root is None or isinstance(effect.node.ctx, ast.Load):
            return False
        owner = self._glimpses.follow(self._glimpses.of(effect.module, root.id, attrs))
        return isinstance(owner, ProjectModule)

    def _path(self, start: Module, wanted: Module) -> list[tuple[Module, int, ast.alias]] | None:
        """The imports from one module to another, through modules of the project."""
        ways: dict[str, list[tuple[Module, int, ast.alias]]] = {start.name: []}
        todo = [start]
        while todo:
            module = todo.pop(0)
            if module.name == wanted.name:
                return ways[module.name]
            for index, statement in enumerate(module.tree.body):
                for alias, name in self._imported(module, statement):
                    found = self._glimpses.find(name)
                    if found is not None and name not in ways:
                        ways[name] = [*ways[module.name], (module, index, alias)]
                        todo.append(found)
        return None

    def _imported(self, module: Module, statement: ast.stmt) -> Iterator[tuple[ast.alias, str]]:
        for alias, name in self._loaded(module, statement):
            parts = name.split(".")
            for end in range(len(parts), 0, -1):  # a module is loaded after its packages
                yield alias, ".".join(parts[:end])

    def _loaded(self, module: Module, statement: ast.stmt) -> Iterator[tuple[ast.alias, str]]:
        if isinstance(statement, ast.Import):
            yield from ((alias, alias.name) for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            for alias in statement.names:
                if alias.name == "*":
                    continue
                # The package itself binds the name, so that it is no question of what it means.
                part = f"{self._glimpses.absolute(module, statement)}.{alias.name}"
                if self._glimpses.find(part) is not None:
                    yield alias, part
                    continue
                target = self._glimpses.imported(module, statement, alias.asname or alias.name)
                if isinstance(target, ProjectModule):
                    yield alias, target.name
                elif isinstance(target, ProjectName):
                    yield alias, target.key[0]

    def _lose(self, effect: Effect, keys: Iterable[Key], why: str) -> None:
        on = getattr(effect.module.tree.body[effect.index], "name", "")
        key = min(keys)
        place = effect.decorator or effect.node
        self._lost[effect] = Lost(effect.module, place, key, why, effect.decorator, on)


def _is_definition(statement: ast.stmt) -> bool:
    return isinstance(statement, Function | ast.ClassDef)


def _leaves_decorator(statement: ast.stmt, effect: Effect, steps: frozenset[Function]) -> bool:
    """Whether a kept statement loses what has the effect: a step leaves its decorators behind."""
    if statement in steps:
        return effect.decorator is not None
    return isinstance(statement, ast.ClassDef) and _on_method(statement, effect.node, steps)


def _on_method(statement: ast.ClassDef, node: ast.AST, steps: frozenset[Function]) -> bool:
    return any(
        part is node
        for inner in statement.body
        if isinstance(inner, Function) and inner in steps
        for decorator in inner.decorator_list
        for part in walk_nodes(decorator)
    )


def _readers(base: Reach, marked: tuple[Marked, ...], key: Key) -> Iterator[Marked]:
    """The workflows that see what a name holds."""
    above: dict[Key, list[Key]] = {}
    for user, used in base.edges.items():
        for name in used:
            above.setdefault(name, []).append(user)
    seen = {key}
    todo = [key]
    while todo:
        for user in above.get(todo.pop(), ()):
            if user not in seen:
                seen.add(user)
                todo.append(user)
    yield from (m for m in marked if m.kind is Kind.WORKFLOW and m.key in seen)
