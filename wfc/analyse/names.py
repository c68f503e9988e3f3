"""What a name in a module stands for: a name of the project, a module, or something outside
it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from wfc.model import External, Key, Marked, Module

__all__ = ["Names", "ProjectModule", "ProjectName", "Target", "by_place"]


@dataclass(frozen=True)
class ProjectName:
    """A top-level name of a project module, and the attributes taken from it."""

    key: Key
    rest: tuple[str, ...] = ()


@dataclass(frozen=True)
class ProjectModule:
    """A module of the project, used as a value."""

    name: str


Target = ProjectName | ProjectModule | External | None
Importing = ast.Import | ast.ImportFrom


@dataclass(frozen=True, eq=False)
class Names:
    """Resolution over the modules of the project.

    `find` gives a module by import name, parsed when first asked for, None if it is not ours;
    `is_folder` tells namespace packages.
    """

    find: Callable[[str], Module | None]
    is_folder: Callable[[str], bool]
    known_external: frozenset[str] = frozenset()

    def of(self, module: Module, name: str, attrs: tuple[str, ...] = ()) -> Target:
        """What `name.attrs` at the top level of `module` stands for; None if nothing binds it."""
        importing = self.import_of(module, name)
        if importing is not None:
            return self.imported(module, importing, name, attrs)
        if name in module.bindings:
            return ProjectName((module.name, name), attrs)
        if module.is_package and self._is_ours(f"{module.name}.{name}"):
            return self._walk(f"{module.name}.{name}", attrs)
        return None

    def import_of(self, module: Module, name: str) -> Importing | None:
        """The import statement that binds `name` at the top of `module`, if only imports do."""
        found: Importing | None = None
        for index in module.bindings.get(name, ()):
            statement = module.tree.body[index]
            if not isinstance(statement, ast.Import | ast.ImportFrom):
                return None
            found = statement
        return found

    def imported(
        self, module: Module, statement: Importing, name: str, attrs: tuple[str, ...] = ()
    ) -> Target:
        """What `name.attrs` stands for when `statement` in `module` binds `name`."""
        for alias in statement.names:
            if isinstance(statement, ast.ImportFrom):
                if (alias.asname or alias.name) == name:
                    base = self.absolute(module, statement)
                    return self._member(base, (alias.name, *attrs))
            elif alias.asname == name:
                return self._walk(alias.name, attrs)
        # `import a.b` and `import a.c` both bind `a`: the attributes say which is meant.
        return self._walk(name, attrs)

    @staticmethod
    def absolute(module: Module, statement: ast.ImportFrom) -> str:
        """The absolute name of the module that a `from … import` names."""
        if not statement.level:
            return statement.module or ""
        parts = module.name.split(".")
        drop = statement.level - (1 if module.is_package else 0)
        base = parts[: len(parts) - drop] if drop else parts
        return ".".join([*base, *([statement.module] if statement.module else [])])

    def follow(self, target: Target) -> Target:
        """The definition behind a name that is only re-exported."""
        for _ in range(50):  # a cycle of imports ends somewhere too
            if not isinstance(target, ProjectName):
                return target
            module = self.find(target.key[0])
            if module is None or self.import_of(module, target.key[1]) is None:
                return target
            target = self.of(module, target.key[1], target.rest)
        return target

    def _is_ours(self, name: str) -> bool:
        return self.find(name) is not None or self.is_folder(name)

    def _walk(self, module_name: str, attrs: tuple[str, ...]) -> Target:
        """`module_name.attrs`, where the first attributes may be submodules."""
        if not self._is_ours(module_name):
            return self._outside(module_name, attrs)
        if not attrs:
            return ProjectModule(module_name)
        return self._member(module_name, attrs)

    def _member(self, module_name: str, attrs: tuple[str, ...]) -> Target:
        module = self.find(module_name)
        if module is None and not self.is_folder(module_name):
            return self._outside(module_name, attrs)
        first, rest = attrs[0], attrs[1:]
        if (module is None or first not in module.bindings) and self._is_ours(
            f"{module_name}.{first}"
        ):
            return self._walk(f"{module_name}.{first}", rest)
        return ProjectName((module_name, first), rest)

    def _outside(self, module_name: str, attrs: tuple[str, ...]) -> External:
        for end in range(len(attrs), 0, -1):
            longer = ".".join([module_name, *attrs[:end]])
            if longer in self.known_external:
                module_name, attrs = longer, attrs[end:]
                break
        return External(module_name, attrs[0] if attrs else None, attrs[1:])


def by_place(marked: tuple[Marked, ...]) -> Mapping[tuple[str, str], Marked]:
    """Workflows and steps by module name and qualified name."""
    return {(m.module.name, m.qualname): m for m in marked}
