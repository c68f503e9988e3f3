"""What `wfc inspect run` says of why a run waits, going by its row and its log."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from wfc.cli.progress import open_children, steps_of, waiting
from workflow.world.records import Event, Letter, Parked, RunRecord, Task

SECOND = 1_000_000


def wait(seq: int, kind: str, due: int) -> Event:
    """The beginning of a wait until `due`, in seconds."""
    meta = msgspec.json.encode({"due": due * SECOND})
    return Event(seq=seq, at=0, type="wait_created", ref=f"r{seq}", name=kind, meta=meta)


def test_cancelled_sleeps_and_the_grace() -> None:
    """A sleep that is due before the next timer was cancelled; the grace of a deadline is told."""
    run = RunRecord(
        run_id="wrun_1", workflow="w", status="running", created_at=0, input=b"",
        next_timer=60 * SECOND,
    )  # fmt: skip
    assert waiting(
        run, [wait(2, "sleep", 30), wait(3, "grace", 60), wait(4, "sleep", 90)], [], {}
    ) == [
        "its deadline is over; it may clean up until 1970-01-01T00:01:00.000+00:00",
        "sleeps until 1970-01-01T00:01:30.000+00:00",
    ]


def steps(run: RunRecord, tasks: tuple[Task, ...] = ()) -> list[tuple[str, str]]:
    """The status and detail of each step of a log with a finished and three open ones."""
    events = [
        *(Event(seq=n, at=0, type="step_created", ref=f"s{n}", name="step") for n in (2, 3, 4, 5)),
        Event(seq=6, at=0, type="step_completed", ref="s2", name="step"),
    ]
    letter = Letter(kind="step_failed", ref="s3", meta=b'{"attempt": 4, "error": "no"}')
    return [(each["status"], each["detail"]) for each in steps_of(run, events, tasks, [letter], 0)]


def test_steps_without_a_task_are_with_the_owner_or_with_nobody() -> None:
    """An ended run has no running steps, and neither has one at rest: its body gave them up."""
    row = RunRecord(run_id="wrun_1", workflow="w", status="running", created_at=0, input=b"")
    task = Task(step_id="s4", name="step", payload=b"", run_id="wrun_1", owner="w", attempt=2)
    over = [("completed", ""), ("failed", "no")]
    held = replace(row, owner="w")
    assert steps(held, (task,)) == [*over, ("running", ""), ("running", "")]
    assert steps(replace(row, mail=1)) == [*over, ("running", ""), ("running", "")]
    gone = ("cancelled", "the body gave it up")
    assert steps(row, (task,)) == [*over, ("running", ""), gone]
    assert steps(replace(row, completed_at=1)) == [
        *over,
        *[("cancelled", "the run ended before it")] * 2,
    ]
    parked = replace(row, parked=Parked(code="c", reason="r"))
    assert steps(parked) == [*over, *[("pending", "the run is parked")] * 2]


def test_a_parked_child_is_told_from_one_that_goes_on() -> None:
    """A parent that waits for it has to be told where the trouble is."""
    row = RunRecord(run_id="wrun_1", workflow="w", status="running", created_at=0, input=b"")
    events = [
        Event(seq=n, at=0, type="child_created", ref=f"wrun_c{n}", name="workflow//a.py//part")
        for n in (2, 3, 4)
    ]
    events.append(Event(seq=5, at=0, type="child_ended", ref="wrun_c3", name="part"))
    assert open_children(events) == ["wrun_c2", "wrun_c4"]
    children = {"wrun_c2": row, "wrun_c4": replace(row, parked=Parked(code="c", reason="r"))}
    assert waiting(row, events, [], children) == [
        "its child part goes on: wrun_c2",
        "its child part is parked: wrun_c4",
    ]
