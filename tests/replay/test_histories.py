"""Histories that must replay for ever: runs like these may be open wherever this is installed."""

from __future__ import annotations

import base64
import json
from collections import deque
from pathlib import Path
from typing import Any

import pytest

from tests.replay.record_history import FOLDER
from workflow.codec import Codec
from workflow.errors import DivergenceError
from workflow.events import Event, NewEvent
from workflow.replay.catch_up import catch_up
from workflow.replay.live import LiveRun
from workflow.sandbox import Bundle, Program

HISTORIES = sorted(FOLDER.glob("*.json"))


def replayed(history: dict[str, Any], log: list[Event]) -> LiveRun:
    """A run of the stored bundle at the end of a log. Raises DivergenceError."""
    text = json.dumps(
        history["bundle"], sort_keys=True, separators=(",", ":"), ensure_ascii=False
    ).encode()
    bundle = Bundle.from_bytes(text, hash=history["bundle_hash"])
    instance = Program(bundle).instantiate()
    codec = Codec(instance.classes, functions=instance.functions, ordered_sets=True)
    entry = instance.workflow(history["workflow"])
    live = LiveRun(history["run_id"], history["workflow"], entry, codec, trace=True)
    pending: deque[NewEvent] = deque()
    try:
        for _ in catch_up(live, log, pending):
            pass
    finally:
        live.close()
    assert not pending
    return live


def log_of(history: dict[str, Any]) -> list[Event]:
    return [
        Event(
            seq=seq,
            type=event["type"],
            at=event["at"],
            ref=event["ref"],
            name=event["name"],
            payload=base64.b64decode(event["payload"]) if "payload" in event else None,
            meta=event["meta"].encode() if "meta" in event else None,
        )
        for seq, event in enumerate(history["events"], 1)
    ]


@pytest.mark.parametrize("path", HISTORIES, ids=[path.stem for path in HISTORIES])
def test_a_pinned_history_replays(path: Path) -> None:
    """Every decision comes out as it was recorded, to the end of the run."""
    history = json.loads(path.read_text("utf-8"))
    live = replayed(history, log_of(history))
    assert live.ended
    assert live.head == len(history["events"])


@pytest.mark.parametrize("path", HISTORIES, ids=[path.stem for path in HISTORIES])
def test_a_history_with_another_argument_does_not(path: Path) -> None:
    """The comparison is a real one: a log that says something else is noticed."""
    history = json.loads(path.read_text("utf-8"))
    log = log_of(history)
    at = next(n for n, e in enumerate(log) if e.type in ("step_created", "hook_requested"))
    fields = {name: getattr(log[at], name) for name in ("type", "at", "ref", "seq", "meta")}
    log[at] = Event(**fields, name="step//flows.py//other")
    with pytest.raises(DivergenceError) as caught:
        replayed(history, log)
    assert caught.value.position == at + 1


def test_the_histories_have_every_type_of_event() -> None:
    """A type of event that no history has could change its meaning unnoticed."""
    types = {e["type"] for path in HISTORIES for e in json.loads(path.read_text())["events"]}
    decisions = "step_created wait_created hook_requested hook_disposed attr_set run_completed "
    decisions += "child_created "
    facts = "run_created step_completed step_failed hook_created hook_conflict hook_received "
    rest = "wait_completed child_ended run_cancel_requested run_failed run_cancelled"
    assert types == set((decisions + facts + rest).split())
    assert len(HISTORIES) >= 18
