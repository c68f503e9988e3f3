"""The bundle: the orchestration code of a project as one value, named by the hash of its bytes.

The compiler makes it, worlds store it, workers execute it. Its bytes are canonical JSON, so equal
code has an equal hash on every machine.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

from workflow.errors import BundleError

__all__ = ["ABI", "Bundle", "ModuleSource"]

ABI = 1
"""The version of the contract between bundles and the runtime."""

_FIELDS = {"abi", "modules", "workflows", "classes"}
_LATER = {"steps"}  # added since: left out of the bytes when empty, so that old hashes stay valid
_REBUILD = "build again with `wfc build`"


@dataclass(frozen=True)
class ModuleSource:
    """The workflow-mode text of one module.

    `name` is the name it is imported by, `path` the user's file relative to the project root in
    POSIX form. Lines are those of the user's file.
    """

    name: str
    path: str
    source: str

    @property
    def is_package(self) -> bool:
        """Whether relative imports in it start from the module itself."""
        return self.path.rpartition("/")[2] == "__init__.py"


@dataclass(frozen=True)
class Bundle:
    """Modules sorted by name, and where to find workflows, classes and the stubs of steps by id.

    A place is a module and a qualified name; that of a nested step has `<locals>` in it, as its
    `__qualname__`. Bundles made before steps were listed have none.
    """

    modules: tuple[ModuleSource, ...]
    workflows: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    classes: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    abi: int = ABI
    steps: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "modules", tuple(sorted(self.modules, key=lambda m: m.name)))
        names = [module.name for module in self.modules]
        for name, following in pairwise(names):
            if name == following:
                raise BundleError(f"the bundle has two modules named {name!r}; {_REBUILD}")
        for target, (module, _) in {**self.workflows, **self.classes, **self.steps}.items():
            if module not in names:
                raise BundleError(
                    f"{target} is in module {module!r}, which is not in the bundle; {_REBUILD}"
                )

    def to_bytes(self) -> bytes:
        """The canonical bytes: JSON with sorted keys, no spaces, UTF-8."""
        value: dict[str, Any] = {
            "abi": self.abi,
            "modules": [
                {"name": module.name, "path": module.path, "source": module.source}
                for module in self.modules
            ],
            "workflows": {key: list(place) for key, place in self.workflows.items()},
            "classes": {key: list(place) for key, place in self.classes.items()},
        }
        if self.steps:
            value["steps"] = {key: list(place) for key, place in self.steps.items()}
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return text.encode()

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the bytes, as 64 hexadecimal digits."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    @classmethod
    def from_bytes(cls, data: bytes, *, hash: str | None = None) -> Bundle:
        """Read a stored bundle. Raises `BundleError` for bytes that are no bundle, that this
        version cannot run, or that do not have the expected `hash` (default: not checked)."""
        if hash is not None and hashlib.sha256(data).hexdigest() != hash:
            raise BundleError(f"the stored bundle {hash} has been changed or damaged; {_REBUILD}")
        try:
            value = json.loads(data)
        except ValueError as error:
            raise BundleError(f"the bundle is not readable: {error}; {_REBUILD}") from None
        later = {key for key in _LATER if isinstance(value, dict) and value.get(key)}
        if not isinstance(value, dict) or value.keys() - later != _FIELDS:
            raise BundleError(f"the bundle does not have the fields of a bundle; {_REBUILD}")
        if value["abi"] != ABI:
            raise BundleError(
                f"the bundle is for version {value['abi']!r} of the runtime's contract, "
                f"this runtime has version {ABI}; install the runtime it was built for"
            )
        try:
            return cls(
                modules=tuple(map(_module, value["modules"])),
                workflows=_places(value["workflows"]),
                classes=_places(value["classes"]),
                steps=_places(value.get("steps", {})),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise BundleError(f"the bundle is malformed: {error}; {_REBUILD}") from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, found {type(value).__name__}")
    return value


def _module(value: Any) -> ModuleSource:
    return ModuleSource(_text(value["name"]), _text(value["path"]), _text(value["source"]))


def _places(value: Any) -> dict[str, tuple[str, str]]:
    places = {}
    for key, (module, qualname) in value.items():
        places[_text(key)] = (_text(module), _text(qualname))
    return places
