"""Steps and workflows that no live worker has: their runs are parked, and not lost.

During a rolling deploy a step may be missing here and there for a while, so a run is parked only
when its step was missing all of the time that WORKFLOW_PARK_MISSING_AFTER says. "Missing" is either
of two: no live worker has a step of that id, or the step of that id does not take the recorded
arguments. Each worker judges by what it has seen itself; the one that claims the run parks it.
A new run, which is not pinned to any code, is left to others as long when its workflow is not in
the build of the worker that claims it, or does not take the recorded arguments there.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workflow.errors import StepNotRegisteredError
from workflow.events import Micros
from workflow.policy.names import short_name
from workflow.world.records import Letter, RunRecord, Task

if TYPE_CHECKING:
    from workflow.engine.worker import Worker

__all__ = ["Stranded", "patience"]

log = logging.getLogger("workflow.engine")

SECOND = 1_000_000
AGAIN = 5 * SECOND  # until what did not fit here is offered again, to whoever comes first
_HEAD_START = SECOND // 2  # how long others may take it then, before this worker tries again
_FORGET = 12  # of those, after which a misfit that was not seen again does not count any more


@dataclass(frozen=True)
class _Misfit:
    """A task whose recorded arguments the step of this worker does not take."""

    run_id: str
    reason: str
    since: Micros
    seen: Micros


class Stranded:
    """What one worker knows about tasks that nobody can do."""

    def __init__(self, worker: Worker, after: float) -> None:
        self._worker = worker
        self._after = round(after * SECOND)
        self._missing: dict[tuple[str, str], Micros] = {}  # (run, step call) -> missing since
        self._misfits: dict[tuple[str, str], _Misfit] = {}
        self._unknown: dict[str, Micros] = {}  # new runs of workflows that are not here -> since
        self._left: Micros = 0  # from when others go first with runs
        self._shy: dict[str, Micros] = {}  # steps by name: from when others go first
        self._registries: dict[str, frozenset[str]] = {}

    async def publish(self) -> None:
        """Tell the other workers which steps this one has, under the hash its lease shows."""
        registry = self._worker.project.registry
        await self._worker.world.put_bundle(registry.fingerprint, registry.listing)

    def names(self) -> Collection[str]:
        """The steps whose tasks to claim now: without those that others are to have first."""
        steps = self._worker.project.registry.steps
        if not self._shy:
            return steps.keys()
        now = self._worker.world.now()
        self._shy = {name: at for name, at in self._shy.items() if now < at + _HEAD_START}
        return [name for name in steps if now < self._shy.get(name, now + 1)]

    def own_turn(self) -> Micros | None:
        """When this worker may claim again what it is leaving to others now."""
        left = [*self._shy.values(), *([self._left] if self.leaves_runs() else [])]
        return min(left) + _HEAD_START if left else None

    async def misfit(self, task: Task, reason: str) -> Micros:
        """A task does not fit the step here. Returns when to offer it again, first to others."""
        key = (task.run_id, task.step_id)
        world = self._worker.world
        run = await world.get_run(task.run_id)
        now = world.now()
        if run is None or run.parked is not None:
            return now + _FORGET * AGAIN
        self._shy[task.name] = now + AGAIN
        known = self._misfits.get(key)
        since = now if known is None else known.since
        self._misfits[key] = _Misfit(task.run_id, reason, since, now)
        return now + AGAIN

    def leaves_runs(self) -> bool:
        """Whether runs are to be claimed by others now, if they can."""
        return 0 <= self._worker.world.now() - self._left < _HEAD_START

    def leave(self, run: RunRecord, reason: str) -> Micros | None:
        """When to offer a run again that cannot begin with the code here; None to park it."""
        if run.bundle is not None:
            return None  # nobody else has other code for it
        now = self._worker.world.now()
        since = self._unknown.setdefault(run.run_id, now)
        if since == now:
            log.warning("%s is left to others: %s", run.run_id, reason)
        if now - since < self._after:
            if self._left <= now:  # else they come back together, and we step aside once
                self._left = now + AGAIN
            return self._left
        del self._unknown[run.run_id]
        return None

    async def look(self) -> None:
        """Look for tasks without a worker, and make their runs due once they waited long enough."""
        tasks = await self._without_worker()
        now = self._worker.world.now()
        before = self._missing
        self._missing = {}
        for task in tasks:
            key = (task.run_id, task.step_id)
            self._missing[key] = before.get(key, now)
        self._unknown = {
            run_id: since
            for run_id, since in self._unknown.items()
            if now - since < self._after + _FORGET * AGAIN
        }
        self._misfits = {k: m for k, m in self._misfits.items() if now - m.seen < _FORGET * AGAIN}
        late = {run for (run, _), since in self._missing.items() if now - since >= self._after}
        late |= {m.run_id for m in self._misfits.values() if now - m.since >= self._after}
        for run_id in late:
            await self._worker.world.post(run_id, Letter(kind="nudge"))

    async def refuse(self, run_id: str) -> None:
        """Raise StepNotRegisteredError when a claimed run has waited for a step long enough.

        What is missing is looked at afresh: since the last look a worker may have come. Once the
        run is parked the time begins anew: whoever resumes it may just have started a worker.
        """
        now = self._worker.world.now()
        for key, misfit in self._misfits.items():
            if key[0] == run_id and now - misfit.since >= self._after:
                del self._misfits[key]
                raise StepNotRegisteredError(
                    f"{misfit.reason.removesuffix('.')}. Deploy a build whose step takes what was "
                    f"recorded, then `wfc resume {run_id}`"
                )
        since = {k: s for k, s in self._missing.items() if k[0] == run_id}
        if not any(now - at >= self._after for at in since.values()):
            return
        for task in await self._without_worker():
            key = (task.run_id, task.step_id)
            if key in since and now - since[key] >= self._after:
                self._missing = {k: s for k, s in self._missing.items() if k[0] != run_id}
                raise StepNotRegisteredError(
                    f"no live worker has the step {short_name(task.name)!r} ({task.name}), which "
                    "this run has called. It was removed, renamed or moved since. Start a worker "
                    f"of a build that has it, then `wfc resume {run_id}`"
                )

    async def _without_worker(self) -> list[Task]:
        world = self._worker.world
        tasks = await world.list_unclaimed(self._worker.project.registry.steps.keys())
        if not tasks:
            return []
        known: set[str] = set()
        for worker in await world.list_workers():
            steps = await self._steps_of(worker.registry)
            if steps is None:
                return []  # a worker that does not say what it has may have everything
            known |= steps
        return [task for task in tasks if task.name not in known]

    async def _steps_of(self, registry: str) -> frozenset[str] | None:
        if registry not in self._registries:
            listing = await self._worker.world.get_bundle(registry)
            if listing is None:
                return None
            self._registries[registry] = frozenset(listing.decode().splitlines())
        return self._registries[registry]


def patience(environ: Mapping[str, str]) -> float:
    """WORKFLOW_PARK_MISSING_AFTER in seconds, 60 by default. Raises ValueError."""
    text = environ.get("WORKFLOW_PARK_MISSING_AFTER") or "60"
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"WORKFLOW_PARK_MISSING_AFTER is a number of seconds, not {text!r}")
    return seconds
