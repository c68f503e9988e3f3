"""What the text of a module binds at its top level, and as what."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from workflow.sandbox.plain import bound_by

__all__ = ["Outline", "outline"]

_TWICE = 2


@dataclass
class Outline:
    """The names that a module binds (`bound`, with how often), and those of them that stand for one
    import, value or class: bound once, and not in a block."""

    name: str
    tree: ast.Module
    bound: Counter[str]
    imports: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    constants: dict[str, ast.expr] = field(default_factory=dict)
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)

    def hide(self, name: str) -> None:
        """Let a name stand for nothing that is known."""
        self.bound[name] += _TWICE
        for table in (self.imports, self.constants, self.classes):
            table.pop(name, None)


def outline(name: str, tree: ast.Module, is_package: bool) -> Outline:
    """The outline of the module `name`."""
    module = Outline(name, tree, Counter(_module_bindings(tree)))
    for node in tree.body:
        match node:
            case ast.Import(names=aliases):
                for alias in aliases:
                    if alias.asname is not None or "." not in alias.name:
                        module.imports[alias.asname or alias.name] = (alias.name, None)
            case ast.ImportFrom(names=aliases, level=level):
                source = _absolute(name, is_package, level, node.module)
                for alias in aliases:
                    module.imports[alias.asname or alias.name] = (source, alias.name)
            case ast.Assign(targets=[ast.Name(id=target)], value=value):
                module.constants[target] = value
            case ast.AnnAssign(target=ast.Name(id=target), value=ast.expr() as value):
                module.constants[target] = value
            case ast.ClassDef(name=target):
                module.classes[target] = node
    for table in (module.imports, module.constants, module.classes):
        for target in [target for target in table if module.bound[target] != 1]:
            del table[target]
    return module


def _absolute(name: str, is_package: bool, level: int, source: str | None) -> str:
    if not level:
        return source or ""
    parts = name.split(".")
    kept = parts[: len(parts) - level + is_package]
    return ".".join([*kept, source] if source else kept)


def _module_bindings(tree: ast.Module) -> Iterator[str]:
    """The names that a module binds, once for each time, and all that functions call global."""
    nodes: list[ast.AST] = [tree]
    while nodes:
        node = nodes.pop()
        yield from bound_by(node)
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                nodes.extend(node.decorator_list)
            case ast.Lambda():
                pass
            case _:
                nodes.extend(ast.iter_child_nodes(node))
    for node in ast.walk(tree):
        match node:
            case ast.Global(names=names):
                for name in names:
                    yield from (name,) * _TWICE
            case ast.NamedExpr(target=ast.Name(id=name)):
                yield from (name,) * _TWICE
