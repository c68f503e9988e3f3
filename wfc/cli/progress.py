"""How far a run is: its steps, and what it waits for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from wfc.cli.show import moment
from workflow.policy.names import short_name

if TYPE_CHECKING:
    from workflow.world.port import World
    from workflow.world.records import Event, Letter, NewEvent, RunRecord, Task

__all__ = ["NOBODY", "has_workers", "open_children", "steps_of", "waiting"]

NOBODY = (
    "no worker is alive: serve the application that `app = with_workflow(app)` gave, or run "
    "`wfc worker`"
)


async def has_workers(world: World) -> bool:
    """Whether a worker of the world shows signs of life."""
    from workflow.world.records import NO_STEPS

    return any(worker.registry != NO_STEPS for worker in await world.list_workers())


def steps_of(
    run: RunRecord,
    events: Sequence[Event],
    tasks: Iterable[Task],
    letters: Iterable[Letter],
    now: int,
) -> list[dict[str, Any]]:
    """The steps of a run: the log says which were called and ended, the tasks what is under way.

    What is neither is at work with the run's owner. Where there is none, the body gave the call up
    (a time-out, a race that another one has won) or ended before it.
    """
    status, detail = "running", ""
    if run.completed_at is not None:
        status, detail = "cancelled", "the run ended before it"
    elif run.parked is not None:
        status, detail = "pending", "the run is parked"
    elif run.owner is None and run.mail <= run.seen:
        status, detail = "cancelled", "the body gave it up"
    steps: dict[str, dict[str, Any]] = {}
    for event in events:
        if event.type == "step_created":
            steps[event.ref] = {
                "step_id": event.ref,
                "name": event.name,
                "status": status,
                "attempt": 1,
                "detail": detail,
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
            step["status"], step["detail"] = "running", ""
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


def open_children(events: Iterable[Event]) -> list[str]:
    """The ids of the runs that a run has started and whose ends it has not seen."""
    started = {event.ref: None for event in events if event.type == "child_created"}
    for event in events:
        if event.type == "child_ended":
            started.pop(event.ref, None)
    return list(started)


def waiting(
    run: RunRecord,
    events: Sequence[Event],
    steps: Sequence[dict[str, Any]],
    children: Mapping[str, RunRecord | None],
) -> list[str]:
    """Why an open run does not go on right now, one reason a line.

    `children` are the rows of the runs that `open_children` names.
    """
    if run.parked is not None:
        return [
            f"parked ({run.parked.code}): {run.parked.reason}",
            f"mend the cause, then: wfc resume {run.run_id}",
        ]
    if run.completed_at is not None:
        return []
    reasons = [
        f"step {short_name(step['name'])} is {step['status']}, attempt {step['attempt']}"
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
            child = children.get(event.ref)
            parked = child is not None and child.parked is not None
            goes = "is parked" if parked else "goes on"
            reasons.append(f"its child {short_name(event.name)} {goes}: {event.ref}")
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
