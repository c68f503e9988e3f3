"""What the HTTP layer asks of an engine: one Protocol.

`workflow.engine.Application` fits it. Handlers and lifespans are written against these sentences,
so they can be read, and tested, without the engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from workflow.world import Micros

if TYPE_CHECKING:
    from workflow import web

__all__ = ["DurableApplication", "Secrets"]


class Secrets(Protocol):
    """The part of a world that the handlers use."""

    def now(self) -> Micros:
        """The world's clock; sender and receiver of a signature share it."""

    async def secret(self, name: str) -> bytes:
        """A 32-byte key of this world, made on first use and then always the same."""


class DurableApplication(Protocol):
    """A world, a project and, if asked for, a worker, between `start` and `stop`."""

    base_url: str

    @property
    def world(self) -> Secrets: ...

    async def start(self) -> None:
        """Open the world and start working. Raises BundleError, WorldError."""

    async def stop(self) -> None:
        """Hand open work over and close."""

    async def reach_world(self) -> None:
        """Return when the world has answered something. Raises WorldError when it cannot."""

    async def run_once(self, run_id: str) -> bool:
        """Take the turns of a run that is due. False: there was nothing to do here."""

    async def task_once(self, run_id: str, step_id: str) -> bool:
        """Work on one task that is due. False: there was nothing to do here."""

    async def deliver_webhook(self, token: str, request: web.Request) -> web.Response:
        """Record the request and give the answer the webhook asks for.

        Raises HookNotFoundError for a token that is no open webhook's, TimeoutError when a manual
        answer takes too long, WebhookError when the run ended without one.
        """
