"""Which names are global: our resolver, which knows places, against Python's own."""

from __future__ import annotations

import ast
import symtable
from pathlib import Path

import pytest

from wfc.analyse.scopes import Use, uses
from wfc.parse.source import parse

STANDARD = ["argparse", "dataclasses", "enum", "inspect", "asyncio.tasks", "typing", "textwrap"]


def globals_of(table: symtable.SymbolTable) -> set[str]:
    found = {s.get_name() for s in table.get_symbols() if s.is_global() and s.is_referenced()}
    for child in table.get_children():
        found |= globals_of(child)
    return found


class _WithoutAnnotations(ast.NodeTransformer):
    def visit_arg(self, node: ast.arg) -> ast.arg:
        return ast.arg(node.arg)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        node.returns = None
        if hasattr(node, "type_params"):  # from 3.12 on; they serve annotations only
            node.type_params = []
        return self.generic_visit(node)

    visit_FunctionDef = visit_AsyncFunctionDef = _function  # noqa: N815


@pytest.mark.parametrize("name", STANDARD)
def test_global_names_agree_with_symtable(name: str) -> None:
    """For every function of a standard module both find the same global names."""
    source = (Path(symtable.__file__).parent / (name.replace(".", "/") + ".py")).read_bytes()
    module = parse(name, f"{name}.py", source)
    checked = 0
    for statement in module.tree.body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            bare = _WithoutAnnotations().visit(ast.parse(ast.unparse(statement)))
            table = symtable.symtable(ast.unparse(bare), name, "exec")
            ours = {
                use.name for use in uses(bare.body[0]) if isinstance(use, Use) and not use.binding
            }
            top = {s.get_name() for s in table.get_symbols() if s.is_referenced()}
            theirs = top | {n for c in table.get_children() for n in globals_of(c)}
            # From 3.12 on symtable lists the cell behind `super()`; no source spells it.
            assert ours == theirs - {"__class__"}
            checked += 1
    assert checked
