"""Constants in the text, as JSON values."""

from __future__ import annotations

import ast
from typing import Any

__all__ = ["MISSING", "constraints", "json_value"]

MISSING: Any = object()
"""What `json_value` gives for everything that is not a JSON constant."""


def json_value(node: ast.AST | None) -> Any:
    """The JSON value that a literal stands for, or `MISSING`."""
    if node is None:
        return MISSING
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return MISSING
    return value if _is_json(value) else MISSING


def _is_json(value: object) -> bool:
    if isinstance(value, float):
        return value == value and abs(value) != float("inf")
    if value is None or isinstance(value, bool | int):
        return True
    if isinstance(value, str):
        # A lone surrogate cannot be written as UTF-8.
        return value.encode("utf-8", "ignore").decode() == value
    if isinstance(value, list):
        return all(map(_is_json, value))
    if isinstance(value, dict):
        return all(isinstance(k, str) and _is_json(v) for k, v in value.items())
    return False


def constraints(call: ast.Call) -> dict[str, Any]:
    """The keyword arguments of a call that are JSON constants."""
    found: dict[str, Any] = {}
    for keyword in call.keywords:
        value = json_value(keyword.value)
        if keyword.arg and value is not MISSING:
            found[keyword.arg] = value
    return found
