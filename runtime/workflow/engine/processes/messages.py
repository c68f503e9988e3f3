"""What a worker and the processes of its steps say to each other, over a socket of their own.

Arguments, results and errors travel in the codec's bytes, as everywhere. The envelopes are pickled:
both ends are one program of one deployment, and nothing else can write into the socket. No function
is ever sent. A process finds steps as the worker does, in the build, nested ones too.
"""

from __future__ import annotations

import pickle
import struct
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from workflow.events import Micros

__all__ = [
    "HEADER",
    "Answer",
    "Attempt",
    "Begin",
    "Call",
    "Done",
    "Misfit",
    "Raised",
    "Ready",
    "Said",
    "Spoken",
    "Unready",
    "packed",
    "size_in",
    "unpacked",
]

_LENGTH = struct.Struct("!Q")
HEADER = _LENGTH.size


# -- from the worker -------------------------------------------------------------------------


@dataclass(frozen=True)
class Begin:
    """The first message: where the build is, and which log records the worker wants."""

    folder: str
    argv: list[str]
    levels: dict[str, int]


@dataclass(frozen=True)
class Attempt:
    """Run the step `name` once. `facts` and `calls` are the fields of its StepContext: values, and
    the names of those that are functions of the worker. `now` is the world's clock. `n` is the
    number of the attempt among those of the pool."""

    n: int
    name: str
    payload: bytes = field(repr=False)
    facts: dict[str, Any]
    calls: tuple[str, ...]
    base_url: str
    now: Micros


@dataclass(frozen=True)
class Answer:
    """What call `n` gave: a value, or an error in the codec's bytes."""

    n: int
    value: Any
    error: bytes | None
    now: Micros


# -- from the process ------------------------------------------------------------------------


@dataclass(frozen=True)
class Ready:
    """The steps are loaded."""


@dataclass(frozen=True)
class Unready:
    """The steps cannot be loaded; the process ends."""

    reason: str


@dataclass(frozen=True)
class Call:
    """Call function `name` of the step's context, or of the world, in the worker. `attempt` is the
    number of the attempt whose context it is."""

    n: int
    attempt: int
    target: str
    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


@dataclass(frozen=True)
class Spoken:
    """A log record, as the attributes of one whose message is text already. `extra` are those that
    the worker may not be able to make, pickled one by one."""

    record: dict[str, Any]
    extra: dict[str, bytes]


@dataclass(frozen=True)
class Done:
    """The attempt has a result."""

    payload: bytes = field(repr=False)


@dataclass(frozen=True)
class Raised:
    """The attempt failed. `final`: no other attempt can help. `retryable`: the step chose
    `retry_after` itself. `summary` is one line for consoles."""

    error: bytes = field(repr=False)
    summary: str
    final: bool = False
    retryable: bool = False
    retry_after: Any = None


@dataclass(frozen=True)
class Misfit:
    """The step of this build does not take the recorded arguments; its body has not begun."""

    reason: str


Said: TypeAlias = Ready | Unready | Call | Spoken | Done | Raised | Misfit


def packed(message: object) -> bytes:
    """A message with its length before it."""
    body = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(body)) + body


def size_in(header: bytes) -> int:
    """How many bytes follow a header of `HEADER` bytes."""
    (size,) = _LENGTH.unpack(header)
    return int(size)


def unpacked(body: bytes) -> Any:
    """The message in the bytes that follow a header."""
    return pickle.loads(body)
