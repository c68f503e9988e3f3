"""What the client stubs of a module have to hold, decided on names alone."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from wfc.analyse.scopes import ImportUse, Use, annotation_uses, uses
from wfc.model import Function, Kind, Module, Program
from wfc.parse.bindings import alias_keys, bound_names, is_type_checking

__all__ = ["ClientPlan", "client_plan"]


@dataclass(frozen=True)
class ClientPlan:
    """Client mode of one module.

    `keep`: indexes of statements that signatures need; `aliases`: the names to keep of imports;
    `package`: where relative imports start; `workflows`: ids by qualified name.
    """

    path: str
    keep: frozenset[int]
    aliases: Mapping[int, frozenset[str]]
    package: str
    workflows: Mapping[str, str]

    def to_text(self) -> str:
        """A canonical text of the plan."""
        aliases = {str(i): sorted(names) for i, names in self.aliases.items()}
        return json.dumps(
            [self.path, sorted(self.keep), aliases, self.package, dict(self.workflows)],
            sort_keys=True,
        )


def client_plan(program: Program, module: Module) -> ClientPlan:
    """The plan for a module that has workflows."""
    workflows = [m for m in program.of(Kind.WORKFLOW) if m.module is module]
    keep: set[int] = set()
    aliases: dict[int, set[str]] = {}
    places = _places(module)
    queue = [name for m in workflows for name in _signature(m.node)]
    seen: set[str] = set()
    own = {m.qualname.partition(".")[0] for m in workflows}
    while queue:
        name = queue.pop()
        if name in seen or name in own:
            continue
        seen.add(name)
        for index in places.get(name, ()):
            statement = module.tree.body[index]
            keep.add(index)
            if isinstance(statement, ast.Import | ast.ImportFrom):
                aliases.setdefault(index, set()).update(alias_keys(statement, name))
            else:
                queue.extend(_needs(statement))
    return ClientPlan(
        path=module.path,
        keep=frozenset(keep),
        aliases={index: frozenset(found) for index, found in aliases.items()},
        package=module.name if module.is_package else module.name.rpartition(".")[0],
        workflows={m.qualname: m.id for m in workflows},
    )


def _places(module: Module) -> dict[str, list[int]]:
    found = {name: list(indexes) for name, indexes in module.bindings.items()}
    for index, statement in enumerate(module.tree.body):
        if is_type_checking(statement):
            for name in bound_names(statement):
                found.setdefault(name, []).append(index)
    return found


def _signature(function: Function) -> Iterator[str]:
    yield from _named(annotation_uses(function))
    for default in [*function.args.defaults, *filter(None, function.args.kw_defaults)]:
        yield from _named(uses(ast.Expr(value=default)))


def _needs(statement: ast.stmt) -> Iterator[str]:
    yield from _named(uses(statement))
    for node in ast.walk(statement):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _named(annotation_uses(node))
        elif isinstance(node, ast.AnnAssign):
            yield from (n.id for n in ast.walk(node.annotation) if isinstance(n, ast.Name))
        elif isinstance(node, ast.Name):
            yield node.id  # a type-checking block names what it imports


def _named(found: list[Use | ImportUse]) -> Iterator[str]:
    yield from (use.name for use in found if isinstance(use, Use))
