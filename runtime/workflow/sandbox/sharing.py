"""Which definitions of a bundle are made once per process, for all runs, and not once for each.

Making a class takes a hundred times as long as anything else at the beginning of a run, and a model
of pydantic takes as long as some turns. A class that only describes data can be shared: an enum, a
dataclass, a named tuple, an exception or a model whose methods see nothing but other shared names.
So this looks for what a class of that kind is made of, lists what it knows to be harmless, and
leaves every class in which there is anything else to its run. What is shared cannot be written to:
a class whose attributes the bundle sets is left out here, and the guards refuse the rest.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from workflow.sandbox.describing import FINAL, PLAIN, Description
from workflow.sandbox.outlines import Outline, outline
from workflow.sandbox.plain import bindings
from workflow.sandbox.trees import parsed
from workflow.sandbox.written import handed_on, new_attributes, written

__all__ = ["Shared", "find_shared"]

Place = tuple[str, str]

# Calls that make a value nobody can change, of arguments that nobody can change.
_FINAL = frozenset(
    {
        "datetime.date",
        "datetime.timedelta",
        "decimal.Decimal",
        "enum.auto",
        "fractions.Fraction",
        "uuid.UUID",
    }
)
_CONFIG = "pydantic.ConfigDict"
_FACTORIES = frozenset(
    f"builtins.{name}" for name in ("bool", "bytes", "dict", "float", "int", "list", "str", "tuple")
)

# Decorators that change the class they are called with.
_CHANGING = frozenset({"dataclasses.dataclass", "functools.total_ordering"})

# With these a bundle could get at the parts of a class that the guards do not watch.
_REFLECTION = frozenset(
    {
        "_field_defaults",
        "_member_map_",
        "_member_names_",
        "_value2member_map_",
        "get_args",
        "get_type_hints",
        "model_computed_fields",
        "model_config",
        "model_fields",
    }
)


@dataclass(frozen=True)
class Shared:
    """What a module gives to all runs: the `names` made once, and the `imports` they need."""

    names: frozenset[str]
    imports: frozenset[str]


def find_shared(
    sources: Mapping[str, tuple[str, bool]],
    foreign: Collection[str] = (),
    apart: Collection[Place] = (),
) -> dict[str, Shared]:
    """What the modules of a bundle share, by module; modules that share nothing are left out.

    `sources` are text and whether it is a package, by name; `foreign` the modules of the project's
    `passthrough`; `apart` where steps and workflows are, which belong to a run.
    """
    modules = {
        name: outline(name, parsed(text), package) for name, (text, package) in sources.items()
    }
    for name in modules:  # which becomes a name of its package
        parent, _, last = name.rpartition(".")
        if parent in modules:
            modules[parent].hide(last)
    if any(_reflects(module.tree) for module in modules.values()):
        return {}
    return Search(modules, frozenset(foreign), apart).found()


def _reflects(tree: ast.Module) -> bool:
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr=name) | ast.alias(name=name) | ast.Constant(value=str(name)):
                if name in _REFLECTION:
                    return True
    return False


class Search:
    """Starts with all classes, and leaves out those that do not fit until all others do."""

    def __init__(
        self, modules: dict[str, Outline], foreign: frozenset[str], apart: Collection[Place]
    ) -> None:
        self._modules = modules
        self._foreign = foreign
        self._packages = {
            name[:end] for name in modules for end, char in enumerate(name) if char == "."
        }
        roots = {(module, qualname.partition(".")[0]) for module, qualname in apart}
        names = written(module.tree for module in modules.values())
        self._left: set[Place] = set()
        if names is not None:
            self._left = {
                (module.name, name)
                for module in modules.values()
                for name in module.classes
                if (module.name, name) not in roots and name not in names
            }
            new = new_attributes(module.tree for module in modules.values())
            for module in modules.values():  # written under the name it was imported by
                for local in names & module.imports.keys():
                    self._left.discard(self._origin(module, local))
                for name in self._changed(module, new):
                    self._left.discard(self._origin(module, name))

    def _origin(self, module: Outline, name: str) -> Place:
        """Where the class is that a name of a module stands for, if it is one."""
        passed = set()
        while name in module.imports and module.name not in passed:
            passed.add(module.name)
            source, attribute = module.imports[name]
            if source not in self._modules or attribute is None:
                break
            module, name = self._modules[source], attribute
        return module.name, name

    def _changed(self, module: Outline, new: set[str]) -> Iterator[str]:
        """The classes that a module may change in another way than by their own names: `new` are
        the variables whose objects get attributes that may be those of classes."""
        if new:
            for found in handed_on(module.tree, lambda each: bool(self.full_name(module, each))):
                yield found.id
        for node in ast.walk(module.tree):
            match node:
                case ast.For(target=ast.Name(id=variable), iter=ast.Name(id=name)):
                    if variable in new:
                        yield name
                case ast.Assign(
                    targets=[ast.Name(id=variable)],
                    value=ast.Attribute(value=ast.Name(id=name))
                    | ast.Subscript(value=ast.Name(id=name))
                    | ast.Call(func=ast.Name(id=name)),
                ):
                    if variable in new and self._looks_like_enum(module, name):
                        yield name
                case ast.Call(func=function, args=[ast.Name(id=name), *_]):
                    maker = function.func if isinstance(function, ast.Call) else function
                    if self.full_name(module, maker) in _CHANGING:
                        yield name

    def _looks_like_enum(self, module: Outline, name: str) -> bool:
        source, name = self._origin(module, name)
        found = self._modules[source].classes.get(name) if source in self._modules else None
        return found is not None and any("Enum" in ast.unparse(base) for base in found.bases)

    def found(self) -> dict[str, Shared]:
        while True:
            unfit = {
                (module, name)
                for module, name in self._left
                if not self._fits(self._modules[module])(self._modules[module].classes[name])
            } | self._bases_of_others()
            if not unfit:
                break
            self._left -= unfit
        shared = {}
        for module in {module for module, _ in self._left}:
            shared[module] = self._needed(self._modules[module])
        return shared

    def _bases_of_others(self) -> set[Place]:
        """Shared classes that a class of a run inherits from: their methods would have to ask for
        each of its objects whether it is the workflow's."""
        found = set()
        for module in self._modules.values():
            for node in ast.walk(module.tree):
                if not isinstance(node, ast.ClassDef):
                    continue
                if module.classes.get(node.name) is node and self.is_class(module, node.name):
                    continue
                for base in node.bases:
                    if isinstance(base, ast.Name) and self.is_class(module, base.id):
                        found.add(module.imports.get(base.id, (module.name, base.id)))
        return found  # type: ignore[return-value]

    def _needed(self, module: Outline) -> Shared:
        names = {name for place, name in self._left if place == module.name}
        nodes: list[ast.AST] = [module.classes[name] for name in names]
        imports: set[str] = set()
        while nodes:
            for node in ast.walk(nodes.pop()):
                if not isinstance(node, ast.Name) or node.id in names:
                    continue
                if node.id in module.imports:
                    imports.add(node.id)
                elif node.id in module.constants:
                    names.add(node.id)
                    nodes.append(module.constants[node.id])
        return Shared(frozenset(names), frozenset(imports))

    def _fits(self, module: Outline) -> Description:
        return Description(self, module)

    def definition(self, module: Outline, node: ast.expr) -> tuple[Outline, ast.ClassDef] | None:
        """The module and statement of a shared class."""
        if not isinstance(node, ast.Name) or not self.is_class(module, node.id):
            return None
        if node.id in module.classes:
            return module, module.classes[node.id]
        source, attribute = module.imports[node.id]
        other = self._modules[source]
        return other, other.classes[attribute or ""]

    # -- names ---------------------------------------------------------------------------------

    def is_class(self, module: Outline, name: str) -> bool:
        """Whether a name stands for a class that is shared, as far as is known."""
        if name in module.classes:
            return (module.name, name) in self._left
        source, attribute = module.imports.get(name, ("", None))
        return attribute is not None and (source, attribute) in self._left

    def is_safe(self, module: Outline, name: str) -> bool:
        """Whether a name of the module is the same for all runs."""
        if name in module.imports:
            source, attribute = module.imports[name]
            if self._is_ours(source):
                return self.is_class(module, name)
            whole = f"{source}.{attribute}"
            return source not in self._foreign | {"warnings"} and whole not in self._foreign
        if name in module.constants:
            return self.is_final(module, module.constants[name], None)
        return self.is_class(module, name)

    def _is_ours(self, source: str) -> bool:
        return source in self._modules or source in self._packages

    def full_name(self, module: Outline, node: ast.expr) -> str:
        """`dataclasses.field` for what stands for it; empty for what is not from outside."""
        match node:
            case ast.Name(id=name) if name in module.imports:
                source, attribute = module.imports[name]
                if self._is_ours(source) or not self.is_safe(module, name):
                    return ""
                return source if attribute is None else f"{source}.{attribute}"
            case ast.Name(id=name) if name not in module.bound and hasattr(builtins, name):
                return f"builtins.{name}"
            case ast.Attribute(value=ast.Name() as value, attr=attribute):
                whole = self.full_name(module, value)
                return f"{whole}.{attribute}" if whole and "." not in whole else ""
        return ""

    # -- values --------------------------------------------------------------------------------

    def is_final(
        self, module: Outline, node: ast.expr, own: Description | None, *, plain: bool = False
    ) -> bool:
        """Whether an expression gives a value that nobody can change; in the class `own` also when
        it names what stands above it there. A `plain` one is of a class from outside, so that its
        operators are not the workflow's."""
        match node:
            case ast.Constant():
                return True
            case ast.UnaryOp(operand=operand):
                return self.is_final(module, operand, own, plain=True)
            case ast.BinOp(left=left, right=right):
                return all(self.is_final(module, each, own, plain=True) for each in (left, right))
            case ast.Tuple(elts=parts):
                return all(self.is_final(module, part, own, plain=plain) for part in parts)
            case ast.Name(id=name):
                if own is not None and name in own.members:
                    return own.members[name] >= (PLAIN if plain else FINAL)
                # Of the lines above it, so that this comes to an end.
                value = module.constants.get(name)
                return (
                    value is not None
                    and value.lineno < node.lineno
                    and self.is_final(module, value, None, plain=plain)
                )
            case ast.Attribute(value=ast.Name() as value, attr=attribute):  # a member of an enum
                return not plain and self._is_assigned(module, value, attribute)
            case ast.Call(func=function, args=parts, keywords=keywords):
                values = [*parts, *(each.value for each in keywords)]
                return (
                    self.full_name(module, function) in _FINAL
                    and all(keyword.arg is not None for keyword in keywords)
                    and all(self.is_final(module, each, own, plain=True) for each in values)
                )
        return False

    def _is_assigned(self, module: Outline, node: ast.Name, attribute: str) -> bool:
        """Whether the class that a name stands for gives the attribute its value itself: of what
        it has from elsewhere, some can be written to."""
        found = self.definition(module, node)
        return found is not None and any(
            isinstance(each, ast.Assign | ast.AnnAssign) and attribute in set(bindings(each))
            for each in found[1].body
        )

    def is_field(
        self, module: Outline, node: ast.expr, own: Description, made: frozenset[str]
    ) -> bool:
        """Whether an expression describes a field, as one of the functions `made` does it."""
        if not isinstance(node, ast.Call) or self.full_name(module, node.func) not in made:
            return False
        return all(self.is_final(module, part, own) for part in node.args) and all(
            self._is_factory(module, keyword.value)
            if keyword.arg == "default_factory"
            else keyword.arg is not None and self.is_final(module, keyword.value, own)
            for keyword in node.keywords
        )

    def is_config(self, module: Outline, node: ast.expr) -> bool:
        """Whether an expression gives the options of a model, made for it alone."""
        return (
            isinstance(node, ast.Call)
            and self.full_name(module, node.func) == _CONFIG
            and not node.args
            and all(
                each.arg is not None and self.is_final(module, each.value, None)
                for each in node.keywords
            )
        )

    def _is_factory(self, module: Outline, node: ast.expr) -> bool:
        if isinstance(node, ast.Name) and self.is_class(module, node.id):
            return True
        if isinstance(node, ast.Lambda):  # a default would be there for every call of it
            return not (node.args.defaults or any(node.args.kw_defaults))
        return self.full_name(module, node) in _FACTORIES
