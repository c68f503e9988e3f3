"""The whole of a run in the time that its steps take: waits are skipped."""

from __future__ import annotations

from typing import TypeVar

from workflow.errors import WorkflowRunNotFoundError
from workflow.policy.lineage import ROOT
from workflow.runs import Run
from workflow.testing.clock import VirtualClock
from workflow.world.port import World
from workflow.world.records import Micros, RunFilter, RunRecord

__all__ = ["finish"]

T = TypeVar("T")


async def finish(run: Run[T], clock: VirtualClock) -> T:
    """The result of a run, moving `clock`, its world's, whenever nothing but time is waited for.

    That goes for its children and all of their family as well. Sleeps, timeouts of hooks, pauses
    before a retry and a delayed start are over at once. A run that waits for a hook without a
    timeout, or for a person, goes on when the test resumes it.
    Raises as `run.return_value`; WorkflowRunNotFoundError; RuntimeError for a run that is parked.
    """
    world = run._world
    change = 0
    while True:
        change = await world.wait_for_change(change, None)
        found = await world.get_run(run.run_id)
        if found is None:
            raise WorkflowRunNotFoundError(run.run_id)
        if found.completed_at is not None:
            return await run.return_value
        if found.parked is not None:
            raise RuntimeError(f"the run is parked: {found.parked.code}: {found.parked.reason}")
        due = await _due(world, found)
        if due is not None and due > clock.now():
            clock.advance((due - clock.now()) / 1_000_000)


async def _due(world: World, run: RunRecord) -> Micros | None:
    """When the next thing happens to a run or its family, None while something is happening or for
    no one knows how long."""
    family = RunFilter(attributes={ROOT: run.attributes.get(ROOT, run.run_id)})
    page = await world.list_runs(family, limit=1000)
    others = [each for each in page.items if each.completed_at is None]
    times: list[Micros] = []
    for each in [run, *(each for each in others if each.run_id != run.run_id)]:
        tasks = await world.list_tasks(each.run_id)
        # A run that is nobody's does nothing; a worker may run a step without a task of its own.
        if each.mail > each.seen or each.owner is not None or any(t.owner for t in tasks):
            return None
        if each.status == "paused":  # a person is to answer first
            continue
        times += [task.run_at for task in tasks]
        if each.next_timer is not None:
            times.append(each.next_timer)
    return min(times, default=None)
