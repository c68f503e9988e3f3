"""The variables that a nested function takes from the functions around it.

Python's own `symtable` answers, so that the names are those of the cells the function gets when
its code is made into a function again.
"""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterator

from wfc.model import Function, Module
from wfc.nodes import walk

__all__ = ["Captures", "written"]


class Captures:
    """Answers for the functions of one module. The symbol tables are made when first needed."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._tables: dict[tuple[str, int], symtable.Function] | None = None

    def of(self, function: Function) -> tuple[str, ...]:
        """The captured variables by name, without the function itself, which it may call."""
        table = self._table(function)
        return tuple(sorted(set(table.get_frees()) - {function.name})) if table else ()

    def _table(self, function: Function) -> symtable.Function | None:
        if self._tables is None:
            top = symtable.symtable(self._module.text, self._module.path, "exec")
            self._tables = {(t.get_name(), t.get_lineno()): t for t in _functions(top)}
        return self._tables.get((function.name, function.lineno))


def _functions(table: symtable.SymbolTable) -> Iterator[symtable.Function]:
    # From Python 3.12 on type parameters have tables of their own around the function's.
    for child in table.get_children():
        if isinstance(child, symtable.Function) and child.get_type() == "function":
            yield child
        yield from _functions(child)


def written(function: Function, captured: tuple[str, ...]) -> dict[str, ast.Nonlocal]:
    """The captured variables that a function writes to, itself or in functions inside it, with
    the first `nonlocal` statement that says so."""
    found: dict[str, ast.Nonlocal] = {}
    for node in walk(function):
        if isinstance(node, ast.Nonlocal):
            for name in node.names:
                if name in captured and (name not in found or node.lineno < found[name].lineno):
                    found[name] = node
    return found
