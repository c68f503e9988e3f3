"""Doing with a larger stack what deeply nested code needs one for."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

__all__ = ["deep_enough"]

_P = ParamSpec("_P")
_R = TypeVar("_R")


def deep_enough(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """The function, begun again with a larger stack where code is nested too deeply for the usual
    one. A flat `if` with five hundred `elif` is nested five hundred times."""

    @wraps(function)
    def call(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return function(*args, **kwargs)
        except RecursionError:
            from workflow.sandbox.depth import deeply

            return deeply(lambda: function(*args, **kwargs))

    return call
