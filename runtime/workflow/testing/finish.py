"""Runs in tests: the whole of one without its waits, or as far as it gets by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from workflow.errors import WorkflowRunNotFoundError
from workflow.hook_record import HookRecord, shown
from workflow.policy.lineage import ROOT
from workflow.runs import Run
from workflow.testing.clock import VirtualClock
from workflow.world.port import World
from workflow.world.records import Micros, RunFilter, RunRecord, Task

__all__ = ["finish", "settle"]

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
        found = await _open(world, run)
        if found is None:
            return await run.return_value
        due = await _due(world, found)
        if due is not None and due > clock.now():
            clock.advance((due - clock.now()) / 1_000_000)


async def settle(run: Run[Any]) -> tuple[HookRecord, ...]:
    """Let a run do what it can do now, and return the hooks that it and its family have open then.

    Afterwards only time or somebody outside can make it go on: the test moves the clock, or resumes
    one of the hooks. A run that has ended has none.
    Raises WorkflowRunNotFoundError; RuntimeError for a run that is parked.
    """
    world = run._world
    change = 0
    while True:
        change = await world.wait_for_change(change, None)
        found = await _open(world, run)
        if found is None:
            return ()
        family = await _family(world, found)
        if any([await _at_work(world, each) for each in family]):
            continue
        if await _family(world, found) != family:  # a child ended meanwhile and woke its parent
            change = 0
            continue
        ids = {each.run_id for each in family}
        hooks = [hook for hook in await world.list_hooks() if hook.run_id in ids]
        return tuple(shown(hook, run._codec) for hook in hooks)


async def _open(world: World, run: Run[Any]) -> RunRecord | None:
    """A run as it is at the moment, None when it has ended."""
    found = await world.get_run(run.run_id)
    if found is None:
        raise WorkflowRunNotFoundError(run.run_id)
    if found.completed_at is None and found.parked is not None:
        raise RuntimeError(f"the run is parked: {found.parked.code}: {found.parked.reason}")
    return found if found.completed_at is None else None


async def _family(world: World, run: RunRecord) -> list[RunRecord]:
    """A run, and those of its family that are open."""
    where = RunFilter(attributes={ROOT: run.attributes.get(ROOT, run.run_id)})
    page = await world.list_runs(where, limit=1000)
    others = [each for each in page.items if each.completed_at is None]
    now = await world.get_run(run.run_id)
    return [now or run, *(each for each in others if each.run_id != run.run_id)]


async def _at_work(world: World, run: RunRecord) -> bool:
    """Whether anything of a run is being done, or due."""
    if run.completed_at is not None or run.parked is not None:
        return False
    now = world.now()
    tasks = await world.list_tasks(run.run_id)
    return (
        _is_busy(run, tasks)
        or any(task.run_at <= now for task in tasks)
        or (run.next_timer is not None and run.next_timer <= now)
    )


def _is_busy(run: RunRecord, tasks: Sequence[Task]) -> bool:
    # A run that is nobody's does nothing; a worker may run a step without a task of its own.
    return run.mail > run.seen or run.owner is not None or any(task.owner for task in tasks)


async def _due(world: World, run: RunRecord) -> Micros | None:
    """When the next thing happens to a run or its family, None while something is happening or for
    no one knows how long."""
    times: list[Micros] = []
    for each in await _family(world, run):
        tasks = await world.list_tasks(each.run_id)
        if _is_busy(each, tasks):
            return None
        if each.status == "paused":  # a person is to answer first
            continue
        times += [task.run_at for task in tasks]
        if each.next_timer is not None:
            times.append(each.next_timer)
    return min(times, default=None)
