"""What one module of a bundle sees of another."""

from __future__ import annotations

from typing import Any, NoReturn

from workflow.errors import SandboxError
from workflow.sandbox import names

__all__ = ["ModuleView"]


class ModuleView:
    """A module of the bundle as other workflow code sees it: its names, read-only."""

    def __init__(self, name: str, space: dict[str, Any]) -> None:
        self.__dict__["$space"] = space
        self.__dict__["$name"] = name
        # Not the real name, for the reason given in `Facade`.
        self.__dict__["__name__"] = f"<workflow {name}>"

    def __getattr__(self, attribute: str) -> Any:
        space = self.__dict__["$space"]
        hidden = names.is_dunder(attribute) or attribute[:1] == "$"
        if hidden or attribute not in space:
            name = self.__dict__["$name"]
            raise AttributeError(f"module {name!r} has no attribute {attribute!r}")
        return space[attribute]

    def __setattr__(self, attribute: str, value: object) -> NoReturn:
        name = self.__dict__["$name"]
        raise SandboxError(
            f"{name}.{attribute} cannot be set from another module; give {name!r} a function for it"
        )

    def __delattr__(self, attribute: str) -> NoReturn:
        self.__setattr__(attribute, None)

    def __repr__(self) -> str:
        return f"<workflow module {self.__dict__['$name']}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("modules cannot be copied")
