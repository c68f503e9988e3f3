"""Where the source of an installed package is, found without running any of it.

A build may hold modules of installed packages (`[tool.workflow] packages`). Their paths are made of
their import names, as in `acme/billing.py`, so that they are the same on every machine; where the
files lie, each environment says for itself.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path, PurePosixPath

__all__ = ["Installed", "find_installed", "find_spec", "source_of"]


@dataclass(frozen=True)
class Installed:
    """A package, or a module, as it is installed here.

    `places` are the folders of a package, more than one where it is a namespace; of a module, its
    file.
    """

    name: str
    places: tuple[Path, ...]

    @property
    def is_module(self) -> bool:
        """Whether it is a single file."""
        return not self.places[0].is_dir()

    @property
    def path(self) -> str:
        """Its path in a build: `acme/billing` of a package, `acme/billing.py` of a module."""
        return self.name.replace(".", "/") + (".py" if self.is_module else "")

    def file(self, path: str) -> Path | None:
        """The file behind a path of a build; None when the path is not within this."""
        if path == self.path:
            return self.places[0]
        if self.is_module or not path.startswith(f"{self.path}/"):
            return None
        inside = path[len(self.path) + 1 :]
        found = (place / inside for place in self.places)
        return next((file for file in found if file.is_file()), self.places[0] / inside)


def find_installed(name: str) -> Installed | None:
    """What is installed under an import name; None when nothing is, or no Python source."""
    spec = find_spec(name)
    if spec is None:
        return None
    if spec.submodule_search_locations is not None:
        found = dict.fromkeys(Path(place) for place in spec.submodule_search_locations)
        folders = tuple(place for place in found if place.is_dir())
        return Installed(name, folders) if folders else None
    file = Path(spec.origin) if spec.has_location and spec.origin else None
    if file is None or file.suffix != ".py" or not file.is_file():
        return None
    return Installed(name, (file,))


def find_spec(module: str) -> ModuleSpec | None:
    """Where Python would find a module. Nothing is imported, not even the packages around it."""
    first, *inner = module.split(".")
    try:
        spec = importlib.util.find_spec(first)
        for part in inner:
            places = spec.submodule_search_locations if spec is not None else None
            spec = PathFinder.find_spec(part, list(places)) if places else None
    except (ImportError, ValueError, AttributeError):
        return None
    return spec


def source_of(module: str, path: str) -> Path | None:
    """The installed file of a module whose path in a build follows from its import name; None for
    other paths, and where there is no such file."""
    plain = PurePosixPath(*module.split("."))
    if path not in (f"{plain}.py", f"{plain}/__init__.py"):
        return None
    top = find_installed(module.partition(".")[0])
    file = None if top is None else top.file(path)
    return file if file is not None and file.is_file() else None
