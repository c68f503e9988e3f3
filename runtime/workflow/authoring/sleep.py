"""Durable sleep."""

from __future__ import annotations

from datetime import datetime, timedelta

from workflow.authoring.context import body
from workflow.policy.durations import due_of

__all__ = ["sleep"]


async def sleep(when: str | float | timedelta | datetime) -> None:
    """Suspend the workflow for a duration, or until a moment; no process needs to live that long.

    `when` is `"500ms"`, `"10s"`, `"7 days"`, `"1.5h"`, `"1 month"` …, a number of seconds, a
    timedelta, or an aware datetime. A moment in the past returns at once. Raises ValueError for
    text that is no duration, TypeError for a naive datetime, ContextError outside of a body.
    """
    run = body("sleep()", "In a step use asyncio.sleep(), which is not durable.")
    await run.sleep_until(due_of(when, run.loop.now, "sleep()"))
