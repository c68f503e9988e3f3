"""`contextvars` for workflow code.

Variables are the real ones: every task of a run has a context that began empty with the run, so
what is set there is the run's alone. Only a context itself is replaced: the real one can be
iterated, in an order that is another in every process.
"""

from __future__ import annotations

import contextvars as real
from collections.abc import Callable
from typing import Any, NoReturn

from workflow.errors import SandboxError
from workflow.sandbox.facades.facade import named_like

__all__ = ["Context", "contextvars_members", "native"]


class Context:
    """`contextvars.Context` of workflow code: run in it, look a variable up, copy it."""

    __slots__ = ("__native__",)
    __native__: real.Context

    def __init__(self) -> None:
        self.__native__ = real.Context()

    def run(self, callable: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        return self.__native__.run(callable, *args, **kwargs)

    def copy(self) -> Context:
        return _wrapped(self.__native__.copy())

    def get(self, var: Any, default: Any = None, /) -> Any:
        return self.__native__.get(var, default)

    def __getitem__(self, var: Any) -> Any:
        return self.__native__[var]

    def __contains__(self, var: Any) -> bool:
        return var in self.__native__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Context) and self.__native__ == other.__native__

    __hash__ = None  # type: ignore[assignment]

    def _refuse(self, *_: Any) -> NoReturn:
        raise SandboxError(
            "the variables of a context have no order that a replay could repeat; "
            "look up the ones you know"
        )

    __iter__ = __len__ = keys = values = items = _refuse

    def __repr__(self) -> str:
        return "<Context>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("contexts cannot be copied; use their copy()")


named_like(Context, "_contextvars", "Context")


def _wrapped(native: real.Context) -> Context:
    made = Context.__new__(Context)
    made.__native__ = native
    return made


def copy_context() -> Context:
    """`contextvars.copy_context`."""
    return _wrapped(real.copy_context())


def native(context: Any) -> Any:
    """The real context behind the one workflow code passes as `context=`."""
    return context.__native__ if isinstance(context, Context) else context


def contextvars_members() -> dict[str, Any]:
    """The members of the `contextvars` facade."""
    return {
        "Context": Context,
        "ContextVar": real.ContextVar,
        "Token": real.Token,
        "copy_context": copy_context,
    }
