"""The writing end of a run's streams."""

from __future__ import annotations

from collections.abc import AsyncIterable
from typing import Any, Generic, TypeVar, overload

from workflow.authoring.context import current_step
from workflow.errors import ContextError
from workflow.replay.loop import running

__all__ = ["DEFAULT_STREAM", "Writable", "get_writable"]

T = TypeVar("T")

DEFAULT_STREAM = "default"


class Writable(Generic[T]):
    """One of the run's streams, to be written by steps.

    A workflow body may obtain it and pass it on, but only steps may write: output is an effect.
    """

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace

    def __repr__(self) -> str:
        return f"Writable({self.namespace!r})"

    async def write(self, value: T) -> None:
        """Append one value; durable when this returns.

        Raises SerializationError for a value that cannot be recorded, RunEndedError when the
        stream is closed, ContextError outside of a step.
        """
        context = self._step()
        data = context.codec.encode(value, path=f"{self.namespace} stream")
        await context.write(self.namespace, (data,), False)

    async def write_from(self, values: AsyncIterable[T]) -> None:
        """Append every value of an asynchronous iterable, as it comes."""
        async for value in values:
            await self.write(value)

    async def close(self) -> None:
        """End the stream for its readers. It closes by itself when the run ends."""
        await self._step().write(self.namespace, (), True)

    def _step(self) -> Any:
        context = current_step()
        if context is None:
            place = "a workflow body" if running() is not None else "code outside of a run"
            raise ContextError(
                f"a stream is written by steps, not by {place}. Pass the writable to a function "
                'marked "use step", or call get_writable() in it'
            )
        return context

    def __workflow_serialize__(self) -> str:
        return self.namespace

    @classmethod
    def __workflow_deserialize__(cls, data: str) -> Writable[Any]:
        return cls(data)


@overload
def get_writable(type: None = None, *, namespace: str | None = None) -> Writable[Any]: ...
@overload
def get_writable(type: type[T], *, namespace: str | None = None) -> Writable[T]: ...
def get_writable(type: Any = None, *, namespace: str | None = None) -> Writable[Any]:
    """The run's default stream, or the one called `namespace`, for writing.

    `type` is for type checkers. Callable in a workflow body and in steps; ContextError elsewhere.
    """
    if running() is None and current_step() is None:
        raise ContextError("get_writable() works in a workflow body or in a step")
    return Writable(namespace or DEFAULT_STREAM)
