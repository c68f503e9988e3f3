"""The short way of an append: one statement in one round trip.

Most turns touch nothing but their own run: facts, decisions, letters eaten, tasks, an end. Those of
a group go into the database together, in a statement that checks, locks and writes. A turn that is
not applied by it was refused, or needs more than the statement does; the batch finds out which.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg.types.numeric import Int8

from workflow.world.records import Append, Appended, Micros
from workflow.worlds.postgres.arrays import Blobs, Ints, Texts

__all__ = ["answers", "statement"]


def statement(
    known: Mapping[str, bytes], appends: Sequence[Append], now: Micros
) -> tuple[bytes, dict[str, Any]]:
    """The statement for some appends, no two of one run, and its parameters.

    It has the parts that are needed and no others: what PostgreSQL sets up for a part that turns
    out to be empty takes as long as the work itself.
    """
    one = len(appends) == 1
    parts = ["append_one" if one else "append_many"]
    values = _typed(_single(appends[0])) if one else _columns(appends)
    values["now"] = Int8(now)
    if any(a.events for a in appends):
        parts.append("append_events")
        events = [
            (a.run_id, seq, e) for a in appends for seq, e in enumerate(a.events, a.expected + 1)
        ]
        values |= {
            "e_run": Texts(run for run, _, _ in events),
            "e_seq": Ints(seq for _, seq, _ in events),
            "e_type": Texts(e.type for _, _, e in events),
            "e_at": Ints(e.at for _, _, e in events),
            "e_ref": Texts(e.ref for _, _, e in events),
            "e_name": Texts(e.name for _, _, e in events),
            "e_payload": Blobs(e.payload for _, _, e in events),
            "e_meta": Blobs(e.meta for _, _, e in events),
        }
    if any(a.eat for a in appends):
        parts.append("append_eaten")
        eaten = [(a.run_id, n) for a in appends for n in a.eat]
        values |= {"l_run": Texts(run for run, _ in eaten), "l_n": Ints(n for _, n in eaten)}
    if any(a.drop_tasks for a in appends):
        parts.append("append_dropped")
        dropped = [(a.run_id, step) for a in appends for step in a.drop_tasks]
        values |= {
            "d_run": Texts(run for run, _ in dropped),
            "d_step": Texts(step for _, step in dropped),
        }
    if any(a.add_tasks for a in appends):
        parts.append("append_added")
        added = [(a.run_id, task) for a in appends for task in a.add_tasks]
        values |= {
            "t_run": Texts(run for run, _ in added),
            "t_step": Texts(t.step_id for _, t in added),
            "t_name": Texts(t.name for _, t in added),
            "t_payload": Blobs(t.payload for _, t in added),
            "t_attempt": Ints(t.attempt for _, t in added),
            "t_run_at": Ints(t.run_at for _, t in added),
            "t_created_at": Ints(t.created_at for _, t in added),
            "t_error": Blobs(t.error for _, t in added),
            "t_meta": Blobs(t.meta for _, t in added),
        }
    if any(a.end for a in appends):
        parts.append("append_ended")
    return b"\n".join(known[part] for part in [*parts, "append_answer"]), values


def _single(a: Append) -> dict[str, Any]:
    return {
        "run_id": a.run_id,
        "fence": a.fence,
        "expected": a.expected,
        "count": len(a.events),
        "at": a.at,
        "seen": a.seen,
        "next_timer": None if a.end else a.next_timer,
        "owner": None if a.end or a.release else a.worker,
        "bundle": a.bundle,
        "python": a.python,
        "ends": a.end,
        "output": a.output if a.end else None,
        "error_code": a.error_code if a.end else None,
    }


def _typed(values: dict[str, Any]) -> dict[str, Any]:
    # Left to itself, psycopg sends small numbers as smallint: another statement to prepare.
    return {name: Int8(v) if type(v) is int else v for name, v in values.items()}


def _columns(appends: Sequence[Append]) -> dict[str, Any]:
    rows = [_single(a) for a in appends]
    kinds = dict.fromkeys(("run_id", "owner", "bundle", "python", "ends", "error_code"), Texts)
    found: dict[str, Any] = {}
    for name in rows[0]:
        column = Blobs if name == "output" else kinds.get(name, Ints)
        found[name] = column([row[name] for row in rows])
    return found


def answers(appends: Sequence[Append], applied: dict[str, int]) -> list[Appended | None]:
    """For each append its answer, None where the statement did not apply it."""
    return [
        Appended(ok=True, head=a.expected + len(a.events), mail=applied[a.run_id])
        if a.run_id in applied
        else None
        for a in appends
    ]
