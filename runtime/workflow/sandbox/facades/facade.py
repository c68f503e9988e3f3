"""The frozen stand-in for a module."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any, NoReturn

from workflow.errors import SandboxError

__all__ = ["Facade", "named_like", "pick"]


class Facade:
    """What `import name` gives workflow code: listed members, read-only, never a module inside.

    `advice` maps names people look for and do not find to a sentence of help.
    """

    def __init__(
        self, name: str, members: Mapping[str, Any], advice: Mapping[str, str] | None = None
    ) -> None:
        space = self.__dict__
        for key, value in members.items():
            if isinstance(value, ModuleType):
                raise TypeError(f"{name}.{key} is a module")
            space[key] = value
        # Not the real name: for a name it does not find, `from asyncio import x` goes on to look
        # for "<__name__>.x" in sys.modules.
        space["__name__"] = f"<workflow {name}>"
        space["$name"] = name
        space["$advice"] = dict(advice or {})

    def __getattr__(self, attribute: str) -> NoReturn:
        # Without `obj`: nothing of ours travels with the error.
        raise AttributeError(missing(self, attribute))

    def __setattr__(self, attribute: str, value: object) -> NoReturn:
        raise SandboxError(f"the module {self.__dict__['$name']!r} is read-only in workflow code")

    def __delattr__(self, attribute: str) -> NoReturn:
        raise SandboxError(f"the module {self.__dict__['$name']!r} is read-only in workflow code")

    def __repr__(self) -> str:
        return f"<workflow module {self.__dict__['$name']}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("modules cannot be copied")


def missing(facade: Facade, attribute: str) -> str:
    """The sentence for a member that a facade does not have."""
    space = facade.__dict__
    text = f"{space['$name']}.{attribute} is not available in workflow code"
    advice = space["$advice"].get(attribute)
    return f"{text}: {advice}" if advice else f"{text}; move the call into a step"


def named_like(ours: Any, module: str, name: str) -> None:
    """Let `repr` and error messages show a class of workflow code under the name it goes by."""
    ours.__module__ = module
    ours.__name__ = ours.__qualname__ = name


def pick(module: Any, members: frozenset[str]) -> dict[str, Any]:
    """The listed members of a module; it is our mistake when one does not exist."""
    return {name: getattr(module, name) for name in sorted(members)}
