"""Whether a class statement describes data and nothing else.

What is known to be harmless is listed, and a class in which there is anything else does not pass.
`sharing.py` asks for each class of a bundle.
"""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING

from workflow.sandbox.namespace import BUILTINS
from workflow.sandbox.outlines import Outline
from workflow.sandbox.plain import bound_by
from workflow.sandbox.written import OF_CLASSES, sets_attributes

if TYPE_CHECKING:
    from workflow.sandbox.sharing import Search

__all__ = ["FINAL", "PLAIN", "Description"]

_RECORDS = frozenset({"dataclasses.dataclass"})
_NAMED_TUPLES = frozenset({"typing.NamedTuple"})
_ENUMS = frozenset({"enum.Enum", "enum.IntEnum", "enum.StrEnum"})  # flags keep what they combine
_MODELS = frozenset({"pydantic.BaseModel"})
_BASES = (
    _NAMED_TUPLES
    | _ENUMS
    | _MODELS
    | {"abc.ABC", "typing.TypedDict", "typing_extensions.TypedDict"}
    | {"workflow.FatalError", "workflow.RetryableError"}
    | {"builtins.object", "builtins.int", "builtins.str"}
)
_DECORATORS = frozenset(
    {"dataclasses.dataclass", "enum.unique", "functools.total_ordering", "typing.final"}
)
_OF_METHODS = frozenset(
    {
        "abc.abstractmethod",
        "builtins.classmethod",
        "builtins.property",
        "builtins.staticmethod",
        "functools.cached_property",
        "pydantic.computed_field",
        "pydantic.field_serializer",
        "pydantic.field_validator",
        "pydantic.model_serializer",
        "pydantic.model_validator",
        "typing.final",
        "typing.override",
        "typing_extensions.override",
    }
)
# What they make can be changed; but a class takes its fields out of them, and a model its options.
_FIELDS = frozenset({"dataclasses.field"})
_FIELDS_OF_MODELS = frozenset({"pydantic.Field", "pydantic.PrivateAttr"})
# Their `info` hands out the options of the model, which are the same dictionary for all.
_VALIDATORS = frozenset({"pydantic.field_validator", "pydantic.model_validator"})
_UNSHARED_METHODS = frozenset({"__init__", "__post_init__", "_generate_next_value_"})
_MIXINS = frozenset({"builtins.object", "builtins.int", "builtins.str"})
_CACHED = "functools.cached_property"

# How much is known of what a name of a class body stands for.
_SOME_VALUE, FINAL, PLAIN = range(3)


class Description:
    """Whether one class statement describes data and nothing else."""

    def __init__(self, search: Search, module: Outline) -> None:
        self._search = search
        self._module = module
        self.members: dict[str, int] = {}

    def __call__(self, node: ast.ClassDef) -> bool:
        bases = [self._search.full_name(self._module, base) for base in node.bases]
        for base, name in zip(node.bases, bases, strict=True):
            shared = isinstance(base, ast.Name) and self._search.is_class(self._module, base.id)
            if not (name in _BASES or shared or _is_exception(name)):
                return False
        self._is_enum = self._is_kind(node, _ENUMS)
        self._is_model = self._is_kind(node, _MODELS)
        if self._is_enum and not self._has_harmless_members(node):
            return False
        return (
            not getattr(node, "type_params", None)
            and all(isinstance(each.value, ast.Constant) for each in node.keywords)
            and all(self._is_decorator(each, _DECORATORS) for each in node.decorator_list)
            and all(map(self._is_statement, node.body))
            and self._sees_shared_names(node)
        )

    def _has_harmless_members(self, node: ast.ClassDef) -> bool:
        """Whether the members of an enum have nothing but their values: nothing that its bases
        would give them, or keep on them."""
        found = [(self._module, node)]
        while found:
            module, cls = found.pop()
            is_dataclass = any(
                self._search.full_name(module, _called(each)) in _RECORDS
                for each in cls.decorator_list
            )
            if is_dataclass or any(self._keeps_state(module, each) for each in cls.body):
                return False
            for base in cls.bases:
                above = self._search.definition(module, base)
                if above is not None:
                    found.append(above)
                elif self._search.full_name(module, base) not in _ENUMS | _MIXINS:
                    return False
        return True

    def _keeps_state(self, module: Outline, node: ast.stmt) -> bool:
        """Whether it is a method that keeps something on its object."""
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return False
        made = {self._search.full_name(module, _called(each)) for each in node.decorator_list}
        return _CACHED in made or node.name in _UNSHARED_METHODS or sets_attributes(node)

    def _is_kind(self, node: ast.ClassDef, kinds: frozenset[str]) -> bool:
        """Whether it inherits from one of `kinds`, through shared classes of any module."""
        module, names = self._module, [(self._module, base) for base in node.bases]
        while names:
            module, base = names.pop()
            if self._search.full_name(module, base) in kinds:
                return True
            found = self._search.definition(module, base)
            if found is not None:
                names += [(found[0], each) for each in found[1].bases]
        return False

    def _is_decorator(self, node: ast.expr, known: frozenset[str]) -> bool:
        if isinstance(node, ast.Call):
            options = [*node.args, *(each.value for each in node.keywords)]
            if not all(isinstance(option, ast.Constant) for option in options):
                return False
            node = node.func
        return self._search.full_name(self._module, node) in known

    def _is_statement(self, node: ast.stmt) -> bool:
        match node:
            case ast.Pass() | ast.Expr(value=ast.Constant()):
                return True
            case ast.AnnAssign(target=ast.Name(), annotation=kind, value=None):
                return _is_type(kind)
            case ast.AnnAssign(
                target=ast.Name(id=name), annotation=kind, value=ast.expr() as value
            ):
                return _is_type(kind) and self._is_value(name, kind, value)
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                return self._is_value(name, None, value)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                fits = self._is_method(node)
                self.members[node.name] = FINAL
                return fits
        return False

    def _is_value(self, name: str, kind: ast.expr | None, value: ast.expr) -> bool:
        search, module = self._search, self._module
        if search.is_final(module, value, self):
            is_plain = search.is_final(module, value, self, plain=True)
            self.members[name] = PLAIN if is_plain else FINAL
            return True
        self.members[name] = _SOME_VALUE
        if self._is_model and name == "model_config":
            return search.is_config(module, value)
        if kind is None or self._is_enum or self._is_of_class(kind):
            return False
        if not self._is_model:
            return search.is_field(module, value, self, _FIELDS)
        if name[:1] != "_":
            match value:  # pydantic copies the defaults of fields
                case ast.List(elts=parts) | ast.Dict(keys=[], values=parts):
                    return all(search.is_final(module, part, self) for part in parts)
        return search.is_field(module, value, self, _FIELDS_OF_MODELS)

    def _is_of_class(self, kind: ast.expr) -> bool:
        """Whether an annotation is that of a class variable, under whatever name."""
        for node in ast.walk(kind):
            match node:
                case ast.Name(id=name):
                    name = self._module.imports.get(name, ("", name))[1] or ""
                case ast.Attribute(attr=name):
                    pass
                case _:
                    continue
            if name in OF_CLASSES:
                return True
        return False

    def _is_method(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
        if getattr(node, "type_params", None):
            return False
        if self._takes_info(node):
            return False
        spec = node.args
        defaults = [*spec.defaults, *(each for each in spec.kw_defaults if each is not None)]
        return all(self._search.is_final(self._module, each, self) for each in defaults) and all(
            self._is_decorator(each, _OF_METHODS) or self._is_accessor(each)
            for each in node.decorator_list
        )

    def _takes_info(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
        made = [self._search.full_name(self._module, _called(each)) for each in node.decorator_list]
        if _VALIDATORS.isdisjoint(made):
            return False
        after = "pydantic.model_validator" in made and _mentions_text(node.decorator_list, "after")
        expected = 2 - ("builtins.staticmethod" in made) - after
        spec = node.args
        return bool(spec.vararg) or len([*spec.posonlyargs, *spec.args]) > expected

    def _is_accessor(self, node: ast.expr) -> bool:
        match node:  # `@total.setter`
            case ast.Attribute(value=ast.Name(id=name), attr="setter" | "deleter"):
                return name in self.members
        return False

    def _sees_shared_names(self, node: ast.ClassDef) -> bool:
        inside = {name for each in ast.walk(node) for name in bound_by(each)}
        inside |= {each.arg for each in ast.walk(node) if isinstance(each, ast.arg)}
        for each in ast.walk(node):
            if each is not node and isinstance(
                each, ast.Import | ast.ImportFrom | ast.Global | ast.ClassDef
            ):
                return False
            if not isinstance(each, ast.Name) or isinstance(each.ctx, ast.Store):
                continue
            if each.id in self._module.bound:
                if not self._search.is_safe(self._module, each.id):
                    return False
            elif each.id not in inside | BUILTINS | {"__name__"}:
                return False
        return True


def _called(node: ast.expr) -> ast.expr:
    return node.func if isinstance(node, ast.Call) else node


def _mentions_text(nodes: list[ast.expr], text: str) -> bool:
    return any(
        isinstance(each, ast.Constant) and each.value == text
        for node in nodes
        for each in ast.walk(node)
    )


def _is_exception(name: str) -> bool:
    found = getattr(builtins, name.removeprefix("builtins."), None)
    if not name.startswith("builtins.") or not isinstance(found, type):
        return False
    return issubclass(found, Exception) and not issubclass(found, ExceptionGroup)


def _is_type(node: ast.expr) -> bool:
    """Whether an annotation is made of names alone: no calls, and no text that would be read as a
    name, but for what stands in a `Literal`."""
    match node:
        case ast.Subscript(value=value, slice=index):
            return _is_type(value) and (_mentions(value, "Literal") or _is_type(index))
        case ast.Constant(value=value):
            return value is None or value is Ellipsis
        case ast.Name() | ast.Attribute(value=ast.Name()):
            return True
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _is_type(left) and _is_type(right)
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return all(map(_is_type, parts))
    return False


def _mentions(tree: ast.AST, word: str) -> bool:
    return any(
        word in (getattr(node, "id", None), getattr(node, "attr", None)) for node in ast.walk(tree)
    )
