"""Durations and moments that are written down and cannot be read: found by the build."""

from __future__ import annotations

from pathlib import Path

import pytest

import wfc
from tests.compiler.projects import write_project

HEAD = """\
import asyncio
import datetime as dt
import workflow
from datetime import UTC, datetime, timedelta
from workflow import Backoff, RetryableError, create_hook, create_webhook, fetch
from workflow import pending_action, sleep, step_options
from workflow.api import with_options

PAUSE = "tomorrow"


async def flow(n: int, *given: int, **more: int) -> None:
    "use workflow"
    {}


async def answer() -> None:
    await workflow.api.resume_hook("a", 1)
"""
WRONG = {
    'await sleep("tomorrow")': "'tomorrow' is not a duration. sleep() raises ValueError",
    'await workflow.sleep(when="10 secnds")': 'Did you mean "10 seconds"?',
    "await sleep(-1)": "A duration is not negative.",
    "await sleep(True)": "True is not a duration.",
    "await sleep(datetime.now())": "datetime.now() gives a datetime without a time zone",
    "await sleep(dt.datetime.now() + timedelta(days=1))": "names no single moment",
    "await sleep(datetime(2030, 1, 1))": "`datetime(..., tzinfo=UTC)`",
    "await sleep(datetime.utcnow())": "datetime.utcnow() gives",
    'await create_hook(timeout="2 dayz")': 'Did you mean "2 days"?',
    'await create_webhook(timeout="x")': "create_webhook() raises ValueError",
    'await pending_action("q", timeout="soon")': "pending_action() raises ValueError",
    'await fetch("https://a.example", timeout="fast")': "fetch() raises ValueError",
    'await with_options(delay="x").start(flow, n)': "with_options() raises ValueError",
    "await with_options(deadline=datetime.now()).start(flow, n)": "raises TypeError",
    'await with_options(deadline="1h", grace="x").start(flow, n)': "'x' is not a duration",
    'raise RetryableError("no", retry_after="later")': "tried again after its back-off instead",
    'Backoff(max="x")': "Backoff() raises ValueError",
    'Backoff("x")': "'x' is not a duration",
    'await asyncio.sleep("1h")': "Write 3600.",
    'async with asyncio.timeout("10s"): pass': "asyncio.timeout takes a number of seconds",
    'await asyncio.wait_for(sleep(1), "soon")': "Write a number.",
}
RIGHT = (
    'await sleep("1.5 h")',
    "await sleep(PAUSE)",
    "await sleep(n)",
    "await sleep(*given)",
    "await sleep(datetime.now(UTC) + timedelta(days=1))",
    "await sleep(datetime.now(tz=UTC))",
    "await sleep(datetime(2030, 1, 1, tzinfo=UTC))",
    "await sleep(datetime(2030, 1, 1, 0, 0, 0, 0, UTC))",
    "await sleep(datetime.now().astimezone(UTC))",
    "await create_hook(timeout=None)",
    "with_options(**more)",
    "raise RetryableError('no', retry_after=-1)",
    "await asyncio.sleep(3)",
    "await asyncio.wait_for(sleep(1), timeout=None)",
)


def findings(body: str, root: Path) -> list[str]:
    result = wfc.build(write_project(root, HEAD.format(body)), write=False, cache=False)
    return [f"{d.message} {d.fix}" for d in result.diagnostics if d.code == "WF107"]


@pytest.mark.parametrize("body", WRONG)
def test_what_cannot_be_read_is_found(body: str, tmp_path: Path) -> None:
    """The finding says what is wrong with it, and what to write."""
    [said] = findings(body, tmp_path)
    assert WRONG[body] in said


@pytest.mark.parametrize("body", RIGHT)
def test_what_may_be_read_is_left_alone(body: str, tmp_path: Path) -> None:
    """Durations, moments with a zone, what is computed, and what is left out."""
    assert findings(body, tmp_path) == []


def test_calls_of_steps_and_applications_are_looked_at_too(tmp_path: Path) -> None:
    """A step's RetryableError, and a start of the application; not a sleep() of somebody else."""
    text = """\
from anything import sleep
from workflow import RetryableError
from workflow.api import with_options


async def step() -> None:
    "use step"
    raise RetryableError("full", retry_after="noon")


async def flow() -> None:
    "use workflow"
    await step()


async def route() -> None:
    await with_options(delay="noon").start(flow)
    await sleep("noon")
"""
    result = wfc.build(write_project(tmp_path, text), write=False, cache=False)
    assert [(d.code, d.span.line) for d in result.diagnostics] == [("WF107", 8), ("WF107", 17)]
