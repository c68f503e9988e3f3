"""Runs, steps and events as lines of text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import msgspec

if TYPE_CHECKING:
    from workflow.codec import Codec
    from workflow.world.records import Event, RunRecord

__all__ = [
    "clean",
    "deadline_of",
    "event_json",
    "event_line",
    "jsonable",
    "moment",
    "origin_lines",
    "plain",
    "run_json",
    "table",
]


def clean(text: str) -> str:
    """Text from a run, safe for a terminal: control characters become visible."""
    return "".join(c if c.isprintable() or c == " " else repr(c)[1:-1] for c in text)


def plain(data: bytes | None, codec: Codec) -> Any:
    """A recorded value as JSON-able data. What this process cannot revive is shown as recorded."""
    if data is None:
        return None
    from workflow.errors import DecryptionError, WorkflowError

    try:
        value = codec.decode(data)
    except DecryptionError as error:
        return {"encrypted": str(error)}
    except WorkflowError:
        return {"recorded": data[4:].decode(errors="replace")}
    return jsonable(value)


def jsonable(value: Any) -> Any:
    """A value as JSON-able data. Bytes are text where they are, else base64, all of the value's."""
    from pydantic_core import to_jsonable_python

    modes: tuple[Literal["utf8", "base64"], ...] = ("utf8", "base64")
    for mode in modes:
        try:
            return to_jsonable_python(
                value, fallback=_written, inf_nan_mode="strings", bytes_mode=mode
            )
        except Exception:  # bytes that are no text, a value inside of itself, code of its class
            continue
    return _written(value)


def _written(value: Any) -> str:
    try:
        return repr(value)
    except Exception:
        return object.__repr__(value)


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
