"""`wfc cancel`: ask runs to stop."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wfc.cli.worlds import no_such_run, open_world, root_option, world_option

if TYPE_CHECKING:
    from workflow.world.port import World
    from workflow.world.records import Status

__all__ = ["cancel"]

_OPEN = ("pending", "running", "paused")


@click.command()
@click.argument("run_ids", metavar="[RUN_ID]...", nargs=-1)
@click.option("--reason", default="", help="Shown to whoever waits for the run.")
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice([*_OPEN, "parked"]),
    help="All open runs with this status; several times for several.",
)
@click.option("--workflow", help="All open runs of this workflow: its full id, or its name.")
@click.option("--dry-run", is_flag=True, help="Only print the ids.")
@root_option
@world_option
def cancel(
    run_ids: tuple[str, ...],
    reason: str,
    statuses: tuple[str, ...],
    workflow: str | None,
    dry_run: bool,
    root: Path,
    target: str | None,
) -> None:
    """Ask runs to stop: those named, or all open ones of a status, a workflow, or both.

    A body sees CancelledError and may clean up; a parked run ends at once. The ids of the runs that
    were asked are printed. Exit status 1 when a run that was named has ended already.

    \b
    Examples:
        wfc cancel wrun_01J… --reason "ordered twice"
        wfc cancel --workflow import_all --status pending
    """
    by_filter = bool(statuses or workflow)
    if bool(run_ids) == by_filter:
        raise click.UsageError("name runs, or say which by --status and --workflow")
    sys.exit(asyncio.run(_cancel(run_ids, reason, statuses, workflow, dry_run, root, target)))


async def _cancel(
    run_ids: tuple[str, ...],
    reason: str,
    statuses: tuple[str, ...],
    workflow: str | None,
    dry_run: bool,
    root: Path,
    target: str | None,
) -> int:
    from workflow.codec import Codec
    from workflow.engine import control
    from workflow.errors import RunEndedError, WorkflowRunNotFoundError

    world = await open_world(root, target)
    late = 0
    try:
        found = run_ids or await _found(world, statuses, workflow)
        if not found:
            click.echo("no such open runs", err=True)
        for run_id in found:
            try:
                if dry_run:
                    await _look(world, run_id)
                else:
                    await control.cancel(world, Codec(), run_id, reason)
            except WorkflowRunNotFoundError:
                raise no_such_run(world, run_id) from None
            except RunEndedError as error:  # meanwhile, for those that were found by a filter
                late += bool(run_ids)
                click.echo(str(error), err=True)
            else:
                click.echo(run_id)
        return 1 if late else 0
    finally:
        await world.close()


async def _look(world: World, run_id: str) -> None:
    from workflow.errors import RunEndedError, WorkflowRunNotFoundError

    run = await world.get_run(run_id)
    if run is None:
        raise WorkflowRunNotFoundError(run_id)
    if run.completed_at is not None:
        raise RunEndedError(f"{run_id} has ended")


async def _found(world: World, statuses: tuple[str, ...], workflow: str | None) -> list[str]:
    """The ids of the open runs that the filters choose."""
    from wfc.cli.inspect import full_id
    from workflow.world.records import RunFilter

    wanted = await full_id(world, workflow)
    found: dict[str, None] = {}
    for status in statuses or _OPEN:
        parked = True if status == "parked" else None
        kind: Status | None = None if status == "parked" else status  # type: ignore[assignment]
        cursor: str | None = None
        while True:
            where = RunFilter(status=kind, parked=parked, workflow=wanted)
            page = await world.list_runs(where, limit=500, cursor=cursor)
            found |= dict.fromkeys(run.run_id for run in page.items if run.completed_at is None)
            cursor = page.cursor
            if cursor is None:
                break
    return list(found)
