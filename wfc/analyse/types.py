"""What an expression of the project is an instance of, where that can be said without running it.

Light on purpose: literals, constructors, annotations, what steps and project functions are
declared to return, and the containers of those. A name is what all its assignments agree on. A
rule that stops a build may rest on an answer that is `sure`; where an annotation was believed, it
is not.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace
from weakref import WeakKeyDictionary

from wfc.analyse import places
from wfc.analyse.modules import external_modules, is_builtin
from wfc.analyse.names import Names, ProjectName, Target
from wfc.analyse.places import Scope
from wfc.analyse.type_tables import FUNCTIONS, METHODS, canonical, is_class
from wfc.analyse.type_values import (
    AWAITABLE,
    BOOL,
    EMPTY,
    PENDING,
    SETS,
    STR,
    Type,
    along,
    changed,
    element,
    from_template,
    merge,
    number,
    operated,
    taken,
)
from wfc.model import External, Function, Kind, Module, Program
from wfc.nodes import walk

__all__ = ["Type", "Types", "types_of"]

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_PATIENCE = 20_000
"""How many expressions are looked at for one answer: names that go in circles could take ages."""
_NOTHING = 1 << 30
_COPIES = {"list", "tuple", "set", "frozenset", "iter", "reversed", "deque"}
_CACHE: WeakKeyDictionary[Program, Types] = WeakKeyDictionary()


def types_of(program: Program) -> Types:
    """The types of a program's expressions; the same object for the same program."""
    found = _CACHE.get(program)
    if found is None:
        found = _CACHE[program] = Types(program)
    return found


class Types:
    """Types of expressions, worked out when asked for."""

    def __init__(self, program: Program) -> None:
        self._modules = program.modules
        folders = {
            name[:end] for name in program.modules for end in range(len(name)) if name[end] == "."
        }
        known = external_modules() | program.passthrough
        self.names = Names(self._modules.get, folders.__contains__, known)
        self._steps = frozenset(m.node for m in program.of(Kind.STEP))
        self._parents: dict[str, dict[ast.AST, ast.AST]] = {}
        self._bindings: dict[ast.AST, dict[str, list[places.Binding]]] = {}
        self._known: dict[tuple[ast.AST, str], Type | None] = {}
        self._open: dict[tuple[ast.AST, str], int] = {}
        self._rests_on = _NOTHING
        self._left = _PATIENCE

    def of(self, module: Module, node: ast.expr) -> str | None:
        """The dotted name of the class `node` is an instance of, `"coroutine"` for the un-awaited
        call of an async function, None where that is not known."""
        found = self.type(module, node)
        return None if found is None else found.name

    def element(self, module: Module, node: ast.expr) -> str | None:
        """The class of the items that going through `node` gives, None where not known."""
        found = _settled(element(self.type(module, node)))
        return None if found is None else found.name

    def type(self, module: Module, node: ast.expr) -> Type | None:
        """The whole answer: class, items and how sure it is."""
        if not self._open:
            self._left = _PATIENCE
        try:
            return _settled(self._of(module, node))
        except RecursionError:
            self._open.clear()
            return None

    def annotated(self, module: Module, annotation: ast.expr | None) -> Type | None:
        """What an annotation of `module` declares."""
        found = self._annotation(module, annotation) if annotation is not None else None
        return None if found is None else replace(found, sure=False)

    def target(self, module: Module, node: ast.expr) -> Target:
        """What a dotted name stands for outside the function it is used in; None for a local."""
        attrs: list[str] = []
        while isinstance(node, ast.Attribute):
            attrs.insert(0, node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return None
        for scope in places.scopes_around(self.parents(module), node):
            match self.bindings(scope).get(node.id):
                case None:
                    continue
                case [places.Imported(statement=statement)]:
                    found = self.names.imported(module, statement, node.id, tuple(attrs))
                    return self.names.follow(found)
                case _:
                    return None
        return self._top(module, node.id, tuple(attrs))

    # -- names ------------------------------------------------------------------------------------

    def _top(self, module: Module, name: str, attrs: tuple[str, ...]) -> Target:
        found = self.names.follow(self.names.of(module, name, attrs))
        if found is None and name in module.typing_only:
            found = self.names.imported(module, module.typing_only[name], name, attrs)
            found = self.names.follow(found)
        if found is None and name not in module.bindings and is_builtin(name):
            return External("builtins", name, attrs)
        return found

    def parents(self, module: Module) -> Mapping[ast.AST, ast.AST]:
        """The parent of every node of a module."""
        if module.name not in self._parents:
            self._parents[module.name] = places.parents_in(module.tree)
        return self._parents[module.name]

    def bindings(self, scope: Scope | ast.Module) -> dict[str, list[places.Binding]]:
        """Everything that binds a name in `scope` itself."""
        if scope not in self._bindings:
            self._bindings[scope] = places.bindings_of(scope)
        return self._bindings[scope]

    def _name(self, module: Module, node: ast.Name) -> Type | None:
        for scope in places.scopes_around(self.parents(module), node):
            if node.id in self.bindings(scope):
                return self._of_bindings(module, scope, node.id)
        match self._top(module, node.id, ()):
            case ProjectName(key=(home, name), rest=()) if home in self._modules:
                return self._of_bindings(self._modules[home], self._modules[home].tree, name)
        return None

    def _of_bindings(self, module: Module, scope: Scope | ast.Module, name: str) -> Type | None:
        place = (scope, name)
        if place in self._open:
            self._rests_on = min(self._rests_on, self._open[place])
            return PENDING
        if place in self._known:
            return self._known[place]
        depth = self._open[place] = len(self._open)
        before, self._rests_on = self._rests_on, _NOTHING
        bound = self.bindings(scope).get(name, [])
        found = merge(self._binding(module, scope, name, b) for b in bound) if bound else None
        if found is not None and EMPTY in found.items:
            found = self._filled(module, scope, name, found)
        del self._open[place]
        # An answer that rests on a name still being worked out further up is not kept.
        if self._rests_on >= depth:
            self._rests_on = _NOTHING
            if self._left > 0:
                self._known[place] = found
        self._rests_on = min(before, self._rests_on)
        return found

    def _filled(self, module: Module, scope: Scope | ast.Module, name: str, empty: Type) -> Type:
        """An empty list or set with what is put into it further on, if that is all in sight."""
        given: list[ast.expr] = []
        if isinstance(scope, Function | ast.Module):
            given = places.added_to(scope, name)
        item = merge(self.type(module, value) for value in given) if given else None
        return replace(empty, items=tuple(item if i is EMPTY else i for i in empty.items))

    def _binding(
        self, module: Module, scope: Scope | ast.Module, name: str, binding: places.Binding
    ) -> Type | None:
        match binding:
            case places.Value(value=value, path=path):
                return along(self._of(module, value), path)
            case places.Declared(annotation=annotation, value=value):
                declared = self.annotated(module, annotation)
                given = self._of(module, value) if value is not None else None
                if declared is not None and given is not None and declared.name == given.name:
                    return replace(declared, sure=given.sure)
                return declared
            case places.Item(iterated=iterated, path=path):
                return along(element(self._of(module, iterated)), path)
            case places.Entered(manager=manager):
                return self._entered(self._of(module, manager))
            case places.Parameter(annotation=annotation, stars=stars):
                return self._parameter(module, scope, name, annotation, stars)
            case places.Changed(op=op, value=value):
                return changed(op, self._of(module, value))
        return None

    def _parameter(
        self,
        module: Module,
        scope: Scope | ast.Module,
        name: str,
        annotation: ast.expr | None,
        stars: str,
    ) -> Type | None:
        declared = self.annotated(module, annotation)
        if stars == "*":
            return Type("builtins.tuple", (declared,))
        if stars == "**":
            return Type("builtins.dict", (STR, declared))
        owner = self.parents(module).get(scope)
        if annotation is None and isinstance(owner, ast.ClassDef) and isinstance(scope, Function):
            first = [*scope.args.posonlyargs, *scope.args.args][0].arg
            if name == first and not scope.decorator_list and owner in module.tree.body:
                return Type(f"{module.name}.{owner.name}", sure=False)
        return declared

    def _entered(self, manager: Type | None) -> Type | None:
        if manager is not None and manager.name in ("asyncio.TaskGroup", "asyncio.Timeout"):
            return manager
        return None

    # -- expressions ------------------------------------------------------------------------------

    def _of(self, module: Module, node: ast.expr) -> Type | None:
        self._left -= 1
        if self._left < 0:
            return None
        match node:
            case ast.Constant(value=value):
                name = type(value).__name__
                return None if value is ... else Type(f"builtins.{name}")
            case ast.JoinedStr():
                return STR
            case ast.Name():
                return self._name(module, node)
            case ast.Call():
                return self._call(module, node)
            case ast.Await(value=value):
                return self._awaited(self._of(module, value))
            case ast.Attribute(value=value, attr=attr):
                return self._attribute(module, self._of(module, value), attr)
            case ast.Subscript(value=value, slice=key):
                return taken(self._of(module, value), key)
            case ast.NamedExpr(value=value):
                return self._of(module, value)
            case ast.IfExp(body=one, orelse=other):
                return merge([self._of(module, one), self._of(module, other)])
            case ast.BoolOp(values=values):
                return merge(self._of(module, value) for value in values)
            case ast.UnaryOp(op=op, operand=operand):
                return BOOL if isinstance(op, ast.Not) else number(self._of(module, operand))
            case ast.Compare(ops=[ast.Is() | ast.IsNot() | ast.In() | ast.NotIn()]):
                return BOOL
            case ast.BinOp(left=left, op=op, right=right):
                return operated(self._of(module, left), op, self._of(module, right))
        return self._display(module, node)

    def _display(self, module: Module, node: ast.expr) -> Type | None:
        match node:
            case ast.List(elts=elements):
                return Type("builtins.list", (self._items(module, elements),))
            case ast.Set(elts=elements):
                return Type("builtins.set", (self._items(module, elements),))
            case ast.Tuple(elts=elements):
                if any(isinstance(e, ast.Starred) for e in elements):
                    return Type("builtins.tuple", (self._items(module, elements),))
                each = tuple(self.type(module, e) for e in elements)
                return Type("builtins.tuple", each, fixed=True)
            case ast.Dict(keys=keys, values=values):
                if not keys:
                    return Type("builtins.dict", (EMPTY, EMPTY))
                if None in keys:
                    return Type("builtins.dict", (None, None))
                named = [key for key in keys if key is not None]
                items = (self._items(module, named), self._items(module, values))
                return Type("builtins.dict", items)
            case ast.ListComp(elt=element):
                return Type("builtins.list", (self.type(module, element),))
            case ast.SetComp(elt=element):
                return Type("builtins.set", (self.type(module, element),))
            case ast.GeneratorExp(elt=element):
                return Type("builtins.generator", (self.type(module, element),))
            case ast.DictComp(key=key, value=value):
                return Type("builtins.dict", (self.type(module, key), self.type(module, value)))
        return None

    def _items(self, module: Module, elements: list[ast.expr]) -> Type | None:
        if not elements:
            return EMPTY
        return merge(
            element(self._of(module, e.value))
            if isinstance(e, ast.Starred)
            else self._of(module, e)
            for e in elements
        )

    def _awaited(self, value: Type | None) -> Type | None:
        if value is not None and value.name in AWAITABLE and value.items:
            return value.items[0]
        return None

    def _attribute(self, module: Module, owner: Type | None, attr: str) -> Type | None:
        """A field of a project class, from its annotation."""
        if owner is None or (found := self._class(owner.name)) is None:
            return None
        home, node = found
        for statement in node.body:
            match statement:
                case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation) if name == attr:
                    return self.annotated(home, annotation)
        return None

    def _class(self, name: str) -> tuple[Module, ast.ClassDef] | None:
        module, _, cls = name.rpartition(".")
        match self._defined(module, cls):
            case (home, ast.ClassDef() as node):
                return home, node
        return None

    # -- calls ------------------------------------------------------------------------------------

    def _call(self, module: Module, node: ast.Call) -> Type | None:
        match self.target(module, node.func):
            case External() as outside:
                return self._external(module, outside, node)
            case ProjectName(key=(home, name), rest=rest) if found := self._defined(home, name):
                return self._project_call(*found, rest)
        if isinstance(node.func, ast.Attribute):
            owner = self._of(module, node.func.value)
            result = self._method(owner, node.func.attr)
            if result is not None and result.name in SETS and not result.items:
                items = [element(owner), *(element(self._of(module, a)) for a in node.args)]
                return replace(result, items=(merge(items),))
            return result
        return None

    def _defined(self, home: str, name: str) -> tuple[Module, Definition] | None:
        """The one function or class statement behind a top-level name."""
        found = self._modules.get(home)
        indexes = found.bindings.get(name, ()) if found is not None else ()
        if found is not None and len(indexes) == 1:
            statement = found.tree.body[indexes[0]]
            if isinstance(statement, Definition):
                return found, statement
        return None

    def _project_call(
        self, home: Module, definition: Definition, rest: tuple[str, ...]
    ) -> Type | None:
        match definition:
            case ast.ClassDef() as cls if not rest:
                # A metaclass or a decorator may make something else of it.
                return Type(f"{home.name}.{cls.name}", sure=not cls.keywords)
            case ast.ClassDef() as cls if len(rest) == 1:
                return self._declared_result(home, cls.body, rest[0])
            case ast.FunctionDef() | ast.AsyncFunctionDef() as function if not rest:
                return self._result(home, function)
        return None

    def _declared_result(self, home: Module, body: list[ast.stmt], name: str) -> Type | None:
        named = [s for s in body if isinstance(s, Function) and s.name == name]
        return self._result(home, named[0]) if len(named) == 1 else None

    def _result(self, home: Module, function: Function) -> Type | None:
        """What calling a project function gives; in workflow code a step is always awaited."""
        marked = function in self._steps
        plain = all(
            isinstance(d, ast.Name) and d.id in ("staticmethod", "classmethod")
            for d in function.decorator_list
        )
        if not plain and not marked:
            return None
        declared = self.annotated(home, function.returns)
        if marked or isinstance(function, ast.AsyncFunctionDef):
            if any(isinstance(n, ast.Yield | ast.YieldFrom) for n in walk(function)):
                return declared if not marked else None
            return Type("coroutine", (declared,))
        return declared

    def _external(self, module: Module, target: External, node: ast.Call) -> Type | None:
        name = str(target)
        first = node.args[0] if node.args else None
        starred = any(isinstance(a, ast.Starred) for a in node.args)
        if name in ("asyncio.create_task", "asyncio.ensure_future"):
            inner = self._of(module, first) if first is not None else None
            return Type("asyncio.Task", (self._awaited(inner),))
        if name == "asyncio.gather":
            results = [None if starred else self._awaited(self._of(module, a)) for a in node.args]
            item = merge(results) if results else None
            return Type("asyncio.Future", (Type("builtins.list", (item,)),))
        if name in ("asyncio.wait_for", "asyncio.shield") and first is not None:
            return Type("coroutine", (self._awaited(self._of(module, first)),))
        if (template := FUNCTIONS.get(canonical(name))) is not None:
            given = self._of(module, first) if first is not None else None
            return from_template(template, element(given), None, given)
        if target.member is None or target.rest or not is_class(target.module, target.member):
            return None
        if target.member in _COPIES and first is not None:
            return Type(name, (element(self._of(module, first)),))
        if name in SETS or name == "builtins.list":
            return Type(name, (EMPTY,))
        if name == "builtins.range":
            return Type(name, (Type("builtins.int"),))
        if name == "builtins.enumerate" and first is not None:
            pair = (Type("builtins.int"), element(self._of(module, first)))
            return Type(name, (Type("builtins.tuple", pair, fixed=True),))
        return Type(canonical(name)) if name not in ("builtins.type", "builtins.super") else None

    def _method(self, owner: Type | None, method: str) -> Type | None:
        if owner is None or owner is PENDING:
            return owner
        if (template := METHODS.get(owner.name, {}).get(method)) is not None:
            items = [*owner.items, None, None]
            found = from_template(template, items[0], items[1], owner)
            return replace(found, sure=owner.sure) if found is not None else None
        if (cls := self._class(owner.name)) is not None:
            return self._declared_result(cls[0], cls[1].body, method)
        return None

    # -- annotations ------------------------------------------------------------------------------

    def _annotation(self, module: Module, node: ast.expr) -> Type | None:
        match node:
            case ast.Constant(value=None):
                return Type("builtins.NoneType")
            case ast.Constant(value=str(text)):
                try:
                    return self._annotation(module, ast.parse(text, mode="eval").body)
                except SyntaxError:
                    return None
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return merge([self._annotation(module, left), self._annotation(module, right)])
            case ast.Name() | ast.Attribute():
                return self._named(module, node)
            case ast.Subscript(value=value, slice=inside):
                parts = inside.elts if isinstance(inside, ast.Tuple) else [inside]
                return self._generic(module, self._dotted(module, value), parts)
        return None

    def _named(self, module: Module, node: ast.expr) -> Type | None:
        name = self._dotted(module, node)
        if name in (None, "typing.Any", "builtins.object", "typing.Self"):
            return None
        return Type(name) if name else None

    def _dotted(self, module: Module, node: ast.expr) -> str | None:
        attrs: list[str] = []
        while isinstance(node, ast.Attribute):
            attrs.insert(0, node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return None
        match self._top(module, node.id, tuple(attrs)):
            case External(member=str()) as outside:
                return canonical(str(outside))
            case ProjectName(key=(home, name), rest=()) if self._class(f"{home}.{name}"):
                return f"{home}.{name}"
        return None

    def _generic(self, module: Module, name: str | None, parts: list[ast.expr]) -> Type | None:
        match name:
            case None | "typing.Optional" | "typing.Callable" | "collections.abc.Callable":
                return None
            case "typing.Annotated" | "typing.Final" | "typing.ClassVar" if parts:
                return self._annotation(module, parts[0])
            case "typing.Union":
                return merge(self._annotation(module, part) for part in parts)
            case "typing.Literal":
                return merge(self._of(module, part) for part in parts)
            case "builtins.tuple" if not (parts and _is_dots(parts[-1])):  # `tuple[()]` has none
                items = tuple(self.annotated(module, part) for part in parts)
                return Type(name, items, fixed=True)
        items = tuple(self.annotated(module, part) for part in parts if not _is_dots(part))
        if name == "collections.abc.Coroutine":
            return Type("coroutine", items[2:])
        return Type(name, items)


def _settled(found: Type | None) -> Type | None:
    """A type for others to see: without the marks of what is still open."""
    if found is None or found in (PENDING, EMPTY):
        return None
    return replace(found, items=tuple(_settled(item) for item in found.items))


def _is_dots(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...
