"""Classes by id in a process that starts runs and does not work on them.

A worker knows the classes whose instances may be recorded from the registry of its build. A
process that only starts runs knows those that its client modules name, or the build in its folder.
They are looked up by name when a value of theirs comes along, so that naming one imports nothing.
"""

from __future__ import annotations

import sys
import threading
from importlib import import_module
from typing import Any

import msgspec

from workflow.codec import Codec
from workflow.codec.layers import plain
from workflow.codec.references import Known, NoFunctions
from workflow.codec.streams import Adopt
from workflow.errors import SerializationError

__all__ = ["ClientCodec", "register_class"]

_places: dict[str, tuple[str, str]] = {}
_lock = threading.Lock()


def register_class(class_id: str, module: str, name: str, *, replace: bool = True) -> None:
    """Say that `module.name` is the class with this id. The module is not imported for it.

    Without `replace`, what was said before holds.
    """
    with _lock:
        if replace or class_id not in _places:
            _places[class_id] = (module, name)


class ClientCodec(Codec):
    """Records and reads instances of the classes that client modules have named."""

    def encode(
        self,
        value: Any,
        *,
        path: str = "value",
        references: bool = True,
        adopt: Adopt | None = None,
    ) -> bytes:
        """As `Codec.encode`. Whoever has an instance has the module of its class loaded."""
        codec = Codec(_loaded(), functions=_Refusing())
        return codec.encode(value, path=path, references=references, adopt=adopt)

    def decode(self, data: bytes, *, path: str = "value", references: bool = True) -> Any:
        """As `Codec.decode`; imports the modules of the classes that the bytes name.

        Raises SerializationError also when such a module cannot be imported.
        """
        return Codec(_named(data)).decode(data, path=path, references=references)

    def class_of(self, class_id: str) -> type | None:
        """As `Codec.class_of`; imports the module of the class. None when that cannot be done."""
        module, name = _snapshot().get(class_id, ("", ""))
        try:
            found = getattr(import_module(module), name) if module else None
        except (ImportError, AttributeError):
            return None
        return found if isinstance(found, type) else None


class _Refusing(NoFunctions):
    """Knows the functions of client modules, so that they can be arguments: by their ids."""

    def identify(self, function: Any) -> Known | None:
        for kind in ("workflow", "step"):
            found = getattr(function, f"{kind}_id", None)
            if isinstance(found, str):
                return Known(kind, found)
        return None


def _loaded() -> dict[str, type]:
    found: dict[str, type] = {}
    for class_id, (module, name) in _snapshot().items():
        kind = getattr(sys.modules.get(module), name, None)
        if isinstance(kind, type):
            found[class_id] = kind
    return found


def _named(data: bytes) -> dict[str, type]:
    places = _snapshot()
    found: dict[str, type] = {}
    for class_id in places.keys() & _strings(plain(data)):
        module, name = places[class_id]
        try:
            found[class_id] = getattr(import_module(module), name)
        except (ImportError, AttributeError) as error:
            raise SerializationError(
                f"the value holds a {name}, and its class cannot be loaded from {module} in this "
                f"process: {error}"
            ) from error
    return found


def _snapshot() -> dict[str, tuple[str, str]]:
    with _lock:
        return dict(_places)


def _strings(data: bytes) -> set[str]:
    # A recorded value is a flat JSON array, and the id of each class is an entry of it.
    try:
        entries = msgspec.json.decode(data[4:])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return set()  # what is wrong with the bytes is for the codec to say
    return {e for e in entries if isinstance(e, str)} if isinstance(entries, list) else set()
