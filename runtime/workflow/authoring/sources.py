"""Where a stream is read from: the world and codec of whoever has read its reference.

A stream that was recorded says which run it belongs to, not which world. An argument of a step is
read from the world of the step, a result of `Run` from the world of the run, all else from the one
that the application uses. In a workflow body a stream is not read at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workflow.codec import Codec
from workflow.errors import ContextError
from workflow.replay.loop import running

if TYPE_CHECKING:
    from workflow.world.port import World

__all__ = ["Source", "bound", "bound_source", "source_here", "use_outside"]


@dataclass(frozen=True)
class Source:
    """A world, and the codec that reads what is in its streams."""

    world: World
    codec: Codec


_bound: ContextVar[Source | None] = ContextVar("workflow_streams", default=None)
_outside: list[Callable[[], Source]] = []


@contextmanager
def bound(source: Source) -> Iterator[None]:
    """Streams that are made inside are read from `source`."""
    token = _bound.set(source)
    try:
        yield
    finally:
        _bound.reset(token)


def bound_source() -> Source | None:
    """What `bound` was given; None outside of it, and in workflow bodies."""
    return None if running() is not None else _bound.get()


def use_outside(find: Callable[[], Source]) -> None:
    """Say where streams are read from otherwise. The last one that said so is asked."""
    _outside[:] = [find]


def source_here(own: Source | None) -> Source:
    """Where to read: `own` of the stream, else the application's.

    Raises ContextError in a workflow body, and where there is no application.
    """
    if running() is not None:
        raise ContextError(
            "a stream is read in a step, not by a workflow body: a replay would find other values "
            'in it. Pass the readable to a function marked "use step", and iterate it there'
        )
    if own is not None:
        return own
    if not _outside:
        raise ContextError(
            "nothing says which world this stream is in; import workflow.api and set_world()"
        )
    return _outside[0]()
