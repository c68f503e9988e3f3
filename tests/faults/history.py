"""Compares what the log says with what the steps left behind, promise by promise."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from workflow.codec import Codec
from workflow.world.port import World
from workflow.world.records import Event

__all__ = ["History", "check_run"]

_RESULTS = ("step_completed", "step_failed")
_ENDS = ("run_completed", "run_failed", "run_cancelled")


@dataclass(frozen=True)
class History:
    """What a checked run came to."""

    run_id: str
    steps: int  # results recorded
    bodies: int  # executions of step bodies begun
    events: int


async def check_run(world: World, run_id: str, bodies: list[list[str]], result: object) -> History:
    """Check an ended run against the lines of `flows.note`. Raises AssertionError.

    Its log has no gap and ends once (P9); each call has exactly one result (P2), which a body did
    produce (P3); it returned `result` (P10); each payload was received once (P1).
    """
    events = await world.list_events(run_id, limit=100_000)
    assert [e.seq for e in events] == list(range(1, len(events) + 1)), f"{run_id}: a gap in the log"
    times = [e.at for e in events]
    assert times == sorted(times), f"{run_id}: times go back"
    assert [e.type for e in events if e.type in _ENDS] == ["run_completed"], run_id
    assert events[-1].type == "run_completed", f"{run_id}: something follows the end"
    recorded = _once(run_id, [e for e in events if e.type in _RESULTS])
    called = _once(run_id, [e for e in events if e.type == "step_created"])
    assert recorded.keys() == called.keys(), f"{run_id}: results and calls differ"
    for kind in ("wait_completed", "hook_received", "hook_created"):
        _once(run_id, [e for e in events if e.type == kind])
    codec = Codec()
    mine = [line for line in bodies if line[1] == run_id]
    finished = Counter((line[2], line[5]) for line in mine if line[0] == "end")
    for step_id, event in recorded.items():
        value = str(codec.decode(event.payload or b""))
        assert finished[step_id, value], f"{run_id}: nobody returned {value} from {step_id}"
    run = await world.get_run(run_id)
    assert run is not None
    assert run.status == "completed"
    assert codec.decode(run.output or b"") == result, f"{run_id}: another result"
    assert await world.list_tasks(run_id) == (), f"{run_id}: tasks are left"
    assert await world.list_hooks(run_id) == (), f"{run_id}: hooks are left"
    begun = sum(line[0] == "begin" for line in mine)
    return History(run_id=run_id, steps=len(recorded), bodies=begun, events=len(events))


def _once(run_id: str, events: list[Event]) -> dict[str, Event]:
    found = {event.ref: event for event in events}
    assert len(found) == len(events), f"{run_id}: {events[0].type} twice for one call"
    return found
