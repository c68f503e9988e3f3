"""Database rows as records of the port."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any

import msgspec

from workflow.world.records import Event, HookRecord, Letter, Parked, RunRecord, Task

__all__ = ["event_record", "hook_record", "letter_record", "run_record", "task_record"]


def run_record(row: sqlite3.Row) -> RunRecord:
    parked = row["parked"]
    return RunRecord(
        **{
            **dict(row),
            "attributes": msgspec.json.decode(row["attributes"], type=dict[str, str]),
            "parked": None if parked is None else msgspec.json.decode(parked, type=Parked),
        }
    )


def event_record(row: Iterable[Any]) -> Event:
    """From `seq, type, at, ref, name, payload, meta`."""
    seq, type_, at, ref, name, payload, meta = row
    return Event(seq=seq, type=type_, at=at, ref=ref, name=name, payload=payload, meta=meta)


def letter_record(row: Iterable[Any]) -> Letter:
    """From `kind, n, ref, name, payload, meta, at, dedupe`."""
    kind, n, ref, name, payload, meta, at, dedupe = row
    return Letter(
        kind=kind, n=n, ref=ref, name=name, payload=payload, meta=meta, at=at, dedupe=dedupe
    )


def task_record(row: sqlite3.Row) -> Task:
    return Task(**{name: row[name] for name in Task.__struct_fields__})


def hook_record(row: sqlite3.Row) -> HookRecord:
    return HookRecord(**{**dict(row), "webhook": bool(row["webhook"])})
