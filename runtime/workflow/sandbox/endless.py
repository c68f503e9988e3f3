"""What may have no end in the libraries, counted like the rounds of a loop."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from workflow.replay.limits import tick

__all__ = ["Count", "Cycle", "Repeat", "iterate"]


class Count(itertools.count):  # type: ignore[type-arg]
    """`itertools.count`, counted like the rounds of a loop."""

    def __next__(self) -> Any:
        tick()
        return super().__next__()


class Cycle(itertools.cycle):  # type: ignore[type-arg]
    """`itertools.cycle`, counted like the rounds of a loop."""

    def __next__(self) -> Any:
        tick()
        return super().__next__()


class Repeat(itertools.repeat):  # type: ignore[type-arg]
    """`itertools.repeat`, counted like the rounds of a loop."""

    def __next__(self) -> Any:
        tick()
        return super().__next__()


for _endless in (Count, Cycle, Repeat):
    _endless.__name__ = _endless.__qualname__ = _endless.__name__.lower()
    _endless.__module__ = "itertools"


def iterate(object: Any, /, *sentinel: Any) -> Iterator[Any]:
    """`iter` for workflow code. Calls that go on until they give a certain value are counted."""
    if not sentinel:
        return iter(object)
    if not callable(object):
        raise TypeError("iter(v, w): v must be callable")

    def call() -> Any:
        tick()
        return object()

    return iter(call, *sentinel)
