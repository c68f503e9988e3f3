"""Database rows as records of the port."""

from __future__ import annotations

import sqlite3

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


def event_record(row: sqlite3.Row) -> Event:
    return Event(**dict(row))


def letter_record(row: sqlite3.Row) -> Letter:
    return Letter(**dict(row))


def task_record(row: sqlite3.Row) -> Task:
    return Task(**dict(row))


def hook_record(row: sqlite3.Row) -> HookRecord:
    return HookRecord(**{**dict(row), "webhook": bool(row["webhook"])})
