"""Paths in workflow code: names of files, without the files.

A step may return a `Path`. What it says about its text can be asked in a body as well; what would
look at the disk cannot, because the next worker has another one.
"""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import Any, NoReturn

from workflow.errors import SandboxError

__all__ = ["BodyPath"]

_NATIVE: Any = type(Path())


class BodyPath(_NATIVE):  # type: ignore[misc]  # which of the two it is depends on the machine
    """A `Path` in workflow code. It is recorded as one, and steps get one."""

    __slots__ = ()


def _refusing(name: str) -> Any:
    def refuse(*args: Any, **options: Any) -> NoReturn:
        raise SandboxError(
            f"Path.{name}() asks the machine for its files, and a workflow may continue on "
            "another; do it in a step"
        )

    return staticmethod(refuse)


# What a path can do beside what its text says is what reaches the disk.
for _name in set(dir(_NATIVE)) - set(dir(PurePath)):
    if not _name.startswith("_"):
        setattr(BodyPath, _name, _refusing(_name))

# In texts it is what it is elsewhere.
BodyPath.__module__ = _NATIVE.__module__
BodyPath.__name__ = BodyPath.__qualname__ = _NATIVE.__name__
