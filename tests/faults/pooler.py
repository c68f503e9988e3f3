"""A transaction pooler in a hundred lines: every transaction gets the next server connection.

What PgBouncer does with `pool_mode = transaction`, made as unkind as possible: the server
connections take turns, so nothing that is kept on one (a prepared statement, LISTEN, SET) is there
the next time.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from types import TracebackType
from urllib.parse import urlsplit, urlunsplit

from tests.faults.proxy import close_all

__all__ = ["Pooler"]

_ENCRYPTION = {80877103, 80877104}  # asks for TLS or GSS
_CANCEL = 80877102


class _Backend:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer


class Pooler:
    """Used as `with Pooler(url) as pooler`; `pooler.url` is the way through it.

    `turns` counts the transactions, `switches` how often a client got another connection than the
    time before.
    """

    def __init__(self, url: str, *, size: int = 4) -> None:
        self._target = urlsplit(url)
        self._size = size
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._idle: deque[_Backend] = deque()
        self._all: list[_Backend] = []
        self._clients: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._greeting = b""
        self.turns = 0
        self.switches = 0

    def __enter__(self) -> Pooler:
        self._thread.start()
        port = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(60)
        user = self._target.netloc.rpartition("@")[0]
        self.url = urlunsplit(self._target._replace(netloc=f"{user}@127.0.0.1:{port}"))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> int:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self._free = asyncio.Semaphore(self._size)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Noted before anything can be cancelled: what is not noted is never closed.
        self._clients.add(writer)
        serving = self._loop.create_task(self._serve(reader, writer))
        self._serving.add(serving)
        serving.add_done_callback(self._serving.discard)

    async def _end(self) -> None:
        self._server.close()
        for serving in self._serving:
            serving.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        await close_all([*self._clients, *(backend.writer for backend in self._all)])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                size = int.from_bytes(await reader.readexactly(4), "big")
                start = await reader.readexactly(size - 4)
                code = int.from_bytes(start[:4], "big")
                if code == _CANCEL:
                    break
                if code in _ENCRYPTION:
                    writer.write(b"N")
                    continue
                while len(self._all) < self._size:
                    await self._connect(size.to_bytes(4, "big") + start)
                writer.write(self._greeting)
                await self._transactions(reader, writer)
                break
        await close_all([writer])
        self._clients.discard(writer)

    async def _connect(self, start: bytes) -> None:
        there = await asyncio.open_connection(self._target.hostname, self._target.port)
        backend = _Backend(*there)
        self._all.append(backend)
        backend.writer.write(start)
        greeting = b""
        while True:
            kind, message = await _message(backend.reader)
            greeting += message
            if kind == b"Z":
                break
            if kind == b"K":  # a client meets many processes, so it is told of one that is none
                greeting = greeting[:-8] + bytes(8)
        self._greeting = greeting
        self._idle.append(backend)

    async def _transactions(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        before: _Backend | None = None
        while True:
            kind, message = await _message(reader)
            if kind == b"X":
                return
            async with self._free:
                backend = self._idle.popleft()
                self.turns += 1
                self.switches += before is not None and backend is not before
                before = backend
                await self._one(reader, writer, backend, kind, message)
                self._idle.append(backend)

    async def _one(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        backend: _Backend,
        kind: bytes,
        message: bytes,
    ) -> None:
        """Carry messages both ways until the server is idle and owes no answer."""
        owed = 0
        ended = asyncio.Event()

        async def forward(kind: bytes, message: bytes) -> None:
            nonlocal owed
            while True:
                owed += kind in (b"S", b"Q")
                backend.writer.write(message)
                kind, message = await _message(reader)

        forwarding = asyncio.create_task(forward(kind, message))
        try:
            while not ended.is_set():
                kind, message = await _message(backend.reader)
                writer.write(message)
                if kind == b"Z":
                    owed -= 1
                    if owed == 0 and message[5:] == b"I":
                        break
        finally:
            # Nothing has been read that was not forwarded: the client waits for this answer, or it
            # or the server is gone.
            forwarding.cancel()
            await asyncio.gather(forwarding, return_exceptions=True)
        await writer.drain()


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readexactly(5)
    return head[:1], head + await reader.readexactly(int.from_bytes(head[1:], "big") - 4)
