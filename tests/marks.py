"""Which tests carry a mark of ours that names what they show."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

__all__ = ["marked"]

TESTS = Path(__file__).parent


def marked(mark: str) -> dict[str, list[str]]:
    """What `@pytest.mark.<mark>("name", …)` names, and the tests, as `file.py::test`."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(TESTS.rglob("test_*.py")):
        text = path.read_text("utf-8")
        if f"mark.{mark}(" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for name in _named(node, mark):
                    found[name].append(f"{path.relative_to(TESTS)}::{node.name}")
    return found


def _named(function: ast.FunctionDef | ast.AsyncFunctionDef, mark: str) -> list[str]:
    return [
        ast.literal_eval(argument)
        for decorator in function.decorator_list
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func).endswith(f"mark.{mark}")
        for argument in decorator.args
    ]
