"""The writing end of a run's streams."""

from __future__ import annotations

from collections.abc import AsyncIterable
from contextlib import suppress
from functools import cached_property, partial
from typing import Any, Generic, TypeVar, overload

from workflow.authoring.chunks import encoded
from workflow.authoring.context import StepContext, current_step
from workflow.authoring.outflow import pour
from workflow.codec.streams import WRITABLE, StreamReference
from workflow.errors import ContextError, RunEndedError
from workflow.policy.names import is_storable
from workflow.replay.loop import running
from workflow.world.port import OWN_STREAM

__all__ = ["DEFAULT_STREAM", "Writable", "get_writable", "stream_name"]

T = TypeVar("T")

DEFAULT_STREAM = "default"


class Writable(StreamReference, Generic[T], tag=WRITABLE):
    """One of the run's streams, to be written by steps.

    A workflow body may obtain it and pass it on, also to the runs it starts; only steps write,
    because output is an effect. Steps that write at the same time do not disturb each other.
    """

    def __init__(
        self, run_id: str, name: str, start: int = 0, writer: str = "", *, type: Any = None
    ) -> None:
        super().__init__(run_id, name, start, writer)
        self._type = type

    @property
    def namespace(self) -> str:
        """The stream's name; that of the default stream is `default`."""
        return self.name

    async def write(self, value: T) -> None:
        """Append one value; durable when this returns.

        Raises TypeError for a value that is not of the type given to `get_writable`,
        SerializationError for one that cannot be recorded or is larger than a chunk may be,
        RunEndedError when the stream is closed, ContextError outside of a step. A stream that a
        failed attempt of this very step has closed is whole: the value is left out.
        """
        context = self._step()
        await self._send(context, (self._encoded(context, value),))

    async def write_from(self, values: AsyncIterable[T]) -> None:
        """Append every value of an asynchronous iterable, as it comes; all durable on return.

        Values that come while others are being written are written together. At most a megabyte
        of them waits; then the iterable has to. Raises what `write` and the iterable raise.
        """
        context = self._step()
        if not isinstance(values, AsyncIterable):
            raise TypeError(
                f"write_from() takes an asynchronous iterable, not {type(values).__name__}. Write "
                "the items of another one by one: `for item in items: await out.write(item)`"
            )
        await pour(values, partial(self._encoded, context), partial(self._send, context))

    async def close(self) -> None:
        """End the stream for its readers. It closes by itself when the run ends.

        Closing it again is no error: a step that was tried again may have closed it before.
        """
        context = self._step()
        with suppress(RunEndedError):
            await self._send(context, (), close=True)

    def _encoded(self, context: StepContext, value: T) -> bytes:
        if self._adapter is not None:
            self._check(value)
        return encoded(context.codec, value, self.name)

    async def _send(
        self, context: StepContext, chunks: tuple[bytes, ...], close: bool = False
    ) -> None:
        other = self.run_id if self.run_id not in ("", context.run_id) else None
        await context.write(self.name, chunks, close, other)

    @cached_property
    def _adapter(self) -> Any:
        if self._type is None or self._type is Any:
            return None
        from pydantic import TypeAdapter

        return TypeAdapter(self._type)

    def _check(self, value: T) -> None:
        from pydantic import ValidationError

        try:
            self._adapter.validate_python(value, strict=True)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = "".join(f"[{part!r}]" for part in first["loc"])
            shown = self._type.__name__ if isinstance(self._type, type) else str(self._type)
            raise TypeError(
                f"the {self.name} stream was opened for {shown} and got "
                f"{type(value).__name__}{f', at {place}' if place else ''}: {first['msg']}"
            ) from None

    def _step(self) -> StepContext:
        context = current_step()
        if context is None:
            place = "a workflow body" if running() is not None else "code outside of a run"
            raise ContextError(
                f"a stream is written by steps, not by {place}. Pass the writable to a function "
                'marked "use step", or call get_writable() in it'
            )
        return context


@overload
def get_writable(type: None = None, *, namespace: str | None = None) -> Writable[Any]: ...
@overload
def get_writable(type: type[T], *, namespace: str | None = None) -> Writable[T]: ...
def get_writable(type: Any = None, *, namespace: str | None = None) -> Writable[Any]:
    """The run's default stream, or the one called `namespace`, for writing.

    `type` is what is written to it: each value is checked, strictly, by pydantic. Callable in a
    workflow body and in steps; ContextError elsewhere. Raises ValueError for a `namespace` that
    cannot be one: up to 200 characters, not beginning with `strm_`.
    """
    if isinstance(type, str):
        raise TypeError(f"get_writable() takes a type; the stream's name is namespace={type!r:.80}")
    loop, context = running(), current_step()
    if loop is not None:
        run_id = loop.run.run_id
    elif context is not None:
        run_id = context.run_id
    else:
        raise ContextError("get_writable() works in a workflow body or in a step")
    return Writable(run_id, _name(namespace), type=type)


def _name(namespace: str | None) -> str:
    name = stream_name(namespace, "namespace= of get_writable()")
    if name.startswith(OWN_STREAM):
        raise ValueError(
            f"{name!r}: names that begin with {OWN_STREAM} belong to streams that steps return"
        )
    return name


def stream_name(namespace: str | None, what: str = "namespace=") -> str:
    """The name of the stream that is called `namespace`.

    Raises TypeError for what is no text, ValueError for what no stream can be called.
    """
    if namespace is None or namespace == "":
        return DEFAULT_STREAM
    if not isinstance(namespace, str):
        raise TypeError(f"{what} is text, not {type(namespace).__name__}")
    if len(namespace) > 200:
        raise ValueError(f"a stream's name has up to 200 characters, not {len(namespace)}")
    if not is_storable(namespace):
        raise ValueError(f"a stream's name is text without U+0000 and surrogates: {namespace!r}")
    return str(namespace)
