"""Waiting for an event, but not for ever."""

from __future__ import annotations

import asyncio

__all__ = ["is_set_within"]


async def is_set_within(event: asyncio.Event, seconds: float) -> bool:
    """Wait until `event` is set, at most so long; whether it was.

    In place of `asyncio.wait_for`, which on Python 3.11 swallows a cancellation that comes together
    with the event, and with it the time-out of whoever waits around this.
    """
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
