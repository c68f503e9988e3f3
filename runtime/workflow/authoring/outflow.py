"""Chunks on their way into a stream: several in one write, and never more than fit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable
from typing import Any, TypeAlias

__all__ = ["Send", "pour"]

ROOM = 1024 * 1024  # bytes that may wait to be written; one chunk more than that fits always

Send: TypeAlias = Callable[[tuple[bytes, ...]], Awaitable[None]]


async def pour(
    values: AsyncIterable[Any], encode: Callable[[Any], bytes], send: Send, *, room: int = ROOM
) -> None:
    """Send every value as it comes; all of them are written when this returns.

    While one write is under way the next values gather, up to `room` bytes; then the iterable is
    not asked for more. What it gave before it raised is written first. It is iterated here, in the
    task of the caller.
    """
    flow = _Outflow(send, room)
    try:
        try:
            async for value in values:
                await flow.add(encode(value))
        except Exception:
            await flow.drain()
            raise
        await flow.drain()
    finally:
        await flow.stop()


class _Outflow:
    def __init__(self, send: Send, room: int) -> None:
        self._send = send
        self._room = room
        self._waiting: list[bytes] = []
        self._size = 0  # bytes that wait or are being written
        self._changed = asyncio.Event()  # for the task
        self._written = asyncio.Event()  # for whoever adds
        self._error: BaseException | None = None
        self._task: asyncio.Task[None] | None = None

    async def add(self, data: bytes) -> None:
        """Take a chunk, and wait while there is no room for another one."""
        self._check()
        if self._task is None:
            self._task = asyncio.create_task(self._work(), name="workflow-stream")
        self._waiting.append(data)
        self._size += len(data)
        self._changed.set()
        await self._until(self._room)

    async def drain(self) -> None:
        """Wait until everything is written. Raises what a write has raised."""
        await self._until(0)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})  # not for its result: a cancellation here is ours

    async def _until(self, size: int) -> None:
        while self._size > size and self._error is None:
            self._written.clear()
            await self._written.wait()
        self._check()

    def _check(self) -> None:
        # Raised here and not by the task: it may be a CancelledError that means something.
        if self._error is not None:
            raise self._error

    async def _work(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            chunks, self._waiting = tuple(self._waiting), []
            try:
                await self._send(chunks)
            except BaseException as error:
                self._error = error
                self._written.set()
                return
            self._size -= sum(map(len, chunks))
            self._written.set()
