"""How many step bodies a worker process runs at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from workflow.world.port import World

__all__ = ["Slots", "concurrency"]

_GENERAL = "WORKFLOW_WORKER_CONCURRENCY"


def concurrency(environ: Mapping[str, str], world: World) -> int | None:
    """How many bodies at a time, None for no bound.

    WORKFLOW_WORKER_CONCURRENCY, or the name with the world's in it, such as
    WORKFLOW_POSTGRES_WORKER_CONCURRENCY, which counts more; else what the world has as its
    `worker_concurrency`. Raises ValueError for what is no whole number from 1.
    """
    of_world = f"WORKFLOW_{world.name.upper()}_WORKER_CONCURRENCY"
    for name in (of_world, _GENERAL):
        text = environ.get(name)
        if text:
            if not text.isdecimal() or int(text) < 1:
                raise ValueError(f"{name} is {text!r}; give a whole number of at least 1")
            return int(text)
    usual: int | None = getattr(world, "worker_concurrency", None)
    return usual


class Slots:
    """Places for step bodies, given out in the order in which they are asked for."""

    def __init__(self, size: int | None) -> None:
        self._size = size
        self._asked = 0  # bodies that run or wait for a place
        self._places = asyncio.Semaphore(size) if size is not None else None

    def room(self, most: int) -> int:
        """How many more bodies would begin at once, up to `most`."""
        return most if self._size is None else max(0, min(most, self._size - self._asked))

    @asynccontextmanager
    async def take(self) -> AsyncIterator[None]:
        """Wait for a place and hold it."""
        if self._places is None:
            yield
            return
        self._asked += 1
        try:
            async with self._places:
                yield
        finally:
            self._asked -= 1
