"""Tells who waits for the result of a run that nothing will come of it as things are.

A script that starts a run and awaits it would stand still without a word when no worker is there.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from workflow.errors import WorldError
from workflow.world.port import World
from workflow.world.records import NO_STEPS

__all__ = ["told"]

_log = logging.getLogger("workflow")
_PATIENCE = 5.0  # seconds; a worker that is just starting is there by then
_told: set[str] = set()  # once in a process: a thousand may wait for as many runs


@contextmanager
def told(world: World, run_id: str) -> Iterator[None]:
    """While this lasts somebody waits for the run: log a warning when it is parked, or when no
    worker is alive to take it."""
    loop = asyncio.get_running_loop()
    looks: list[asyncio.Task[None]] = []
    timer = loop.call_later(_PATIENCE, lambda: looks.append(loop.create_task(_look(world, run_id))))
    try:
        yield
    finally:
        timer.cancel()
        for look in looks:
            look.cancel()


async def _look(world: World, run_id: str) -> None:
    with contextlib.suppress(WorldError):  # whoever waits meets it as well
        run = await world.get_run(run_id)
        if run is None or run.completed_at is not None or run.owner is not None:
            return
        if run.parked is not None:
            _tell(
                run_id,
                f"{run_id} is parked ({run.parked.code}), and its result is waited for: "
                f"{run.parked.reason}. Mend the cause, then: wfc resume {run_id}",
            )
        elif all(worker.registry == NO_STEPS for worker in await world.list_workers()):
            _tell(
                "workers",
                f"the result of {run_id} is waited for, and no worker is alive: serve the "
                "application that `app = with_workflow(app)` gave, or run `wfc worker`",
            )


def _tell(about: str, words: str) -> None:
    if about not in _told:
        _told.add(about)
        _log.warning("%s", words)
