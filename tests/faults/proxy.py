"""A TCP proxy of our own between a world and its PostgreSQL, which misbehaves when told to.

It runs in a thread with an event loop of its own, so that tests may block. Every change of its
behaviour holds for open connections, too.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
from collections.abc import Callable, Coroutine, Iterable
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

__all__ = ["Proxy", "close_all"]

T = TypeVar("T")


async def close_all(writers: Iterable[asyncio.StreamWriter]) -> None:
    """Cut connections; returns when their sockets are closed."""
    open_ones = list(writers)
    for writer in open_ones:
        writer.transport.abort()
    await asyncio.gather(*(w.wait_closed() for w in open_ones), return_exceptions=True)


class Proxy:
    """Used as `with Proxy(url) as proxy`; `proxy.url` is the way through it.

    `delay` is in seconds, for each piece of data in either direction. `deaf` swallows everything
    without closing anything. `closed` refuses new connections. `seed` decides what `reset_share`
    hits.
    """

    def __init__(self, url: str, *, seed: int = 0) -> None:
        self._target = urlsplit(url)
        self._random = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._writers: set[asyncio.StreamWriter] = set()  # every one that is open
        self._serving: set[asyncio.Task[None]] = set()
        self._cut: Callable[[bytes], bool] | None = None
        self._cut_done = threading.Event()
        self.delay = 0.0
        self.deaf = False
        self.closed = False
        self.reset_share = 0.0  # of the server's answers, after which both sides are cut
        self.resets = 0
        self.pieces = 0  # of data that went through

    def __enter__(self) -> Proxy:
        self._thread.start()
        self.port: int = self._call(self._listen())
        user = self._target.netloc.rpartition("@")[0]
        self.url = urlunsplit(self._target._replace(netloc=f"{user}@127.0.0.1:{self.port}"))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self) -> None:
        """Close every connection that is open now."""
        self._call(self._cut_all())

    def cut_at_answer(self, holds: Callable[[bytes], bool]) -> threading.Event:
        """Swallow the first answer of the server for which `holds` is true, and cut both sides.

        The server has done its work by then and the client never hears of it. The event is set
        when that has happened.
        """
        self._cut_done = threading.Event()
        self._cut = holds
        return self._cut_done

    # -- in the thread ---------------------------------------------------------------------

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    async def _listen(self) -> int:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Noted before anything can be cancelled: what is not noted is never closed.
        self._writers.add(writer)
        serving = self._loop.create_task(self._serve(reader, writer))
        self._serving.add(serving)
        serving.add_done_callback(self._serving.discard)

    async def _end(self) -> None:
        self._server.close()
        for serving in self._serving:
            serving.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        await self._cut_all()

    async def _cut_all(self) -> None:
        await close_all(self._writers)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        both: tuple[asyncio.StreamWriter, ...] = (writer,)
        try:
            if self.closed:
                return
            there = await asyncio.open_connection(self._target.hostname, self._target.port)
            both += (there[1],)
            self._writers.add(there[1])
            async with asyncio.TaskGroup() as group:
                group.create_task(self._carry(reader, there[1], both, answers=False))
                group.create_task(self._carry(there[0], writer, both, answers=True))
        except* (OSError, asyncio.CancelledError):
            pass
        finally:
            await close_all(both)
            self._writers.difference_update(both)

    async def _carry(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        both: tuple[asyncio.StreamWriter, ...],
        *,
        answers: bool,
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                self.pieces += 1
                if self.delay:
                    await asyncio.sleep(self.delay)
                if self.deaf:
                    continue
                if answers and self._breaks(data):
                    break
                writer.write(data)
                await writer.drain()
        for each in both:
            each.transport.abort()

    def _breaks(self, answer: bytes) -> bool:
        if self._cut is not None and self._cut(answer):
            self._cut = None
            self._cut_done.set()
            return True
        if self.reset_share and self._random.random() < self.reset_share:
            self.resets += 1
            return True
        return False
