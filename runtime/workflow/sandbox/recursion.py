"""Which functions of a module are entered again and again without a loop around them.

Functions that call each other in a circle can go on for ever, or nearly so, without getting deep;
C code calls `__next__` and `__getitem__` until they say that it is enough. What calls what is read
off the names: a function that mentions the name of another one may call it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

__all__ = ["MAKERS", "repeated"]

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_DRIVEN = frozenset({"__next__", "__getitem__", "__anext__"})
"""What is called in a loop that is none of the workflow's."""
MAKERS = frozenset({"__init__", "__post_init__"})
"""What a call of a class calls."""


def repeated(tree: ast.AST) -> frozenset[str]:
    """The names of the functions in a module that may be called without end."""
    mentioned: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, _Function):
            mentioned.setdefault(node.name, set()).update(_names(node.body))
        elif isinstance(node, ast.ClassDef):
            # Who calls a class calls what makes its objects.
            makers = [part for part in node.body if getattr(part, "name", "") in MAKERS]
            mentioned.setdefault(node.name, set()).update(_names(makers))
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
            for target in node.targets:
                named = _names([target])
                for name in named:
                    mentioned.setdefault(name, set()).update(_names([node.value]))
    graph = {name: names & mentioned.keys() for name, names in mentioned.items()}
    return frozenset(name for name in graph if name in _DRIVEN or _leads_back(graph, name))


def _names(body: Iterable[ast.AST]) -> set[str]:
    found: set[str] = set()
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name):
                found.add(node.id)
            elif isinstance(node, ast.Attribute):
                found.add(node.attr)
    return found


def _leads_back(graph: dict[str, set[str]], name: str) -> bool:
    seen: set[str] = set()
    ahead = [name]
    while ahead:
        for other in graph[ahead.pop()]:
            if other == name:
                return True
            if other not in seen:
                seen.add(other)
                ahead.append(other)
    return False
