"""Copies of values for workflow code: all but what belongs to the run itself."""

from __future__ import annotations

import copy
from types import ModuleType
from typing import Any

from workflow.errors import SandboxError
from workflow.sandbox.facades.aio import LoopView
from workflow.sandbox.facades.facade import Facade
from workflow.sandbox.ownership import owns

__all__ = ["deep_copy", "shallow_copy"]

# A copy of these would take the state of the run along, for everyone to read.
_LIVE = (
    *("asyncio", "_asyncio", "workflow.authoring.children", "workflow.authoring.hooks"),
    *("workflow.engine", "workflow.replay"),
)
_LIVE_CLASSES = (Facade, LoopView, ModuleType)


def _copyable(value: Any) -> Any:
    if isinstance(value, _LIVE_CLASSES):
        raise SandboxError("modules and the event loop cannot be copied in workflow code")
    if not isinstance(value, BaseException):
        for cls in type(value).__mro__:
            if cls.__module__.startswith(_LIVE) and not owns(cls):
                raise SandboxError(f"{cls.__name__} objects cannot be copied in workflow code")
    return value


class _Memo(dict[int, Any]):
    """What `deepcopy` remembers: each copy is put here before it is given its state."""

    def __setitem__(self, key: int, value: Any) -> None:
        super().__setitem__(key, _copyable(value))


def shallow_copy(x: Any) -> Any:
    """`copy.copy`."""
    return copy.copy(_copyable(x))


def deep_copy(x: Any, memo: None = None) -> Any:
    """`copy.deepcopy`, without a `memo`: it would show what objects of a run are made of."""
    if memo is not None:
        raise SandboxError("copy.deepcopy() takes only the value in workflow code, and no memo")
    return copy.deepcopy(_copyable(x), _Memo())
