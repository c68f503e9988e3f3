"""What one module of a bundle sees of another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from workflow.errors import SandboxError
from workflow.sandbox import names

__all__ = ["ModuleView"]


class ModuleView:
    """A module of the bundle as other workflow code sees it: its names, read-only.

    `below` gives a module of the bundle by its import name, None when there is none of that name.
    In Python `package.part` is there as soon as anybody has imported it. The bundle may have left
    that import out, so the part is looked for when it is asked for.
    """

    def __init__(
        self, name: str, space: dict[str, Any], below: Callable[[str], ModuleView | None]
    ) -> None:
        self.__dict__["$space"] = space
        self.__dict__["$name"] = name
        self.__dict__["$below"] = below
        # Not the real name, for the reason given in `Facade`.
        self.__dict__["__name__"] = f"<workflow {name}>"

    def __getattr__(self, attribute: str) -> Any:
        space = self.__dict__["$space"]
        said = attribute in names.SETTABLE_IN_MODULES
        hidden = (names.is_dunder(attribute) and not said) or attribute[:1] == "$"
        if not hidden and attribute in space:
            return space[attribute]
        name = self.__dict__["$name"]
        part = None if hidden else self.__dict__["$below"](f"{name}.{attribute}")
        if part is None:
            raise AttributeError(f"module {name!r} has no attribute {attribute!r}")
        return part

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
