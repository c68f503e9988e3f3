"""The whole of a run in the time that its steps take: waits are skipped."""

from __future__ import annotations

from typing import TypeVar

from workflow.errors import WorkflowRunNotFoundError
from workflow.runs import Run
from workflow.testing.clock import VirtualClock
from workflow.world.port import World
from workflow.world.records import Micros

__all__ = ["finish"]

T = TypeVar("T")


async def finish(run: Run[T], clock: VirtualClock) -> T:
    """The result of a run, moving `clock`, its world's, whenever the run waits for time alone.

    Sleeps, timeouts of hooks, pauses before a retry and a delayed start are over at once. A run
    that waits for a hook without a timeout goes on when the test resumes it. Raises as
    `run.return_value`; WorkflowRunNotFoundError; RuntimeError for a run that is parked.
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
        due = None if found.mail > found.seen else await _due(world, run.run_id)
        if due is not None and due > clock.now():
            clock.advance((due - clock.now()) / 1_000_000)


async def _due(world: World, run_id: str) -> Micros | None:
    """When the next thing happens to a run, None while something is happening or for no one knows
    how long."""
    run = await world.get_run(run_id)
    tasks = await world.list_tasks(run_id)
    if run is None or any(task.owner is not None for task in tasks):
        return None
    times = [task.run_at for task in tasks]
    if run.next_timer is not None:
        times.append(run.next_timer)
    return min(times, default=None)
