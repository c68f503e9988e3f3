"""Classes of workflow code that revive their values badly: the run stops, the worker goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.engine.test_versions import parked
from tests.project import build, loaded
from workflow.api import start
from workflow.codec import Codec
from workflow.engine import Application
from workflow.events import Event, NewEvent
from workflow.replay.hints import likely_cause
from workflow.worlds import memory

FLOWS = """
class Token:
    def __workflow_serialize__(self):
        return 1

    @classmethod
    def __workflow_deserialize__(cls, data):
        BODY

async def give() -> Token:
    "use step"
    return Token()

async def bad():
    "use workflow"
    return str(await give())

async def good():
    "use workflow"
    return 5
"""


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("while True: pass", "has run through 100,000 rounds of loops"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt()"),
        ("raise SystemExit(3)", "SystemExit(3)"),
        ("raise ValueError('no')", "a recorded Instance cannot be rebuilt: no"),
    ],
)
def test_a_class_that_does_not_come_back_parks_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, why: str
) -> None:
    """The reason says what happened, and the next run of the same worker ends."""
    monkeypatch.setenv("WORKFLOW_MAX_ROUNDS", "100000")
    project = build(tmp_path, FLOWS.replace("BODY", body))
    assert any(key.endswith("//Token") for key in project.bundle.classes)

    async def work() -> None:
        world = memory.create()
        async with Application(world, project):
            run = await start(loaded(tmp_path).bad)
            reason = await parked(world, run.run_id)
            assert reason.code == "serialization"
            assert why in reason.reason
            assert await (await start(loaded(tmp_path).good)) == 5

    asyncio.run(work())


class Stubborn:
    """Data that cannot be looked at."""

    def __workflow_serialize__(self) -> int:
        return 1

    @classmethod
    def __workflow_deserialize__(cls, data: Any) -> Stubborn:
        raise KeyboardInterrupt


def test_a_hint_is_no_reason_to_stop_the_worker() -> None:
    """Where arguments cannot be compared, the hint says that they were changed."""
    codec = Codec({"class//t//Stubborn": Stubborn})
    asked = NewEvent(type="step_created", at=0, name="step//t//s", payload=codec.encode({"a": 1}))
    payload = codec.encode({"a": Stubborn()})
    recorded = Event(seq=2, type="step_created", at=0, name="step//t//s", payload=payload)
    hint = likely_cause(asked, recorded, still_asked=[], rest=[], codec=codec)
    assert "were changed" in hint
