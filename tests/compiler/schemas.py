"""A validator for the part of JSON Schema that the schemas beside it use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

__all__ = ["violations"]

_TYPES: dict[str, type] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "boolean": bool,
}
_KEYWORDS = {
    "$ref", "$schema", "additionalProperties", "anyOf", "definitions", "description", "enum",
    "format", "items", "minItems", "minimum", "properties", "required", "title", "type",
    "uniqueItems",
}  # fmt: skip
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+")
_REFERENCE = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?#-]|%[0-9A-F]{2})*")


def violations(
    schema: dict[str, Any], value: Any, root: dict[str, Any] | None = None, at: str = "$"
) -> Iterator[str]:
    """Say where `value` is not what the schema asks for. A keyword unknown here is an error of
    the test."""
    root = schema if root is None else root
    assert schema.keys() <= _KEYWORDS, schema.keys() - _KEYWORDS
    if "$ref" in schema:
        yield from violations(
            root["definitions"][schema["$ref"].rpartition("/")[2]], value, root, at
        )
        return
    expected: type = _TYPES[schema["type"]] if "type" in schema else object
    if not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
        yield f"{at} is not of type {schema['type']}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at} is {value!r}"
    if "minimum" in schema and value < schema["minimum"]:
        yield f"{at} is below {schema['minimum']}"
    pattern = {"uri": _URI, "uri-reference": _REFERENCE}.get(schema.get("format", ""))
    if pattern is not None and not pattern.fullmatch(str(value)):
        yield f"{at} is not of format {schema['format']}: {value!r}"
    any_of = schema.get("anyOf")
    if any_of and all(list(violations(one, value, root, at)) for one in any_of):
        yield f"{at} fits none of anyOf"
    if isinstance(value, dict):
        yield from _in_object(schema, value, root, at)
    if isinstance(value, list):
        yield from _in_array(schema, value, root, at)


def _in_object(
    schema: dict[str, Any], value: dict[str, Any], root: dict[str, Any], at: str
) -> Iterator[str]:
    properties = schema.get("properties", {})
    more = schema.get("additionalProperties", True)
    yield from (f"{at} lacks {name}" for name in schema.get("required", ()) if name not in value)
    for name, inner in value.items():
        if name in properties:
            yield from violations(properties[name], inner, root, f"{at}.{name}")
        elif more is False:
            yield f"{at} has an unknown property {name}"
        elif isinstance(more, dict):
            yield from violations(more, inner, root, f"{at}.{name}")


def _in_array(
    schema: dict[str, Any], value: list[Any], root: dict[str, Any], at: str
) -> Iterator[str]:
    if len(value) < schema.get("minItems", 0):
        yield f"{at} has too few items"
    if schema.get("uniqueItems") and any(v in value[:i] for i, v in enumerate(value)):
        yield f"{at} has the same item twice"
    for index, inner in enumerate(value):
        yield from violations(schema["items"], inner, root, f"{at}[{index}]")
