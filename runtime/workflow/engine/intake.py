"""Asynchronous iterables that are part of a value: taken over as streams while it is recorded."""

from __future__ import annotations

import asyncio
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

__all__ = ["Intake", "Outgoing", "Returned", "Spawn"]

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

    def adopt(self, values: AsyncIterable[Any]) -> StreamReference:
        """A new stream that `values` will be written to."""
        name = f"{OWN_STREAM}{ulid(self.now // 1000, secrets.token_bytes(10))}"
        self.streams.append(Outgoing(self.run_id, name, values))
        return Readable(self.run_id, name, writer=self.writer)

    async def open(self, context: StepContext) -> Returned | None:
        """Create the streams, as the attempt that returned them; None when there are none.

        They are there before anybody hears of them, and only as long as the attempt counts.
        """
        if not self.streams:
            return None
        for each in self.streams:
            await context.write(each.name, (), False)
        return Returned(tuple(self.streams), _outliving(context))


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
