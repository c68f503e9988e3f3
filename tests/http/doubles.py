"""An application that remembers what it was asked to do, and ways to talk to ASGI applications."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any

import httpx

from workflow import web
from workflow.errors import HookNotFoundError, WorldError
from workflow.http.lifecycle import Lifecycle

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Scope

BASE = "/.well-known/workflow/v1"
NOW = 1_800_000_000


class Keys:
    """A world with a clock that stands still and keys derived from their names."""

    def now(self) -> int:
        return NOW * 1_000_000

    async def secret(self, name: str) -> bytes:
        return name.encode().ljust(32, b".")


class Recorder:
    """Fits `DurableApplication`; `log` holds every call. Webhooks are answered by `answers`."""

    def __init__(self, *, fails: Exception | None = None) -> None:
        self.base_url = ""
        self.world = Keys()
        self.log: list[Any] = []
        self.due = {"wrun_1"}
        self.answers: dict[str, Callable[[web.Request], Awaitable[web.Response]]] = {}
        self.fails = fails
        self.away = False

    async def start(self) -> None:
        await asyncio.sleep(0)  # gives a second starter the chance to interfere
        if self.fails is not None:
            raise self.fails
        self.log.append("start")

    async def stop(self) -> None:
        self.log.append("stop")

    async def reach_world(self) -> None:
        if self.away:
            raise WorldError("the database is away")

    async def run_once(self, run_id: str) -> bool:
        self.log.append(("run", run_id))
        if self.fails is not None:
            raise self.fails
        return run_id in self.due

    async def task_once(self, run_id: str, step_id: str) -> bool:
        self.log.append(("task", run_id, step_id))
        return run_id in self.due

    async def deliver_webhook(self, token: str, request: web.Request) -> web.Response:
        self.log.append(("webhook", token, request))
        if token not in self.answers:
            raise HookNotFoundError(token)
        return await self.answers[token](request)


def lifecycle_of(*apps: Recorder, **options: Any) -> Lifecycle:
    """A lifecycle that starts the given applications one after the other, one for each start."""
    waiting = iter(apps)
    return Lifecycle(lambda: next(waiting), **options)


def call(
    app: ASGIApp,
    method: str,
    path: str,
    *,
    root_path: str = "",
    base: str = "http://server.test",
    **options: Any,
) -> httpx.Response:
    """One request in an event loop of its own, without a lifespan."""

    async def main() -> httpx.Response:
        transport = httpx.ASGITransport(app=app, root_path=root_path)
        async with httpx.AsyncClient(transport=transport, base_url=base) as client:
            return await client.request(method, path, **options)

    return asyncio.run(main())


def scope_of(path: str, method: str = "POST", /, **parts: Any) -> Scope:
    """An HTTP scope as servers make them."""
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "server": ("10.0.0.7", 8000),
        "headers": [],
        **parts,
    }


async def exchange(app: ASGIApp, scope: Scope, messages: Iterable[Message]) -> list[Message]:
    """Feed `messages` to an application; what it sends. Asking for more than is there fails."""
    waiting = iter(messages)
    sent: list[Message] = []

    async def receive() -> Message:
        message = next(waiting, None)
        if message is None:
            raise AssertionError("the application read more than it was given")
        return message

    async def send(message: Message) -> None:
        sent.append(message)

    async with asyncio.timeout(60):
        await app(scope, receive, send)
    return sent


class Server:
    """The lifespan half of an ASGI server, in the manner of uvicorn: `async with` starts and stops.

    `sent` holds what the application answered. `error` is what its lifespan raised.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.sent: list[Message] = []
        self.error: BaseException | None = None
        self.state: dict[str, Any] = {}
        self._inbox: asyncio.Queue[Message] = asyncio.Queue()
        self._answered = asyncio.Condition()

    async def __aenter__(self) -> Server:
        self._task = asyncio.create_task(self._main())
        await self._ask("lifespan.startup", 1)
        return self

    async def __aexit__(self, *_: object) -> None:
        if not self._task.done():
            await self._ask("lifespan.shutdown", 2)
        await self._task

    async def _main(self) -> None:
        async def send(message: Message) -> None:
            self.sent.append(message)
            async with self._answered:
                self._answered.notify_all()

        scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": self.state}
        try:
            await self.app(scope, self._inbox.get, send)
        except Exception as error:
            self.error = error
        async with self._answered:
            self._answered.notify_all()

    async def _ask(self, kind: str, answers: int) -> None:
        self._inbox.put_nowait({"type": kind})
        async with self._answered:
            await self._answered.wait_for(
                lambda: len(self.sent) >= answers or self._task.done() or self.error is not None
            )

    @property
    def answers(self) -> list[str]:
        return [message["type"].removeprefix("lifespan.") for message in self.sent]
