"""What the top level of a module changes besides binding names: registries that decorators fill,
tables that get entries, attributes of classes, and all of it inside of functions that are called
there.

An answer says which top-level names may hold a changed object. It errs on the side of a change:
whoever asks keeps a statement more, which does no harm.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from wfc.analyse.effect_parts import (
    arguments,
    assigned,
    by_name,
    decorator_of,
    dotted,
    is_script,
    names_bound,
    parameters,
    run_by,
    shares,
)
from wfc.analyse.functions import MUTATORS
from wfc.analyse.names import Names, ProjectName
from wfc.model import External, Function, Key, Module
from wfc.nodes import children, walk
from wfc.parse.bindings import at_import, bound_names

__all__ = ["Effect", "Effects"]

# fmt: off
_EXTERNAL_MUTATORS = {
    "bisect.insort", "bisect.insort_left", "bisect.insort_right", "builtins.delattr",
    "builtins.setattr", "heapq.heapify", "heapq.heappop", "heapq.heappush", "heapq.heappushpop",
    "heapq.heapreplace", "operator.delitem", "operator.iadd", "operator.ior", "operator.setitem",
    "random.shuffle",
}
_SAME_PARTS = {
    "cast", "enumerate", "filter", "getattr", "iter", "list", "map", "max", "min", "next",
    "reversed", "sorted", "tuple", "vars", "zip",
}
_READERS = {"get", "items", "keys", "setdefault", "values"}
_WORDS_ABOUT = {"__annotations__", "__doc__", "__module__"}
_MAKERS = ("__new__", "__init__", "__post_init__")
# fmt: on

Ref = Key | str
"""What an object is held by: a top-level name, or a parameter of the function looked at."""


@dataclass(frozen=True, eq=False)
class Effect:
    """A top-level statement that changes what other names hold. `node` is the place that does,
    `keys` are those names. `decorator` is set where it is a decorator that does."""

    module: Module
    index: int
    node: ast.AST
    keys: frozenset[Key]
    decorator: ast.expr | None = None
    is_call: bool = False


@dataclass
class _Summary:
    """What a call of a function changes."""

    keys: set[Key] = field(default_factory=set)
    parameters: set[str] = field(default_factory=set)


@dataclass(frozen=True, eq=False)
class _Frame:
    """Where a piece of code stands: what its local names may hold, and the class around it."""

    module: Module
    local: Mapping[str, set[Ref]] = field(default_factory=dict)
    outer: frozenset[str] = frozenset()  # declared `global`
    owner: tuple[Module, ast.ClassDef] | None = None
    receiver: str = ""


class Effects:
    """Answers for the modules of one project; remembers what it found."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self._modules: dict[str, tuple[Effect, ...]] = {}
        self._summaries: dict[ast.AST, _Summary] = {}
        self._aliases: dict[str, dict[str, set[Key]]] = {}

    def of(self, module: Module) -> tuple[Effect, ...]:
        """The effects of a module's top level, in source order."""
        found = self._modules.get(module.name)
        if found is None:
            found = self._modules[module.name] = tuple(self._of(module))
        return found

    def _of(self, module: Module) -> Iterator[Effect]:
        frame = _Frame(module)
        for index, statement in enumerate(module.tree.body):
            if isinstance(statement, ast.Import | ast.ImportFrom) or is_script(statement):
                continue
            for node, refs, is_call in self._events(frame, [statement]):
                keys = self._with_aliases({r for r in refs if isinstance(r, tuple)})
                decorator = decorator_of(statement, node)
                if keys:
                    yield Effect(module, index, node, frozenset(keys), decorator, is_call)

    def _with_aliases(self, keys: set[Key]) -> set[Key]:
        """The names together with those that may hold the same object, or one that is in it."""
        found: set[Key] = set()
        todo = list(keys)
        while todo:
            key = todo.pop()
            if key in found:
                continue
            found.add(key)
            module = self.names.find(key[0])
            if module is not None:
                todo += self._aliases_in(module).get(key[1], ())
        return found

    def _aliases_in(self, module: Module) -> dict[str, set[Key]]:
        found = self._aliases.get(module.name)
        if found is not None:
            return found
        found = self._aliases[module.name] = {}
        frame = _Frame(module)
        for statement in module.tree.body:
            for targets, value in assigned(statement):
                bound = {(module.name, n) for t in targets for n in bound_names(t)}
                held = {r for r in self._refs(frame, value) if isinstance(r, tuple)}
                if len(bound) + len(held) < 2:
                    continue
                for _, name in bound:
                    found.setdefault(name, set()).update(bound | held)
                for home, name in held:
                    if home == module.name:
                        found.setdefault(name, set()).update(bound)
        return found

    def _refs(self, frame: _Frame, node: ast.AST) -> set[Ref]:
        """What holds the value of an expression, or something that it is a part of."""
        match node:
            case ast.Name(id=name):
                if name in frame.local and name not in frame.outer:
                    return set(frame.local[name])
                return self._top(frame.module, name)
            case ast.Attribute(value=value) | ast.Subscript(value=value):
                root, attrs = dotted(node)
                if root is not None and attrs and root.id not in frame.local:
                    target = self.names.follow(self.names.of(frame.module, root.id, attrs))
                    if isinstance(target, ProjectName):
                        return {target.key}
                match node:
                    case ast.Subscript(
                        value=ast.Call(func=ast.Name(id="globals")),
                        slice=ast.Constant(value=str(name)),
                    ):
                        return self._top(frame.module, name)
                return self._refs(frame, value)
            case ast.Call(func=ast.Attribute(value=value, attr=attr)) if attr in _READERS:
                return self._refs(frame, value)
            case ast.Call(func=ast.Name(id=name), args=args) if name in _SAME_PARTS:
                return {ref for arg in args for ref in self._refs(frame, arg)}
            case (
                ast.List() | ast.Tuple() | ast.Set() | ast.Dict() | ast.Starred() | ast.IfExp()
                | ast.BoolOp() | ast.NamedExpr()
            ):  # fmt: skip
                return {ref for inner in children(node) for ref in self._refs(frame, inner)}
        return set()

    def _name_of_module(self, frame: _Frame, node: ast.Attribute) -> set[Ref]:
        """The name that `module.name = …` sets."""
        root, attrs = dotted(node)
        if root is None or root.id in frame.local:
            return set()
        match self.names.of(frame.module, root.id, attrs):
            case ProjectName(key=key, rest=()):
                return {key}
        return set()

    def _top(self, module: Module, name: str) -> set[Ref]:
        target = self.names.follow(self.names.of(module, name))
        return {target.key} if isinstance(target, ProjectName) else set()

    def _events(
        self, frame: _Frame, nodes: Iterable[ast.AST]
    ) -> Iterator[tuple[ast.AST, set[Ref], bool]]:
        """Every place in code that runs which changes something, with what it may change, and
        whether that is only a guess about a method nobody knows."""
        todo = list(nodes)[::-1]
        while todo:
            node = todo.pop()
            match node:
                case (
                    ast.Attribute(value=value, ctx=ast.Store() | ast.Del())
                    | ast.Subscript(value=value, ctx=ast.Store() | ast.Del())
                ):
                    if isinstance(node, ast.Attribute) and node.attr in _WORDS_ABOUT:
                        continue  # of use to readers, and not to a workflow
                    refs = self._refs(frame, value)
                    match node:
                        case ast.Subscript(value=ast.Call(func=ast.Name(id="globals"))):
                            refs = self._refs(frame, node)
                        case ast.Attribute():
                            refs = refs | self._name_of_module(frame, node)
                    yield node, refs, False
                case ast.Attribute(value=value, attr=attr) if attr in MUTATORS:
                    yield node, self._refs(frame, value), False
                case ast.AugAssign(target=ast.Name() as target):
                    yield node, self._refs(frame, target), False
                case ast.Name(id=name, ctx=ast.Store() | ast.Del()) if name in frame.outer:
                    yield node, self._top(frame.module, name), False
                case ast.Call():
                    yield node, self._called(frame, node.func, arguments(node)), False
                case ast.Expr(value=ast.Call(func=ast.Attribute(value=value) as func)):
                    if self._function(frame, func) is None:
                        yield node, self._refs(frame, value), True
            match node:
                case ast.If() if not frame.local and (branch := at_import(node)) is not None:
                    todo += list(branch)[::-1]
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                    yield from self._defined(frame, node)
                    todo += run_by(node)[::-1]
                case ast.Lambda():
                    todo += run_by(node)[::-1]
                case _:
                    todo += children(node)[::-1]

    def _defined(
        self, frame: _Frame, node: Function | ast.ClassDef
    ) -> Iterator[tuple[ast.AST, set[Ref], bool]]:
        itself = ast.Name(node.name, ast.Load())
        for decorator in node.decorator_list:
            named = decorator.func if isinstance(decorator, ast.Call) else decorator
            if self._external(frame, named) == "workflow.step_options":
                continue  # it changes nothing but the step
            yield decorator, self._called(frame, decorator, [(0, itself)]), False
            if isinstance(named, ast.Attribute) and self._function(frame, named) is None:
                yield decorator, self._refs(frame, named.value), False

    def _called(
        self, frame: _Frame, func: ast.expr, arguments: list[tuple[int | str, ast.expr]]
    ) -> set[Ref]:
        """What a call changes, as far as that can be read."""
        found: set[Ref] = set()
        for _, argument in arguments:  # it may be called there
            if isinstance(argument, ast.Name | ast.Attribute):
                handed = self._function(frame, argument)
                if handed is not None:
                    found |= self._summary(*handed).keys
        function = self._function(frame, func)
        if function is not None:
            summary = self._summary(*function)
            found |= summary.keys
            for name, argument in by_name(function[1], function[2] is not None, arguments):
                if name in summary.parameters:
                    found |= self._refs(frame, argument)
            first = parameters(function[1])[:1]
            if isinstance(func, ast.Attribute) and function[2] and set(first) & summary.parameters:
                found |= self._refs(frame, func.value)
            return found
        for owner in self._classes(frame, func):
            for name in _MAKERS:
                made = self._method(owner, name)
                if made is not None:
                    summary = self._summary(*made)
                    found |= summary.keys
                    if summary.parameters & set(parameters(made[1])[:1]) and shares(owner[1]):
                        found |= self._top(owner[0], owner[1].name)
                    for parameter, argument in by_name(made[1], True, arguments):
                        if parameter in summary.parameters:
                            found |= self._refs(frame, argument)
        target = self._external(frame, func)
        first_argument = next((a for place, a in arguments if place == 0), None)
        if first_argument is not None and (
            target in _EXTERNAL_MUTATORS
            or (isinstance(func, ast.Attribute) and func.attr in MUTATORS and target)
        ):
            found |= self._refs(frame, first_argument)
        return found

    def _external(self, frame: _Frame, func: ast.expr) -> str:
        root, attrs = dotted(func)
        if root is None or root.id in frame.local:
            return ""
        target = self.names.follow(self.names.of(frame.module, root.id, attrs))
        if target is None:
            return ".".join(["builtins", root.id, *attrs])
        return str(target) if isinstance(target, External) else ""

    def _function(
        self, frame: _Frame, func: ast.expr
    ) -> tuple[Module, Function | ast.Lambda, tuple[Module, ast.ClassDef] | None] | None:
        """The function of the project that a call runs, and its class for methods."""
        match func:
            case ast.Call(func=maker):
                return self._function(frame, maker)  # what a factory made runs its inner code
            case ast.Attribute(value=ast.Name(id=name), attr=attr) if (
                frame.owner is not None and name == frame.receiver
            ):
                return self._method(frame.owner, attr)
        root, attrs = dotted(func)
        if root is not None and root.id not in frame.local:
            target = self.names.follow(self.names.of(frame.module, root.id, attrs))
            if isinstance(target, ProjectName) and not target.rest:
                for module, statement in self._definitions(target.key):
                    match statement:
                        case ast.FunctionDef() | ast.AsyncFunctionDef():
                            return module, statement, None
                        case ast.Assign(value=ast.Lambda() as value):
                            return module, value, None
        if isinstance(func, ast.Attribute):
            for ref in self._refs(frame, func.value):
                for owner in self._class_of(ref):
                    if (found := self._method(owner, func.attr)) is not None:
                        return found
        return None

    def _definitions(self, key: Key) -> Iterator[tuple[Module, ast.stmt]]:
        module = self.names.find(key[0])
        for index in module.bindings.get(key[1], ()) if module is not None else ():
            if module is not None:
                yield module, module.tree.body[index]

    def _class_of(self, ref: Ref) -> Iterator[tuple[Module, ast.ClassDef]]:
        """The class of the project that a top-level name is, or holds an instance of."""
        for module, statement in self._definitions(ref) if isinstance(ref, tuple) else ():
            match statement:
                case ast.ClassDef():
                    yield module, statement
                case (
                    ast.Assign(value=ast.Call(func=func)) | ast.AnnAssign(value=ast.Call(func=func))
                ):
                    yield from self._classes(_Frame(module), func)

    def _classes(self, frame: _Frame, node: ast.expr) -> Iterator[tuple[Module, ast.ClassDef]]:
        if isinstance(node, ast.Subscript):
            node = node.value
        root, attrs = dotted(node)
        if root is None or root.id in frame.local:
            return
        target = self.names.follow(self.names.of(frame.module, root.id, attrs))
        if isinstance(target, ProjectName) and not target.rest:
            for module, statement in self._definitions(target.key):
                if isinstance(statement, ast.ClassDef):
                    yield module, statement

    def _method(
        self, owner: tuple[Module, ast.ClassDef], name: str, depth: int = 8
    ) -> tuple[Module, Function, tuple[Module, ast.ClassDef]] | None:
        for node in owner[1].body:
            if isinstance(node, Function) and node.name == name:
                return owner[0], node, owner
        for base in owner[1].bases if depth else ():
            for above in self._classes(_Frame(owner[0]), base):
                if (found := self._method(above, name, depth - 1)) is not None:
                    return found
        return None

    def _summary(
        self,
        module: Module,
        function: Function | ast.Lambda,
        owner: tuple[Module, ast.ClassDef] | None,
    ) -> _Summary:
        known = self._summaries.get(function)
        if known is not None:
            return known
        summary = self._summaries[function] = _Summary()
        local: dict[str, set[Ref]] = {}
        outer: set[str] = set()
        body: list[ast.AST] = [function.body] if isinstance(function, ast.Lambda) else [
            *function.body
        ]  # fmt: skip
        # The functions inside run as well, or may: their names are looked at together.
        for node in [inner for part in body for inner in walk(part)]:
            match node:
                case ast.Global(names=names):
                    outer |= set(names)
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                    local.update((name, set()) for name in parameters(node))
            if isinstance(node, ast.stmt | ast.expr | ast.ExceptHandler):
                for name in names_bound(node):
                    local.setdefault(name, set())
        local.update((name, {name}) for name in parameters(function))
        receiver = parameters(function)[0] if owner and parameters(function) else ""
        frame = _Frame(module, local, frozenset(outer), owner, receiver)
        for _ in range(3):  # a variable of a variable
            for part in body:
                for node in walk(part):
                    for targets, value in assigned(node):
                        held = self._refs(frame, value)
                        for name in [n for t in targets for n in bound_names(t)]:
                            if name not in outer:
                                local.setdefault(name, set()).update(held)
        inner = [n for part in body for n in walk(part) if isinstance(n, Function | ast.Lambda)]
        running: list[ast.AST] = list(body)
        for node in inner:
            running += [node.body] if isinstance(node, ast.Lambda) else node.body
        for _, refs, _ in self._events(frame, running):
            summary.keys |= {ref for ref in refs if isinstance(ref, tuple)}
            summary.parameters |= {ref for ref in refs if isinstance(ref, str)}
        return summary

    def decorating(self, module: Module, decorator: ast.expr) -> Function | None:
        """The function of the project that a decorator runs, if it can be told."""
        found = self._function(_Frame(module), decorator)
        return found[1] if found is not None and isinstance(found[1], Function) else None
