"""Asynchronous iterables that are part of a value: taken over as streams while it is recorded."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterable, Callable, Coroutine
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from workflow.authoring.context import StepContext, step_context
from workflow.authoring.readable import Readable
from workflow.codec.streams import StreamReference
from workflow.errors import ContextError
from workflow.replay.ids import ulid
from workflow.world.port import OWN_STREAM
from workflow.world.records import Micros

__all__ = ["Intake", "Outgoing", "Returned", "Spawn", "let_go"]

log = logging.getLogger("workflow.engine")

Spawn: TypeAlias = Callable[[Coroutine[Any, Any, Any], str], "asyncio.Task[Any]"]


@dataclass(frozen=True)
class Outgoing:
    """Items for the stream `name` of a run, not written yet."""

    run_id: str
    name: str
    values: AsyncIterable[Any]


@dataclass(frozen=True)
class Returned:
    """The streams in the result of a step, and how to start a task in the step's context."""

    streams: tuple[Outgoing, ...]
    spawn: Spawn


@dataclass
class Intake:
    """Gives the iterables in a value names, as streams of `run_id` that `writer` will write."""

    run_id: str
    writer: str
    now: Micros
    streams: list[Outgoing] = field(default_factory=list)
    _names: dict[int, Readable[Any]] = field(default_factory=dict[int, Readable[Any]])
    _around: list[StreamReference] = field(default_factory=list)

    def adopt(self, given: AsyncIterable[Any] | StreamReference) -> StreamReference:
        """A new stream that an iterable will be written to, or that of the reference around it."""
        values = given.waiting() if isinstance(given, StreamReference) else given
        if isinstance(given, StreamReference):
            self._around.append(given)
        assert values is not None  # it would be a stream already
        made = self._names.get(id(values))
        if made is None:
            name = f"{OWN_STREAM}{ulid(self.now // 1000, secrets.token_bytes(10))}"
            made = self._names[id(values)] = Readable(self.run_id, name, writer=self.writer)
            self.streams.append(Outgoing(self.run_id, name, values))
        return made

    def settle(self) -> None:
        """The value is recorded: what was around an iterable is its stream from now on."""
        for each in self._around:
            values = each.waiting()
            if values is not None:  # it stood in two places of the value
                each.written_as(self._names[id(values)])

    async def open(self, context: StepContext) -> Returned | None:
        """Create the streams, as the attempt that returned them; None when there are none.

        They are there before anybody hears of them, and only as long as the attempt counts.
        """
        if not self.streams:
            return None

        async def create(name: str) -> BaseException | None:
            try:
                await context.write(name, (), False)
            except BaseException as error:  # also a cancellation that says why
                return error
            return None

        for error in await asyncio.gather(*[create(each.name) for each in self.streams]):
            if error is not None:
                raise error
        self.settle()
        return Returned(tuple(self.streams), _outliving(context))

    async def let_go(self) -> None:
        """The value is refused: let the generators among the iterables run their `finally` blocks.

        Those behind the place that was refused are not known here.
        """
        for each in self.streams:
            await let_go(each.values)


async def let_go(values: AsyncIterable[Any]) -> None:
    """Let a generator run its `finally` blocks."""
    close = getattr(values, "aclose", None)
    if close is None:
        return
    try:
        await close()
    except Exception as error:
        log.warning("closing what a stream was written from failed: %r", error)


def _outliving(context: StepContext) -> Spawn:
    """A task in which a step's iterable runs on when the step is over.

    It sees the step's context but cannot write: chunks count only while the attempt is current.
    """

    async def write(*_: Any) -> None:
        raise ContextError(
            f"{context.step_name} has ended with a stream as its result, and what makes that "
            "stream only yields. Write to other streams before the step returns"
        )

    space = copy_context()
    space.run(step_context.set, replace(context, write=write))
    return lambda work, name: asyncio.create_task(work, name=name, context=space)
