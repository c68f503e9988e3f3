"""From the annotation of one value to its schema."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from wfc.analyse.names import Names, ProjectName
from wfc.analyse.schemas.literals import MISSING, constraints, json_value
from wfc.analyse.schemas.tables import (
    ARRAYS,
    CONSTRAINTS,
    KNOWN,
    LENGTHS,
    OBJECTS,
    SETS,
    WRAPPERS,
    spelled,
)
from wfc.analyse.spans import text_of
from wfc.model import External, Key, Module

__all__ = ["Reader", "Schema", "constrained"]

Schema = dict[str, Any]
_TYPE_ALIAS = "TypeAlias"  # ast.TypeAlias is there since 3.12


class Reader:
    """Reads annotations of one schema document; classes and recursive aliases go into `defs`.

    `read_class` makes the schema of a class of the project, given its key, module and definition.
    """

    def __init__(
        self, names: Names, read_class: Callable[[Reader, Key, Module, ast.ClassDef], Schema]
    ) -> None:
        self.names = names
        self.defs: dict[str, Schema] = {}
        self._read_class = read_class
        self._titles: dict[tuple[Key, str], str] = {}
        self._aliases: list[Key] = []
        self._recursive: set[Key] = set()
        self._bound: Mapping[str, Schema] = {}
        self._in_text = 0

    def read(self, module: Module, node: ast.expr | None) -> Schema:
        """The schema of an annotation; empty for none."""
        match node:
            case None:
                return {}
            case ast.Constant(value=None):
                return {"type": "null"}
            case ast.Constant(value=str(text)):
                return self._text(module, node, text)
            case ast.BinOp(op=ast.BitOr(), left=left, right=right):
                return _any_of([self.read(module, left), self.read(module, right)])
            case ast.Name(id=name) if name in self._bound:
                return self._bound[name]
            case ast.Name() | ast.Attribute():
                return self._named(module, node, ())
            case ast.Subscript(value=ast.Name() | ast.Attribute() as base, slice=inner):
                given = inner.elts if isinstance(inner, ast.Tuple) else [inner]
                return self._named(module, base, tuple(given), node)
        return self._unknown(module, node)

    @contextmanager
    def binding(self, bound: Mapping[str, Schema]) -> Iterator[None]:
        """Read with these schemas for type variables."""
        before = self._bound
        self._bound = bound
        try:
            yield
        finally:
            self._bound = before

    def resolve(self, module: Module, node: ast.AST) -> str | Key:
        """The full name of something outside of the project, the key of something in it, or ''."""
        attrs: list[str] = []
        while isinstance(node, ast.Attribute):
            attrs.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        rest = tuple(reversed(attrs))
        found = self.names.of(module, node.id, rest)
        if found is None and (importing := module.typing_only.get(node.id)) is not None:
            found = self.names.imported(module, importing, node.id, rest)
        match self.names.follow(found):
            case External() as outside:
                return spelled(str(outside))
            case ProjectName(key=key, rest=()):
                return key
            case None:
                return spelled(".".join(["builtins", node.id, *rest]))
        return ""

    def define(self, key: Key, suffix: str, make: Callable[[], Schema]) -> Schema:
        """A reference to the definition of `key`, which `make` makes when first asked for."""
        title = self._titles.get((key, suffix))
        if title is None:
            title = key[1] + suffix
            if title in self.defs:  # two classes of one name
                title = f"{key[0]}.{title}"
            self._titles[(key, suffix)] = title
            self.defs[title] = {}
            self.defs[title] = make()
        return {"$ref": f"#/$defs/{title}"}

    def _text(self, module: Module, node: ast.expr, text: str) -> Schema:
        try:
            parsed = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError):
            return self._unknown(module, node)
        self._in_text += 1  # the places in it are not those of the file
        found = self.read(module, parsed)
        self._in_text -= 1
        return found

    def _unknown(self, module: Module, node: ast.AST) -> Schema:
        return {"x-python": ast.unparse(node) if self._in_text else text_of(module, node)}

    def _named(
        self,
        module: Module,
        base: ast.expr,
        given: tuple[ast.expr, ...],
        whole: ast.expr | None = None,
    ) -> Schema:
        match self.resolve(module, base):
            case str(name):
                found = self._outside(module, name, given)
                return self._unknown(module, whole or base) if found is None else found
            case (_, _) as key:
                return self._ours(module, key, given, whole or base)

    def _outside(self, module: Module, name: str, given: tuple[ast.expr, ...]) -> Schema | None:
        last = name.rpartition(".")[2]
        items = [self.read(module, g) for g in given[:1]]
        if name in ARRAYS or name in SETS:
            unique = {"uniqueItems": True} if name in SETS else {}
            return {"type": "array", **({"items": items[0]} if items else {}), **unique}
        if name in OBJECTS:
            return self._mapping(module, given)
        if name in ("builtins.tuple", "typing.Tuple") and given:
            return self._tuple(module, given)
        if name in KNOWN and not given:
            return dict(KNOWN[name])
        if name == "collections.Counter" or name == "typing.Counter":
            return {"type": "object", "additionalProperties": {"type": "integer"}}
        if not name.startswith(("typing.", "dataclasses.")) or not given:
            return None
        match last:
            case "Optional":
                return _any_of([*items, {"type": "null"}])
            case "Union":
                return _any_of([self.read(module, g) for g in given])
            case "Literal":
                return self._literal(module, given)
            case "Annotated":
                return self._annotated(module, items[0], given[1:])
        return items[0] if last in WRAPPERS else None

    def _mapping(self, module: Module, given: tuple[ast.expr, ...]) -> Schema:
        if len(given) != 2:
            return {"type": "object"}
        keys, values = (self.read(module, g) for g in given)
        found: Schema = {"type": "object", "additionalProperties": values}
        named = keys.get("type") == "string" or {"$ref", "enum", "const"} & keys.keys()
        if named and keys != {"type": "string"}:
            found["propertyNames"] = keys
        return found

    def _tuple(self, module: Module, given: tuple[ast.expr, ...]) -> Schema:
        match given:
            case (one, ast.Constant(value=value)) if value is ...:
                return {"type": "array", "items": self.read(module, one)}
            case (ast.Tuple(elts=[]),):
                return {"type": "array", "maxItems": 0}
        size = len(given)
        fixed = [self.read(module, g) for g in given]
        return {"type": "array", "prefixItems": fixed, "minItems": size, "maxItems": size}

    def _literal(self, module: Module, given: tuple[ast.expr, ...]) -> Schema:
        values: list[Any] = []
        for node in given:
            value = json_value(node)
            if value is MISSING:
                return self._unknown(module, node)
            values.append(value)
        kinds = {type(v) for v in values}
        kind = {str: "string", int: "integer"}.get(kinds.pop()) if len(kinds) == 1 else None
        plain: Schema = {"const": values[0]} if len(values) == 1 else {"enum": values}
        return {**plain, "type": kind} if kind else plain

    def _annotated(self, module: Module, schema: Schema, extras: tuple[ast.expr, ...]) -> Schema:
        for extra in extras:
            if isinstance(extra, ast.Call):
                schema = constrained(schema, self._extra(module, extra))
        return schema

    def _extra(self, module: Module, call: ast.Call) -> Schema:
        name = self.resolve(module, call.func)
        last = name.rpartition(".")[2] if isinstance(name, str) else ""
        value = json_value(call.args[0]) if call.args else MISSING
        short = {"MinLen": "min_length", "MaxLen": "max_length", "MultipleOf": "multiple_of"}
        short |= {"Ge": "ge", "Gt": "gt", "Le": "le", "Lt": "lt", "Doc": "description"}
        if last in short and value is not MISSING:
            return {short[last]: value}
        return constraints(call)

    def _ours(
        self, module: Module, key: Key, given: tuple[ast.expr, ...], node: ast.expr
    ) -> Schema:
        home = self.names.find(key[0])
        for index in reversed(home.bindings.get(key[1], ()) if home else ()):
            statement = home.tree.body[index] if home else None
            if home is None or statement is None:
                continue
            match statement:
                case ast.ClassDef():
                    return self._class(module, key, home, statement, given)
                case (
                    ast.Assign(value=ast.expr() as value) | ast.AnnAssign(value=ast.expr() as value)
                ):
                    return self._alias(key, home, value)
                case _ if type(statement).__name__ == _TYPE_ALIAS:
                    return self._alias(key, home, statement.value)  # type: ignore[attr-defined]
        return self._unknown(module, node)

    def _class(
        self,
        module: Module,
        key: Key,
        home: Module,
        definition: ast.ClassDef,
        given: tuple[ast.expr, ...],
    ) -> Schema:
        bound = dict(
            zip(
                self._parameters(home, definition),
                [self.read(module, g) for g in given],
                strict=False,
            )
        )
        suffix = "".join(f"_{_title(s)}" for s in bound.values())

        def make() -> Schema:
            with self.binding(bound):
                return self._read_class(self, key, home, definition)

        return self.define(key, suffix, make)

    def _parameters(self, home: Module, definition: ast.ClassDef) -> list[str]:
        declared = [p.name for p in getattr(definition, "type_params", ())]
        for base in definition.bases:
            if isinstance(base, ast.Subscript) and not declared:
                inner = base.slice.elts if isinstance(base.slice, ast.Tuple) else [base.slice]
                declared = [n.id for n in inner if isinstance(n, ast.Name)]
        return declared

    def _alias(self, key: Key, home: Module, value: ast.expr) -> Schema:
        if key in self._aliases:
            self._recursive.add(key)
            return {"$ref": f"#/$defs/{key[1]}"}
        self._aliases.append(key)
        before, self._in_text = self._in_text, 0
        schema = self._alias_value(home, value)
        self._in_text = before
        self._aliases.pop()
        if key not in self._recursive:
            return schema
        return self.define(key, "", lambda: schema)

    def _alias_value(self, home: Module, value: ast.expr) -> Schema:
        if not isinstance(value, ast.Call):
            return self.read(home, value)
        match self.resolve(home, value.func):
            case "typing.NewType" if len(value.args) == 2:
                return self.read(home, value.args[1])
            case "typing.TypeVar":
                bound = [k.value for k in value.keywords if k.arg == "bound"]
                return self.read(home, bound[0]) if bound else {}
            case "typing.TypeAliasType" if len(value.args) == 2:
                return self.read(home, value.args[1])
        return self._unknown(home, value)


def constrained(schema: Schema, given: Mapping[str, Any]) -> Schema:
    """`schema` with pydantic's constraints in the words of JSON Schema."""
    extra: Schema = {}
    for name, value in given.items():
        if name in CONSTRAINTS:
            extra[CONSTRAINTS[name]] = value
        elif name in LENGTHS:
            kind = str(schema.get("type", "string"))
            extra[LENGTHS[name].get(kind, LENGTHS[name]["string"])] = value
    return {**schema, **extra}


def _any_of(parts: list[Schema]) -> Schema:
    flat: list[Schema] = []
    for part in parts:
        inner = part["anyOf"] if set(part) == {"anyOf"} else [part]
        flat += [p for p in inner if p not in flat]
    return flat[0] if len(flat) == 1 else {"anyOf": flat}


def _title(schema: Schema) -> str:
    for key in ("$ref", "format", "type", "title"):
        if key in schema:
            return str(schema[key]).rpartition("/")[2]
    return "Any"
