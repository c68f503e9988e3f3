"""Schemas of the project's classes: one function per kind of class."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from wfc.analyse.schemas.annotations import Reader, Schema, constrained
from wfc.analyse.schemas.literals import MISSING, constraints, json_value
from wfc.model import Key, Module

__all__ = ["Field", "class_schema", "default_of"]

_ENUMS = {"enum.Enum", "enum.StrEnum", "enum.IntEnum"}
_DATACLASS = {"dataclasses.dataclass", "pydantic.dataclasses.dataclass"}


@dataclass
class _Lineage:
    """A class with its ancestors: those of the project from the oldest on, and the others."""

    ours: list[tuple[Module, ast.ClassDef]] = field(default_factory=list)
    outside: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Field:
    """One field of a class. `default` is the expression after `=`."""

    module: Module
    owner: ast.ClassDef
    name: str
    annotation: ast.expr
    default: ast.expr | None


def class_schema(reader: Reader, key: Key, module: Module, definition: ast.ClassDef) -> Schema:
    """The schema of a class; of one that is none of the kinds known here, only its name."""
    lineage = _Lineage()
    _ancestors(reader, module, definition, lineage)
    kind = _kind(reader, lineage)
    if kind is None:
        return {"title": definition.name, "x-python": definition.name, **_doc(definition)}
    schema = kind(reader, lineage)
    return {"title": definition.name, **_doc(definition), **schema}


def default_of(node: ast.expr | None) -> Schema:
    """`default`, where it is a JSON constant."""
    value = json_value(node)
    return {} if value is MISSING else {"default": value}


def _doc(definition: ast.ClassDef) -> Schema:
    doc = ast.get_docstring(definition)
    return {"description": doc} if doc else {}


def _ancestors(reader: Reader, module: Module, node: ast.ClassDef, lineage: _Lineage) -> None:
    if any(known is node for _, known in lineage.ours):
        return
    for base in node.bases:
        named = base.value if isinstance(base, ast.Subscript) else base
        match reader.resolve(module, named):
            case str(name):
                lineage.outside.add(name)
            case (home_name, name):
                home = reader.names.find(home_name)
                for index in home.bindings.get(name, ()) if home else ():
                    statement = home.tree.body[index] if home else None
                    if home and isinstance(statement, ast.ClassDef) and statement is not node:
                        _ancestors(reader, home, statement, lineage)
    lineage.ours.append((module, node))


Kind = Callable[[Reader, _Lineage], Schema]


def _kind(reader: Reader, lineage: _Lineage) -> Kind | None:
    if "pydantic.RootModel" in lineage.outside:
        return _root_model
    if "pydantic.BaseModel" in lineage.outside:
        return _model
    if "typing.TypedDict" in lineage.outside:
        return _typed_dict
    if "typing.NamedTuple" in lineage.outside:
        return _named_tuple
    if lineage.outside & _ENUMS:
        return _enum
    if any(_is_dataclass(reader, m, c) for m, c in lineage.ours):
        return _dataclass
    return None


def _is_dataclass(reader: Reader, module: Module, node: ast.ClassDef) -> bool:
    named = [d.func if isinstance(d, ast.Call) else d for d in node.decorator_list]
    return any(reader.resolve(module, d) in _DATACLASS for d in named)


def _fields(reader: Reader, lineage: _Lineage) -> Iterator[Field]:
    found: dict[str, Field] = {}
    for module, node in lineage.ours:
        for statement in node.body:
            match statement:
                case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
                    if not _is_class_variable(reader, module, annotation):
                        found[name] = Field(module, node, name, annotation, value)
    yield from found.values()


def _is_class_variable(reader: Reader, module: Module, annotation: ast.expr) -> bool:
    base = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    return reader.resolve(module, base) in ("typing.ClassVar", "dataclasses.KW_ONLY")


def _object(properties: dict[str, Schema], required: list[str]) -> Schema:
    schema: Schema = {"type": "object", "properties": properties}
    return {**schema, "required": required} if required else schema


def _dataclass(reader: Reader, lineage: _Lineage) -> Schema:
    properties: dict[str, Schema] = {}
    required: list[str] = []
    for f in _fields(reader, lineage):
        options, default = _field_call(reader, f)
        schema = {**reader.read(f.module, f.annotation), **default_of(default)}
        properties[f.name] = schema
        given = default is not None or "default_factory" in options
        if not given and options.get("init") is not False:
            required.append(f.name)
    return _object(properties, required)


def _field_call(reader: Reader, f: Field) -> tuple[dict[str, Any], ast.expr | None]:
    """The options of `field(…)` or `Field(…)`, and the expression of the default."""
    if not isinstance(f.default, ast.Call):
        return {}, f.default
    name = reader.resolve(f.module, f.default.func)
    if name not in ("dataclasses.field", "pydantic.Field"):
        return {}, f.default
    options = constraints(f.default)
    default: ast.expr | None = f.default.args[0] if f.default.args else None
    for keyword in f.default.keywords:
        if keyword.arg == "default":
            default = keyword.value
        elif keyword.arg == "default_factory":
            options["default_factory"] = True
            made = {"list": "[]", "dict": "{}"}.get(getattr(keyword.value, "id", ""))
            default = ast.parse(made, mode="eval").body if made else default
    if isinstance(default, ast.Constant) and default.value is ...:
        default = None
    return options, default


def _model(reader: Reader, lineage: _Lineage) -> Schema:
    properties: dict[str, Schema] = {}
    required: list[str] = []
    for f in _fields(reader, lineage):
        if f.name.startswith("_") or f.name == "model_config":
            continue
        options, default = _field_call(reader, f)
        options = {**_annotated_options(reader, f), **options}
        schema = constrained(reader.read(f.module, f.annotation), options)
        name = options.get("validation_alias", options.get("alias", f.name))
        properties[str(name)] = {**schema, **default_of(default)}
        if default is None and not {"default_factory", "default"} & options.keys():
            required.append(str(name))
    schema = _object(properties, required)
    return {**schema, "additionalProperties": False} if _forbids_extra(lineage) else schema


def _annotated_options(reader: Reader, f: Field) -> dict[str, Any]:
    """What `Annotated[T, Field(…)]` says about the field itself."""
    found: dict[str, Any] = {}
    match f.annotation:
        case ast.Subscript(value=base, slice=ast.Tuple(elts=[_, *extras])):
            if reader.resolve(f.module, base) == "typing.Annotated":
                for extra in extras:
                    if isinstance(extra, ast.Call):
                        given = constraints(extra)
                        kept = ("alias", "validation_alias", "default")
                        found |= {k: v for k, v in given.items() if k in kept}
                        if any(k.arg == "default_factory" for k in extra.keywords):
                            found["default_factory"] = True
    return found


def _forbids_extra(lineage: _Lineage) -> bool:
    extra = ""
    for _, node in lineage.ours:
        for statement in node.body:
            match statement:
                case ast.Assign(targets=[ast.Name(id="model_config")], value=value):
                    given = constraints(value) if isinstance(value, ast.Call) else json_value(value)
                    if isinstance(given, dict):
                        extra = str(given.get("extra", extra))
        extra = str({k.arg: json_value(k.value) for k in node.keywords}.get("extra", extra))
    return extra == "forbid"


def _root_model(reader: Reader, lineage: _Lineage) -> Schema:
    module, node = lineage.ours[-1]
    for f in _fields(reader, lineage):
        if f.name == "root":
            return reader.read(f.module, f.annotation)
    for base in node.bases:
        if isinstance(base, ast.Subscript):
            return reader.read(module, base.slice)
    return {}


def _typed_dict(reader: Reader, lineage: _Lineage) -> Schema:
    properties: dict[str, Schema] = {}
    required: list[str] = []
    for f in _fields(reader, lineage):
        properties[f.name] = reader.read(f.module, f.annotation)
        total = not any(k.arg == "total" and json_value(k.value) is False for k in f.owner.keywords)
        match _wrapper(reader, f):
            case "Required":
                total = True
            case "NotRequired":
                total = False
        if total:
            required.append(f.name)
    return _object(properties, required)


def _wrapper(reader: Reader, f: Field) -> str:
    annotation = f.annotation
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            annotation = ast.parse(annotation.value.strip(), mode="eval").body
        except SyntaxError:
            return ""
    while isinstance(annotation, ast.Subscript):
        name = reader.resolve(f.module, annotation.value)
        if name in ("typing.Required", "typing.NotRequired"):
            return str(name).rpartition(".")[2]
        if name not in ("typing.ReadOnly", "typing.Annotated"):
            return ""
        inner = annotation.slice
        annotation = inner.elts[0] if isinstance(inner, ast.Tuple) else inner
    return ""


def _named_tuple(reader: Reader, lineage: _Lineage) -> Schema:
    fields = list(_fields(reader, lineage))
    items = [
        {"title": f.name, **reader.read(f.module, f.annotation), **default_of(f.default)}
        for f in fields
    ]
    least = sum(f.default is None for f in fields)
    return {"type": "array", "prefixItems": items, "minItems": least, "maxItems": len(items)}


def _enum(reader: Reader, lineage: _Lineage) -> Schema:
    values: list[Any] = []
    for module, node in lineage.ours:
        for statement in node.body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    if name.startswith("_"):
                        continue
                    values.append(_member(reader, module, name, value, values, lineage))
    if MISSING in values or not values:
        return {"x-python": lineage.ours[-1][1].name}
    values = [v for i, v in enumerate(values) if v not in values[:i]]
    if all(isinstance(v, str) for v in values):
        return {"type": "string", "enum": values}
    if all(isinstance(v, int) and not isinstance(v, bool) for v in values):
        return {"type": "integer", "enum": values}
    return {"enum": values}


def _member(
    reader: Reader,
    module: Module,
    name: str,
    value: ast.expr,
    before: list[Any],
    lineage: _Lineage,
) -> Any:
    if isinstance(value, ast.Call) and reader.resolve(module, value.func) == "enum.auto":
        if "enum.StrEnum" in lineage.outside:
            return name.lower()
        numbers = [v for v in before if isinstance(v, int)]
        return max(numbers, default=0) + 1 if len(numbers) == len(before) else MISSING
    return json_value(value)
