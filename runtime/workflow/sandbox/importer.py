"""The import system of one instance of a bundle: its own modules first, then the facades.

Modules of the bundle are executed once per instance, so their globals are fresh for every run.
Other workflow code sees them through a read-only view, as it sees the libraries.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import CodeType
from typing import Any

from workflow.replay import limits, warned
from workflow.replay.loop import pristine, running
from workflow.sandbox import facades
from workflow.sandbox.facades.facade import Facade, missing
from workflow.sandbox.namespace import fresh_builtins, fresh_namespace
from workflow.sandbox.views import ModuleView

__all__ = ["CompiledModule", "Importer", "ModuleView", "resolve"]


@dataclass(frozen=True)
class CompiledModule:
    """The code of one module of a bundle, ready to be executed in any number of namespaces."""

    name: str
    code: CodeType
    is_package: bool


class Importer:
    """Resolves the imports of one instance and holds its executed modules."""

    def __init__(
        self,
        modules: Mapping[str, CompiledModule],
        passthrough: Iterable[str],
        given: Mapping[str, Mapping[str, Any]] | None = None,
        *,
        lasting: bool = False,
    ) -> None:
        """`given` are what modules take over from others; `lasting` is for what outlives runs."""
        self._given = given or {}
        self._lasting = lasting
        self._modules = modules
        self._passthrough = frozenset(passthrough)
        self._spaces: dict[str, dict[str, Any]] = {}
        self._views: dict[str, ModuleView] = {}
        self._builtins = fresh_builtins(self._import)
        # `examples` of `examples.signup.flows` is importable even when it is not in the bundle.
        self._packages = {
            name[:end] for name in modules for end, char in enumerate(name) if char == "."
        }

    def namespace(self, name: str) -> dict[str, Any]:
        """The globals of a module of the bundle, executed at the first call.

        A module that is still being executed gives what it has so far, as in Python.
        """
        space = self._spaces.get(name)
        if space is not None:
            return space
        if parent := name.rpartition(".")[0]:
            # First the packages around it, as in Python: one may import this module itself.
            self._bundled(parent)
            if name in self._spaces:
                return self._spaces[name]
        compiled = self._modules.get(name)
        package = name if compiled is None or compiled.is_package else name.rpartition(".")[0]
        space = fresh_namespace(name, package, self._builtins, lasting=self._lasting)
        space.update(self._given.get(name, ()))
        self._spaces[name] = space
        if compiled is not None:
            try:
                _execute(compiled.code, space)
            except BaseException:
                del self._spaces[name]
                raise
        return space

    def _bundled(self, name: str) -> ModuleView | None:
        """Execute a module of the bundle with the packages around it; None when it is not one."""
        if name not in self._modules and name not in self._packages:
            return None
        view = self._views.get(name)
        if view is not None:
            return view
        parent, _, last = name.rpartition(".")
        if parent:
            self._bundled(parent)
        view = self._views[name] = ModuleView(name, self.namespace(name), self._bundled)
        if parent:
            self._spaces[parent].setdefault(last, view)
        return view

    def _find(self, name: str) -> ModuleView | Facade:
        found = self._bundled(name) or facades.get(name, self._passthrough)
        if found is None:
            # What Python raises for a module that is not there, so that `try: import …` with a
            # fallback goes on as it was written.
            raise _not_available(name)
        return found

    def _import(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Any = (),
        level: int = 0,
    ) -> Any:
        if type(fromlist) is list:
            # C code, such as datetime.strftime, imports what it needs through the builtins of the
            # calling frame and passes a list; an import statement passes a tuple or None.
            return builtins.__import__(name, None, None, fromlist, 0)
        if level:
            name = _absolute(name, str((globals or {}).get("__package__") or ""), level)
        found = self._find(name)
        if not fromlist and name in facades.NAMES_ONLY and isinstance(found, Facade):
            raise _not_available(name)
        if fromlist:
            for wanted in fromlist:
                self._require(found, name, wanted)
            return found
        return self._find(name.partition(".")[0])

    def _require(self, found: ModuleView | Facade, name: str, wanted: str) -> None:
        """Make sure `from name import wanted` finds something, or say why not."""
        if isinstance(found, ModuleView):
            try:
                getattr(found, wanted)
            except AttributeError:
                if self._bundled(f"{name}.{wanted}") is None:
                    raise ImportError(
                        f"cannot import {wanted!r} from {name!r}: the bundle has no such name",
                        name=name,
                    ) from None
        elif wanted not in found.__dict__:
            raise ImportError(missing(found, wanted), name=name)


def _not_available(name: str) -> ModuleNotFoundError:
    return ModuleNotFoundError(
        f"module {name!r} is not available in workflow code: {facades.advice(name)}", name=name
    )


def _execute(code: CodeType, space: dict[str, Any]) -> None:
    if running() is not None:
        exec(code, space)  # imported by the body, as part of its turn
        return
    before = limits.begin()
    try:
        with warned.as_warnings():
            pristine().run(exec, code, space)
    finally:
        limits.resume(before)


def _absolute(name: str, package: str, level: int) -> str:
    parts = package.split(".") if package else []
    if level > len(parts):
        raise ImportError("relative import goes beyond the top-level package")
    base = parts[: len(parts) - level + 1]
    return ".".join([*base, name] if name else base)


def resolve(space: Mapping[str, Any], qualname: str) -> Any:
    """The object a dotted name stands for in the globals of a module, else KeyError."""
    first, *rest = qualname.split(".")
    value = space[first]
    for part in rest:
        if part not in vars(value):
            raise KeyError(qualname)
        value = getattr(value, part)
    return value
