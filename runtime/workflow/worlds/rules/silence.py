"""Whose leases a worker may end that could give no sign of life itself.

A lease that has run out says that its worker is gone, as long as somebody else was able to renew
its own. When the database was away, the machine slept or the clock jumped, all leases have run out
at once, and the first to come back would take the work of all others away, who are only a moment
later. So it gives them that moment.
"""

from __future__ import annotations

import threading

from workflow.world.records import Micros, WorkerRecord

__all__ = ["Silence"]

# For how many microseconds, at most, a worker that was silent leaves the others their leases.
_GRACE = 5_000_000


class Silence:
    """What each worker of a world object has said last. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._said: dict[str, tuple[Micros, Micros]] = {}  # when, and how long its lease lasted
        self._lenient: dict[str, tuple[Micros, Micros]] = {}  # until when, and towards whom

    def ended_by(self, worker: WorkerRecord, now: Micros) -> Micros:
        """A worker has given a sign of life at `now`. Leases that ran out until then are over.

        That is `now`, but after a silence that was longer than its own lease: then it is the time
        of its sign of life before.
        """
        name = worker.worker
        with self._lock:
            if len(self._said) > 1000:  # workers that are long gone
                self._said.clear()
                self._lenient.clear()
            before, lasted = self._said.get(name, (now, now + 1))
            self._said[name] = (now, worker.lease_until)
            if lasted <= now:
                self._lenient[name] = (now + min(worker.lease_until - now, _GRACE), before)
            until, ended_by = self._lenient.get(name, (now, now))
            if until <= now:
                self._lenient.pop(name, None)
                return now
            return ended_by
