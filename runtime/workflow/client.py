"""Import client modules under the names of the modules they stand in for.

    from workflow import client

    client.install("generated")
    from shop.flows import place        # generated/client/shop/flows.py; no step code is loaded

For servers that start workflows and leave the steps to workers: the same source works with the
hook and without it, and type checkers see the user's own module.
"""

from __future__ import annotations

import hashlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

from workflow.errors import BundleError, ContextError
from workflow.installed import source_of
from workflow.manifest import read_manifest

__all__ = ["ClientImports", "install"]

_lock = threading.RLock()


@dataclass(frozen=True)
class _Place:
    """A client module: its file, the hash it was built with, and its folder if a package."""

    file: Path
    sha256: str
    package: Path | None


def install(generated: Path | str = "generated") -> ClientImports:
    """From now on, importing a module that has workflows gives its client module.

    `generated` is the folder that `wfc build` wrote. Returns what can be uninstalled, also by
    `with`. Raises BundleError when the folder is missing, damaged, or older than the sources where
    these are present, and ContextError when one of the modules has been imported already.
    """
    folder = Path(generated).resolve()
    manifest = read_manifest(folder)
    root = (folder / manifest["root"]).resolve()
    places: dict[str, _Place] = {}
    for entry in manifest["workflows"].values():
        path = f"client/{entry['path']}"
        source = root / entry["path"]
        if not source.exists():  # perhaps a module of an installed package
            source = source_of(entry["module"], entry["path"]) or source
        package = source.parent if source.name == "__init__.py" else None
        places[entry["module"]] = _Place(folder / path, manifest["files"].get(path, ""), package)
    _check_current(folder, root, manifest, places)
    imports = ClientImports(places)
    imports.install()
    return imports


class ClientImports:
    """An installed import hook; see `install`. Leaving its `with` block uninstalls it."""

    def __init__(self, places: Mapping[str, _Place]) -> None:
        self._first = _Modules(places)
        self._last = _Parents(places)

    @property
    def modules(self) -> tuple[str, ...]:
        """The names of the modules that are replaced, sorted."""
        return tuple(sorted(self._first.places))

    def install(self) -> None:
        """Begin to answer imports. Raises ContextError for modules that are loaded already."""
        with _lock:
            loaded = [m for m in self.modules if m in sys.modules and not _is_client(m)]
            if loaded:
                raise ContextError(
                    f"{', '.join(loaded)} was imported before the client imports were installed, "
                    "so its step code is loaded already. Call workflow.client.install() first, at "
                    "the top of the module that the server starts with"
                )
            if self._first not in sys.meta_path:
                sys.meta_path.insert(0, self._first)
                sys.meta_path.append(self._last)

    def uninstall(self) -> None:
        """Forget the client modules; importing them again gives the user's own. Idempotent.

        Names that were imported from them stay what they are.
        """
        with _lock:
            for finder in (self._first, self._last):
                if finder in sys.meta_path:
                    sys.meta_path.remove(finder)
            for name, module in list(sys.modules.items()):
                loader = getattr(getattr(module, "__spec__", None), "loader", None)
                if getattr(loader, "finder", None) in (self._first, self._last):
                    _forget(name, module)

    def __enter__(self) -> ClientImports:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.uninstall()


def _is_client(name: str) -> bool:
    spec = getattr(sys.modules[name], "__spec__", None)
    return isinstance(getattr(spec, "loader", None), _Loader)


def _forget(name: str, module: ModuleType) -> None:
    del sys.modules[name]
    parent, _, child = name.rpartition(".")
    holder = sys.modules.get(parent)
    if holder is not None and getattr(holder, child, None) is module:
        delattr(holder, child)


class _Modules(importlib.abc.MetaPathFinder):
    """Asked before all others: finds the modules that have workflows."""

    def __init__(self, places: Mapping[str, _Place]) -> None:
        self.places = places

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        place = self.places.get(fullname)
        if place is None:
            return None
        return importlib.util.spec_from_file_location(
            fullname,
            place.file,
            loader=_Loader(fullname, place, self),
            submodule_search_locations=None if place.package is None else [str(place.package)],
        )


class _Parents(importlib.abc.MetaPathFinder):
    """Asked after all others: packages of client modules where the user's own are not deployed."""

    def __init__(self, places: Mapping[str, _Place]) -> None:
        parts = [name.split(".") for name in places]
        self._names = {".".join(p[:end]) for p in parts for end in range(1, len(p))}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in self._names:
            return None
        return importlib.machinery.ModuleSpec(fullname, _Empty(self), is_package=True)


class _Empty(importlib.abc.Loader):
    """A package with nothing in it."""

    def __init__(self, finder: _Parents) -> None:
        self.finder = finder

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing to run."""


class _Loader(importlib.machinery.SourceFileLoader):
    """Runs the file of a client module, if it is still the one that was built."""

    def __init__(self, name: str, place: _Place, finder: _Modules) -> None:
        super().__init__(name, str(place.file))
        self.finder = finder
        self._sha256 = place.sha256

    def path_stats(self, path: str) -> dict[str, Any]:
        """No bytecode is kept: it could be that of another text, and this folder is generated."""
        raise OSError

    def get_data(self, path: str) -> bytes:
        """The bytes of the file. Raises BundleError when they are not those of the build."""
        data = super().get_data(path)
        if path == self.path and hashlib.sha256(data).hexdigest() != self._sha256:
            raise BundleError(
                f"{path} is not what the last build wrote: run `wfc build` and start again"
            )
        return data

    def exec_module(self, module: ModuleType) -> None:
        """Run the file, and let the module explain what it does not have."""
        super().exec_module(module)
        module.__dict__.setdefault("__getattr__", _explaining(module.__name__, self.path))


def _explaining(name: str, file: str) -> Any:
    def __getattr__(attribute: str) -> Any:  # noqa: N807 (Python calls it by this name)
        if attribute.startswith("__"):  # what Python itself looks for
            raise AttributeError(f"module {name!r} has no attribute {attribute!r}")
        raise AttributeError(
            f"{name} is the client module {file} here, which holds the workflows and the classes "
            f"of {name} that their signatures name, and no {attribute!r}. Import that from a "
            "module without workflows, or do without workflow.client.install()"
        )

    return __getattr__


def _check_current(
    folder: Path, root: Path, manifest: Mapping[str, Any], places: Mapping[str, _Place]
) -> None:
    sources = {entry["path"]: entry["source_sha256"] for entry in manifest["modules"]}
    for path in sorted({entry["path"] for entry in manifest["workflows"].values()}):
        source = root / path
        if not source.is_file():
            continue  # a deployment may come without the sources
        if hashlib.sha256(source.read_bytes()).hexdigest() != sources[path]:
            raise BundleError(
                f"{folder.name}/ is older than {path}: run `wfc build` and start again"
            )
    for place in places.values():
        if not place.file.is_file():
            raise BundleError(f"{place.file} is missing: run `wfc build` again")
