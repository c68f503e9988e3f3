"""What `wfc inspect run` says of why a run waits, going by its row and its log."""

from __future__ import annotations

import msgspec

from wfc.cli.show import waiting
from workflow.world.records import Event, RunRecord

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
    assert waiting(run, [wait(2, "sleep", 30), wait(3, "grace", 60), wait(4, "sleep", 90)], []) == [
        "its deadline is over; it may clean up until 1970-01-01T00:01:00.000+00:00",
        "sleeps until 1970-01-01T00:01:30.000+00:00",
    ]
