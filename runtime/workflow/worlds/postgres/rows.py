"""Database rows as records of the port. The columns are in the order the queries name them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from workflow.world.records import Chunk, Event, HookRecord, Letter, Parked, RunRecord, Task

__all__ = [
    "chunk_record",
    "event_record",
    "hook_record",
    "letter_record",
    "run_record",
    "task_record",
]

_RUN = (
    "run_id", "workflow", "status", "created_at", "input", "started_at", "completed_at", "output",
    "error_code", "bundle", "python", "idempotency_key", "attributes", "parent_run", "parent_ref",
    "head", "mail", "seen", "next_timer", "owner", "fence", "claims", "parked",
)  # fmt: skip
_EVENT = ("seq", "type", "at", "ref", "name", "payload", "meta")
_LETTER = ("kind", "n", "ref", "name", "payload", "meta", "at", "dedupe")
_TASK = (
    "run_id", "step_id", "name", "payload", "attempt", "run_at", "created_at", "error", "meta",
    "owner",
)  # fmt: skip
_HOOK = ("run_id", "hook_id", "token", "created_at", "webhook", "metadata", "meta")
_CHUNK = ("index", "data", "step_id", "attempt")


def _fields(names: Sequence[str], row: Sequence[Any]) -> dict[str, Any]:
    return dict(zip(names, row, strict=True))


def run_record(row: Sequence[Any]) -> RunRecord:
    values = _fields(_RUN, row)
    values["attributes"] = msgspec.json.decode(values["attributes"], type=dict[str, str])
    if values["parked"] is not None:
        values["parked"] = msgspec.json.decode(values["parked"], type=Parked)
    return RunRecord(**values)


def event_record(row: Sequence[Any]) -> Event:
    return Event(**_fields(_EVENT, row))


def letter_record(row: Sequence[Any]) -> Letter:
    return Letter(**_fields(_LETTER, row))


def task_record(row: Sequence[Any]) -> Task:
    return Task(**_fields(_TASK, row))


def hook_record(row: Sequence[Any]) -> HookRecord:
    return HookRecord(**_fields(_HOOK, row))


def chunk_record(row: Sequence[Any]) -> Chunk:
    return Chunk(**_fields(_CHUNK, row))
