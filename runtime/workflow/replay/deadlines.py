"""The moment by which a run has to be done, and what happens then.

A deadline is in the run's first event, and is a wait of the run like any other, so that it comes
due when nothing of the run is in memory. The body is asked to stop, as by a cancel request; what it
does to clean up is recorded. When the grace is over as well, the run ends without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workflow.errors import DeadlineExceededError
from workflow.events import Micros
from workflow.replay.loop import Handle

if TYPE_CHECKING:
    from workflow.replay.live import LiveRun

__all__ = ["GRACE", "Deadline"]

GRACE: Micros = 60_000_000  # of runs whose first event does not say


class Deadline:
    """The deadline of one live run. Without one it does nothing."""

    def __init__(self, run: LiveRun) -> None:
        self.missed = False
        self.waits: dict[str, Micros] = {}  # open: the deadline, later the grace, by correlation id
        self._run = run
        self._due: Micros = 0
        self._grace: Micros = GRACE

    def begin(self, meta: dict[str, Any]) -> None:
        """Take the deadline out of the meta of the run's first event, and wait for it."""
        due = meta.get("deadline")
        if due is None:
            return
        self._due, self._grace = due, meta.get("grace", GRACE)
        self._wait(due, "deadline")

    def error(self) -> DeadlineExceededError:
        """What the run fails with."""
        return DeadlineExceededError(self._due)

    def overdue(self, now: Micros) -> tuple[str, Micros] | None:
        """The correlation id and due time of a wait of this one's that is over at `now`."""
        return next(((ref, due) for ref, due in self.waits.items() if due <= now), None)

    def _wait(self, due: Micros, kind: str) -> None:
        handle = Handle(self._pass if kind == "deadline" else self._stop, (), None, due / 1_000_000)
        self.waits[self._run.open_wait(due, handle, kind=kind)] = due

    def _pass(self) -> None:
        self.missed = True
        self.waits.clear()
        self._wait(self._run.loop.now + self._grace, "grace")
        self._run.stop(str(self.error()))

    def _stop(self) -> None:
        self.waits.clear()
        self._run.abort(self.error())
