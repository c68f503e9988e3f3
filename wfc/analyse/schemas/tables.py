"""Types that are known by name, and the keywords of constraints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["ARRAYS", "CONSTRAINTS", "KNOWN", "LENGTHS", "OBJECTS", "SETS", "WRAPPERS", "spelled"]

Schema = dict[str, Any]

_NUMBER_OR_TEXT = {"anyOf": [{"type": "number"}, {"type": "string"}]}

KNOWN: Mapping[str, Mapping[str, Any]] = {
    "builtins.str": {"type": "string"},
    "builtins.int": {"type": "integer"},
    "builtins.float": {"type": "number"},
    "builtins.bool": {"type": "boolean"},
    "builtins.bytes": {"type": "string", "format": "binary"},
    "builtins.bytearray": {"type": "string", "format": "binary"},
    "builtins.object": {},
    "builtins.list": {"type": "array"},
    "builtins.tuple": {"type": "array"},
    "builtins.set": {"type": "array", "uniqueItems": True},
    "builtins.frozenset": {"type": "array", "uniqueItems": True},
    "builtins.dict": {"type": "object"},
    "typing.Any": {},
    "typing.AnyStr": {"type": "string"},
    "typing.LiteralString": {"type": "string"},
    "types.NoneType": {"type": "null"},
    "datetime.datetime": {"type": "string", "format": "date-time"},
    "datetime.date": {"type": "string", "format": "date"},
    "datetime.time": {"type": "string", "format": "time"},
    "datetime.timedelta": {"type": "string", "format": "duration"},
    "uuid.UUID": {"type": "string", "format": "uuid"},
    "decimal.Decimal": _NUMBER_OR_TEXT,
    "fractions.Fraction": {"type": "string"},
    "pathlib.Path": {"type": "string", "format": "path"},
    "pathlib.PurePath": {"type": "string", "format": "path"},
    "pathlib.PurePosixPath": {"type": "string", "format": "path"},
    "pathlib.PureWindowsPath": {"type": "string", "format": "path"},
    "ipaddress.IPv4Address": {"type": "string", "format": "ipv4"},
    "ipaddress.IPv6Address": {"type": "string", "format": "ipv6"},
    "pydantic.EmailStr": {"type": "string", "format": "email"},
    "pydantic.HttpUrl": {"type": "string", "format": "uri"},
    "pydantic.AnyUrl": {"type": "string", "format": "uri"},
    "pydantic.AnyHttpUrl": {"type": "string", "format": "uri"},
    "pydantic.SecretStr": {"type": "string", "format": "password", "writeOnly": True},
    "pydantic.PositiveInt": {"type": "integer", "exclusiveMinimum": 0},
    "pydantic.NegativeInt": {"type": "integer", "exclusiveMaximum": 0},
    "pydantic.NonNegativeInt": {"type": "integer", "minimum": 0},
    "pydantic.NonPositiveInt": {"type": "integer", "maximum": 0},
    "pydantic.PositiveFloat": {"type": "number", "exclusiveMinimum": 0},
    "pydantic.NonNegativeFloat": {"type": "number", "minimum": 0},
    "pydantic.StrictStr": {"type": "string"},
    "pydantic.StrictInt": {"type": "integer"},
    "pydantic.StrictFloat": {"type": "number"},
    "pydantic.StrictBool": {"type": "boolean"},
    "pydantic.JsonValue": {},
}

_ABSTRACT = ("collections.abc", "typing")

ARRAYS = {
    "builtins.list",
    "typing.List",
    "collections.deque",
    "typing.Deque",
    *(f"{m}.{n}" for m in _ABSTRACT for n in ("Sequence", "MutableSequence", "Collection")),
    *(f"{m}.Iterable" for m in _ABSTRACT),
}
SETS = {
    "builtins.set",
    "builtins.frozenset",
    "typing.Set",
    "typing.FrozenSet",
    "typing.AbstractSet",
    "collections.abc.Set",
    "collections.abc.MutableSet",
}
OBJECTS = {
    "builtins.dict",
    "typing.Dict",
    "collections.OrderedDict",
    "collections.defaultdict",
    "typing.DefaultDict",
    "typing.OrderedDict",
    *(f"{m}.{n}" for m in _ABSTRACT for n in ("Mapping", "MutableMapping")),
}
WRAPPERS = {"Final", "ReadOnly", "Required", "NotRequired", "InitVar"}

CONSTRAINTS = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
    "multiple_of": "multipleOf",
    "pattern": "pattern",
    "description": "description",
    "title": "title",
    "examples": "examples",
    "deprecated": "deprecated",
}
"""Keywords of pydantic's Field, and the words of JSON Schema for them."""

LENGTHS = {
    "min_length": {"array": "minItems", "object": "minProperties", "string": "minLength"},
    "max_length": {"array": "maxItems", "object": "maxProperties", "string": "maxLength"},
}


def spelled(name: str) -> str:
    """One spelling for what several modules give out."""
    for prefix in ("typing_extensions.", "builtins.typing."):
        if name.startswith(prefix):
            return "typing." + name.removeprefix(prefix)
    return name
