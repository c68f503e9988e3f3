"""Build flows, start an application on them and a world, and let a test do the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.project import build, loaded
from workflow.engine import Application
from workflow.testing.clock import VirtualClock
from workflow.world.port import World

__all__ = ["START", "MakeWorld", "Play", "serve"]

MakeWorld = Callable[[VirtualClock], World]
Play = Callable[[Application, Any, VirtualClock], Awaitable[None]]
START = 1_700_000_000  # seconds since the epoch: where the clock begins


def serve(make_world: MakeWorld, folder: Path, source: str, play: Play) -> None:
    """Build `source` and let `play` have the application, the user's module and the clock."""
    project = build(folder, source)
    clock = VirtualClock(START * 1_000_000)

    async def main() -> None:
        async with Application(make_world(clock), project) as application:
            await play(application, loaded(folder), clock)

    asyncio.run(main())
