"""Runs, steps and events as lines of text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from workflow.codec import Codec
    from workflow.world.records import Event, Letter, NewEvent, RunRecord, Task

__all__ = [
    "clean",
    "deadline_of",
    "event_json",
    "event_line",
    "origin_lines",
    "plain",
    "run_json",
    "steps_of",
    "table",
    "waiting",
]


def clean(text: str) -> str:
    """Text from a run, safe for a terminal: control characters become visible."""
    return "".join(c if c.isprintable() or c == " " else repr(c)[1:-1] for c in text)


def plain(data: bytes | None, codec: Codec) -> Any:
    """A recorded value as JSON-able data. What this process cannot revive is shown as recorded."""
    if data is None:
        return None
    from pydantic_core import to_jsonable_python

    from workflow.errors import DecryptionError, WorkflowError

    try:
        value = codec.decode(data)
    except DecryptionError as error:
        return {"encrypted": str(error)}
    except WorkflowError:
        return {"recorded": data[4:].decode(errors="replace")}
    return to_jsonable_python(value, fallback=repr, inf_nan_mode="strings")


def moment(micros: int | None) -> str | None:
    """A recorded time in ISO 8601, UTC."""
    if micros is None:
        return None
    return datetime.fromtimestamp(micros / 1e6, UTC).isoformat(timespec="milliseconds")


def run_json(run: RunRecord, codec: Codec) -> dict[str, Any]:
    """A run's row with its input and output as data."""
    from workflow.policy.lineage import PARENT

    failed = run.status in ("failed", "cancelled")
    return {
        "run_id": run.run_id,
        "workflow": run.workflow,
        "status": run.status,
        "parked": msgspec.to_builtins(run.parked),
        "created_at": moment(run.created_at),
        "started_at": moment(run.started_at),
        "completed_at": moment(run.completed_at),
        "parent_run": run.parent_run or run.attributes.get(PARENT),
        "idempotency_key": run.idempotency_key,
        "attributes": run.attributes,
        "bundle": run.bundle,
        "python": run.python,
        "input": plain(run.input, codec),
        "output": None if failed else plain(run.output, codec),
        "error": _error(run.output, codec) if failed and run.output else None,
        "error_code": run.error_code,
    }


def deadline_of(events: Sequence[Event]) -> str | None:
    """By when a run has to be done, from its first event."""
    meta = msgspec.json.decode(events[0].meta or b"{}") if events else {}
    return moment(meta.get("deadline"))


def origin_lines(run: dict[str, Any]) -> list[str]:
    """What a run was started with: its parent, key, deadline and attributes, as far as it has any.

    `run` is what `run_json` made, with its deadline.
    """
    told = {"parent": run["parent_run"], "key": run["idempotency_key"], "deadline": run["deadline"]}
    lines = [f"{name:<13} {value}" for name, value in told.items() if value is not None]
    # The runtime's own attributes say who the parent is, which stands above.
    own = {name: value for name, value in run["attributes"].items() if not name.startswith("$")}
    return lines + [f"{'attribute':<13} {name} = {value}" for name, value in sorted(own.items())]


def event_json(event: Event, codec: Codec) -> dict[str, Any]:
    """An event with its payload as data."""
    meta = msgspec.json.decode(event.meta) if event.meta else {}
    failed = event.type == "child_ended" and meta.get("status") != "completed"
    error = failed or event.type in ("step_failed", "run_failed")
    payload = _error(event.payload, codec) if error else plain(event.payload, codec)
    captured = None
    if event.type == "step_created" and isinstance(payload, dict):
        captured = payload.pop("", None)
    return {
        "seq": event.seq,
        "type": event.type,
        "at": moment(event.at),
        "ref": event.ref,
        "name": event.name,
        "payload": payload,
        # what a nested step uses of the function around it
        **({"captured": captured} if captured else {}),
        "meta": meta,
    }


def event_line(event: Event, started: int) -> str:
    """One line of a log: number, seconds since the run began, what, and the telling detail."""
    meta = msgspec.json.decode(event.meta) if event.meta else {}
    detail = ""
    if meta.get("attempt", 1) > 1:
        detail = f"attempt {meta['attempt']}"
    if "error" in meta:
        detail = f"{detail}  {meta['error']}".strip()
    if "due" in meta:
        detail = f"until {moment(meta['due'])}"
    if event.type == "child_created":
        detail = event.ref
    if event.type == "child_ended":
        detail = f"{event.ref}  {meta.get('status', '?')}"
    if "action" in meta:
        detail = f"asks {meta['action']['step']}"
    if event.type == "hook_conflict":
        detail = f"held by {meta.get('run_id', '?')}"
    if event.type == "run_failed":
        detail = meta.get("code", "")
    seconds = (event.at - started) / 1e6
    name = _short(event.name)
    return clean(
        f"{event.seq:>4}  {seconds:>9.3f} s  {event.type:<20} {name:<24} {detail}".rstrip()
    )


def steps_of(
    events: Sequence[Event], tasks: Iterable[Task], letters: Iterable[Letter], now: int
) -> list[dict[str, Any]]:
    """The steps of a run: the log says which were called and ended, the tasks what is under way."""
    steps: dict[str, dict[str, Any]] = {}
    for event in events:
        if event.type == "step_created":
            steps[event.ref] = {
                "step_id": event.ref,
                "name": event.name,
                "status": "running",
                "attempt": 1,
                "detail": "",
            }
        elif event.type in ("step_completed", "step_failed") and event.ref in steps:
            _finish(steps[event.ref], event, event.type)
    for letter in letters:
        if letter.kind in ("step_completed", "step_failed") and letter.ref in steps:
            _finish(steps[letter.ref], letter, letter.kind)
    for task in tasks:
        step = steps.get(task.step_id)
        if step is not None:
            step["attempt"] = max(1, task.attempt)
            if task.owner is None:
                step["status"] = "pending"
                step["detail"] = f"next attempt at {moment(task.run_at)}" if task.attempt else ""
                if task.run_at <= now:
                    step["detail"] = "due now; no worker has taken it yet"
    return list(steps.values())


def _finish(step: dict[str, Any], ending: NewEvent | Letter, kind: str) -> None:
    meta = msgspec.json.decode(ending.meta) if ending.meta else {}
    step["status"] = kind.removeprefix("step_")
    step["attempt"] = meta.get("attempt", 1)
    step["detail"] = meta.get("error", "")


def waiting(run: RunRecord, events: Sequence[Event], steps: Sequence[dict[str, Any]]) -> list[str]:
    """Why an open run does not go on right now, one reason a line."""
    if run.parked is not None:
        return [
            f"parked ({run.parked.code}): {run.parked.reason}",
            f"mend the cause, then: wfc resume {run.run_id}",
        ]
    if run.completed_at is not None:
        return []
    reasons = [
        f"step {_short(step['name'])} is {step['status']}, attempt {step['attempt']}"
        + (f" ({step['detail']})" if step["detail"] else "")
        for step in steps
        if step["status"] in ("running", "pending")
    ]
    over = ("wait_completed", "hook_disposed", "hook_conflict", "child_ended")
    ended = {e.ref for e in events if e.type in over}
    given = {e.ref for e in events if e.type == "hook_received"}
    for event in events:
        if event.ref in ended:
            continue
        if event.type == "wait_created" and event.name == "sleep":
            due = msgspec.json.decode(event.meta or b"{}").get("due", 0)
            # One that is due before the run's next timer was cancelled; the log does not say so.
            if run.owner is not None or run.next_timer is None or due >= run.next_timer:
                reasons.append(f"sleeps until {moment(due)}")
        elif event.type == "wait_created" and event.name == "grace":
            due = msgspec.json.decode(event.meta or b"{}").get("due", 0)
            reasons.append(f"its deadline is over; it may clean up until {moment(due)}")
        elif event.type == "hook_created" and event.ref not in given:
            reasons.append(_hook(event, run.run_id))
        elif event.type == "child_created":
            reasons.append(f"its child {_short(event.name)} goes on: {event.ref}")
    if not reasons and run.status == "pending" and run.next_timer is not None:
        return [f"begins at {moment(run.next_timer)}"]
    if not reasons:
        return ["no worker has taken it yet" if run.owner is None else f"works on {run.owner}"]
    return reasons


def _hook(event: Event, run_id: str) -> str:
    """What an open hook waits for; a pending action is one whose token nobody has to know."""
    action = msgspec.json.decode(event.meta or b"{}").get("action")
    if action is None:
        return f"waits for the hook {event.name}"
    options = f" [{' | '.join(action['options'])}]" if action["options"] else ""
    question = f": {action['message']}" if action["message"] else ""
    return (
        f"asks {action['step']}{question}{options} (until {moment(action['expires'])}); "
        f"answer with: wfc answer {run_id} {action['step']} INPUT"
    )


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as aligned lines; the first one is the heading."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _error(data: bytes | None, codec: Codec) -> dict[str, str] | None:
    if data is None:
        return None
    from workflow.errors import SerializationError, StepFailedError

    try:
        error = codec.decode_error(data)
    except SerializationError as wrong:  # encrypted, or of a class that is gone
        error = wrong
    try:
        message = str(error)
    except Exception:  # the __str__ of a user's own exception
        message = ""
    kind = type(error).__name__
    if isinstance(error, StepFailedError):  # stands for one of a class that is not known here
        original = error.type_name.rpartition(".")[2]
        if message == original or message.startswith(f"{original}: "):
            kind, message = original, message[len(original) + 2 :]
    return {
        "type": kind,
        "message": message,
        "traceback": getattr(error, "workflow_traceback", None) or "",
    }


def _short(name: str) -> str:
    from workflow.policy.names import short_name

    return short_name(name)
