"""Streams as values: a stream is recorded as a reference, its chunks never are.

`["ReadableStream", …]` and `["WritableStream", …]` carry the run and the name of a stream, as in
the format of devalue's users who pass web streams. Which classes stand for the two ends is said by
whoever defines them, as subclasses of `StreamReference`; without them a reference is read as that.

An asynchronous iterable that is not yet a stream is recorded where somebody takes it over: `adopt`
gets it, or the `StreamReference` around it, while the value is written, and answers with the
reference of the stream that its items go to. It is asked for the same one more than once.

Payloads of hooks come from outside, and there references are refused as those of functions are.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from workflow.codec.refusals import Refused

if TYPE_CHECKING:
    from workflow.codec.writer import Writer

__all__ = [
    "OUTSIDE",
    "READABLE",
    "WRITABLE",
    "Adopt",
    "StreamReference",
    "noticed",
    "read",
    "write",
]

READABLE = "ReadableStream"
WRITABLE = "WritableStream"
OUTSIDE = (
    "a stream cannot be part of a hook's payload: payloads come from outside of the project and "
    "hold data only. Start a run with the stream as its argument, or write its values in a step."
)
_HERE = (
    "an asynchronous iterator is recorded where somebody reads it to its end: as the result of a "
    "step, or as an argument of start() outside of a workflow. Return it from a step, and pass on "
    "what the step gives."
)

Adopt: TypeAlias = "Callable[[AsyncIterable[Any] | StreamReference], StreamReference]"

_ends: dict[str, type[StreamReference]] = {}
_noticed: ContextVar[list[StreamReference] | None] = ContextVar("workflow_noticed", default=None)


class StreamReference:
    """One end of the stream `name` of the run `run_id`. Equal by what is recorded of it.

    `start` is the index at which a reader begins. `writer` is the worker that writes a stream which
    has one writer, "" for a stream that steps write to.
    """

    tag: ClassVar[str] = READABLE

    def __init__(self, run_id: str, name: str, start: int = 0, writer: str = "") -> None:
        self.run_id = run_id
        self.name = name
        self.start = start
        self.writer = writer

    def __init_subclass__(cls, *, tag: str = "", **more: Any) -> None:
        """With `tag`, references under that tag are read as instances of the subclass."""
        super().__init_subclass__(**more)
        if tag:
            cls.tag = tag
            _ends[tag] = cls

    def _content(self) -> tuple[str, str, str, int, int]:
        waiting = self.waiting()  # those that are not written yet have no name to tell them apart
        place = 0 if waiting is None else id(waiting)
        return (self.tag, self.run_id, self.name, self.start, place)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StreamReference) and self._content() == other._content()

    def __hash__(self) -> int:
        return hash(self._content())

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} of {self.run_id}>"

    def waiting(self) -> AsyncIterable[Any] | None:
        """What is still to be written to a stream that does not exist yet; None for one that
        does."""
        return None

    def written_as(self, reference: StreamReference) -> None:
        """The stream exists, as `reference`."""


def write(writer: Writer, value: Any, depth: int) -> str | None:
    """The text of a stream; None for what is nothing of the kind.

    Raises Refused where streams are not allowed, and for an iterable nobody takes over.
    """
    if isinstance(value, StreamReference):
        waiting = value.waiting()
    elif hasattr(type(value), "__aiter__"):
        waiting = value
    else:
        return None
    if not writer.references:
        raise Refused(OUTSIDE)
    if waiting is None:
        reference = value
    else:
        if writer.adopt is None:
            raise Refused(_HERE)
        reference = writer.adopt(value)
    body: dict[str, Any] = {"runId": reference.run_id, "name": reference.name}
    if reference.start:
        body["startIndex"] = reference.start
    if reference.writer:
        body["writer"] = reference.writer
    return f'["{reference.tag}",{writer.payload(body, depth + 1)}]'


def read(tag: str, body: Any) -> StreamReference:
    """The end of a stream that was recorded under `tag`. Raises TypeError for a malformed body."""
    if type(body) is not dict:
        raise TypeError("a stream is recorded with its run and name")
    run_id, name = body.get("runId"), body.get("name")
    start, writer = body.get("startIndex", 0), body.get("writer", "")
    if type(run_id) is not str or type(name) is not str or type(writer) is not str:
        raise TypeError("a stream is recorded with its run and name")
    if type(start) is not int:
        raise TypeError("the index where a stream is read from is a number")
    found = _ends.get(tag, StreamReference)(run_id, name, start, writer)
    seen = _noticed.get()
    if seen is not None:
        seen.append(found)
    return found


@contextmanager
def noticed() -> Iterator[list[StreamReference]]:
    """The streams of all values that are read inside."""
    seen: list[StreamReference] = []
    token = _noticed.set(seen)
    try:
        yield seen
    finally:
        _noticed.reset(token)
