"""Asynchronous iterables given to `start()`: written as streams of the run that it starts."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Coroutine
from typing import Any

import msgspec

from workflow.codec import Codec
from workflow.engine.intake import Intake
from workflow.engine.pumps import Pump, see_through
from workflow.errors import RunEndedError, StreamError, WorldError
from workflow.world.port import World
from workflow.world.records import NO_STEPS, Letter, Micros, WorkerRecord

__all__ = ["Uploads"]

log = logging.getLogger("workflow.engine")

LEASE = 15.0  # seconds without a sign of life after which readers take the uploader for dead


class Uploads(Intake):
    """The uploads of one start. `adopt` them, `announce`, create the run, `write`; or `leave`.

    A run that returns what was uploaded may be over before its streams are there, and would take
    none then. So it is created to begin a little later (`not_before`), and told to begin when they
    are there. If this process dies in between, it begins all the same, and finds its writer gone.

    While they are written this process has a lease like that of a worker, under which it does no
    work: it is how readers tell a slow upload from one whose process has died.
    """

    def __init__(self, world: World, run_id: str) -> None:
        writer = f"upload:{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        super().__init__(run_id, writer, world.now())
        self._world = world
        self._held = False

    def not_before(self, start_at: Micros | None) -> Micros | None:
        """When the run may begin by itself, if it is to begin at `start_at`."""
        now = self._world.now()
        if not self.streams or (start_at is not None and start_at > now):
            return start_at
        self._held = True
        return now + round(LEASE * 1_000_000)

    async def announce(self) -> None:
        """Take the lease, before anybody can read of the uploads."""
        if self.streams:
            await self._world.put_bundle(NO_STEPS, b"")  # what other workers may expect of us
            await self._beat()

    async def write(self, codec: Codec) -> None:
        """Write all of them, while the run is at work.

        Raises StreamError when one breaks off, which the run reads as well. What a run that has
        ended does not want any more is left unread, and no error.
        """
        if not self.streams:
            return
        self.settle()
        pumps = [Pump(self._world, codec, self.writer, each) for each in self.streams]
        try:
            await asyncio.gather(*[pump.open() for pump in pumps])
            if self._held:
                await self._let_begin()
            broke = await asyncio.gather(
                *[see_through(pump, _spawn, LEASE / 3, self._beat) for pump in pumps]
            )
        finally:
            await self.leave()
        for error in broke:
            if error is not None and not isinstance(error, RunEndedError):
                raise StreamError(
                    f"the upload to {self.run_id} broke off, and so does the stream that the run "
                    f"reads: {type(error).__name__}: {error}"
                ) from error

    async def _let_begin(self) -> None:
        # It names a sleep that no run has: the first one of the body is not to end with it.
        letter = Letter(kind="wake", meta=msgspec.json.encode(["uploads"]))
        try:
            await self._world.post(self.run_id, letter)
        except WorldError as error:  # it begins by itself
            log.warning("%s begins somewhat later: %s", self.run_id, error)

    async def leave(self) -> None:
        """Give the lease back; it runs out by itself if the world is away."""
        if not self.streams:
            return
        try:
            await self._world.leave(self.writer)
        except WorldError as error:
            log.warning("cannot give the lease of an upload back: %s", error)

    async def _beat(self) -> None:
        until = self._world.now() + round(LEASE * 1_000_000)
        await self._world.beat(
            WorkerRecord(worker=self.writer, lease_until=until, registry=NO_STEPS)
        )


def _spawn(work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
    return asyncio.create_task(work, name=name)
