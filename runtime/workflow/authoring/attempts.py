"""Which attempts of steps have succeeded: for readers that want nothing of those that failed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from workflow.authoring import news

if TYPE_CHECKING:
    from workflow.world.port import World
    from workflow.world.records import Chunk

__all__ = ["Attempts"]

_ENDS = ("run_completed", "run_failed", "run_cancelled")


class Attempts:
    """What the log of a run says about the attempts of its steps, read as far as needed, to judge
    chunks of the stream `name`."""

    def __init__(self, world: World, run_id: str, name: str) -> None:
        self._world = world
        self._run_id = run_id
        self._name = name
        self._seen = 0
        self._called: set[str] = set()
        # Step call -> the attempt that succeeded, 0 for none, and where it began to write. Below
        # that, chunks of this attempt are of an execution that was taken back. Where an attempt
        # before it had ended the stream, that one instead: nothing could be written after it.
        self._outcomes: dict[str, tuple[int, int]] = {}
        self._ended = False

    async def wrote(self, chunk: Chunk) -> bool:
        """Whether a chunk is of the attempt that gave its step's result, as soon as there is one.

        True for chunks of no step of this run: who wrote them has its log elsewhere.
        """
        step_id = chunk.step_id
        if step_id in self._outcomes:
            return self._counts(chunk)
        change = 0
        with news.watch(self._run_id, f"outcome of {step_id}") as watch:
            while True:
                change = await self._world.wait_for_change(change, None)
                watch.looks()
                await self._read()
                if step_id in self._outcomes:
                    return self._counts(chunk)
                if step_id not in self._called:
                    return True
                if self._ended:
                    return False
                await watch.rest()

    def _counts(self, chunk: Chunk) -> bool:
        attempt, begin = self._outcomes[chunk.step_id]
        return chunk.attempt == attempt and chunk.index >= begin

    async def _read(self) -> None:
        while not self._ended:
            events = await self._world.list_events(self._run_id, after=self._seen)
            if not events:
                return
            for event in events:
                if event.type == "step_created":
                    self._called.add(event.ref)
                elif event.type == "step_completed":
                    about = msgspec.json.decode(event.meta or b"{}")
                    begin = about.get("streams", {}).get(self._name, 0)
                    attempt = about.get("kept", {}).get(self._name) or about.get("attempt", 1)
                    self._outcomes[event.ref] = (int(attempt), begin)
                elif event.type == "step_failed":
                    self._outcomes[event.ref] = (0, 0)
                elif event.type in _ENDS:
                    self._ended = True
            self._seen = events[-1].seq
            await asyncio.sleep(0)  # a world in this process reads without a pause
