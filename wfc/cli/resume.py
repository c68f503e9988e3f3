"""`wfc resume`: let parked runs go on."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wfc.cli.worlds import built_project, no_such_run, open_world, root_option, world_option

if TYPE_CHECKING:
    from workflow.engine.project import Project
    from workflow.world.port import World

__all__ = ["resume"]


@click.command()
@click.argument("run_ids", metavar="[RUN_ID]...", nargs=-1)
@click.option("--code", help="All runs that are parked with this code, such as decryption.")
@click.option("--workflow", help="All parked runs of this workflow: its full id, or its name.")
@click.option("--all", "everything", is_flag=True, help="All parked runs.")
@click.option(
    "--new-code",
    is_flag=True,
    help="Go on with the orchestration code of this build, where the log fits it.",
)
@click.option("--dry-run", is_flag=True, help="Only print the ids.")
@root_option
@world_option
def resume(
    run_ids: tuple[str, ...],
    code: str | None,
    workflow: str | None,
    everything: bool,
    new_code: bool,
    dry_run: bool,
    root: Path,
    target: str | None,
) -> None:
    """Let parked runs go on, once their cause is mended: those named, or all of a code, a workflow,
    or both.

    Any worker replays their logs from the start; if log and code still disagree, they are parked
    again. The ids of the runs that go on are printed. Exit status 1 when a run that was named was
    not parked.

    A run stays on the orchestration code it was begun with. With --new-code it goes on with that of
    this build instead: its log is replayed against it first, and a run whose log does not fit stays
    as it is, with exit status 1.

    \b
    Examples:
        wfc resume wrun_01J…
        wfc resume --code decryption --workflow order
        wfc resume --code serialization --new-code
    """
    by_filter = everything or code is not None or workflow is not None
    if bool(run_ids) == by_filter:
        raise click.UsageError("name runs, or say which by --code and --workflow, or --all")
    if everything and (code is not None or workflow is not None):
        raise click.UsageError("--all is all parked runs; leave it out beside --code or --workflow")
    project = built_project(root) if new_code else None
    sys.exit(asyncio.run(_resume(run_ids, code, workflow, project, dry_run, root, target)))


async def _resume(
    run_ids: tuple[str, ...],
    code: str | None,
    workflow: str | None,
    project: Project | None,
    dry_run: bool,
    root: Path,
    target: str | None,
) -> int:
    from workflow.engine.against import Trial

    world = await open_world(root, target)
    resumed = others = unfit = 0
    try:
        found = list(dict.fromkeys(run_ids)) or await _found(world, code, workflow)
        if run_ids:
            await _look(world, found)
        trial = Trial(world, project) if project is not None else None
        new = project.bundle.hash if project is not None else None
        if project is not None and not dry_run:
            await world.put_bundle(project.bundle.hash, project.bundle.to_bytes())
        for run_id in found:
            run = await world.get_run(run_id)
            parked = run is not None and run.parked is not None
            bundle = None
            if trial is not None and run is not None and parked:
                if why := await trial.obstacle(run):
                    unfit += 1
                    click.echo(f"{run_id} does not fit the new code: {why}", err=True)
                    continue
                if run.bundle is not None:  # one that has not begun takes the code of its worker
                    bundle = new
            if not (parked if dry_run else await world.unpark(run_id, bundle=bundle)):
                others += 1  # or it was resumed meanwhile, of those that were found by a filter
                status = "gone" if run is None else run.status
                click.echo(f"{run_id} is not parked, it is {status}", err=True)
                continue
            resumed += 1
            click.echo(run_id)
    finally:
        await world.close()
    click.echo(_said(resumed, others, unfit, dry_run), err=True)
    return 1 if unfit or (others and run_ids) else 0


async def _look(world: World, run_ids: list[str]) -> None:
    """Raise Refused for an id that is none, before anything is changed."""
    for run_id in run_ids:
        if await world.get_run(run_id) is None:
            raise no_such_run(world, run_id)


async def _found(world: World, code: str | None, workflow: str | None) -> list[str]:
    """The ids of the parked runs that the filters choose, the oldest first."""
    from wfc.cli.inspect import full_id
    from workflow.world.records import RunFilter

    where = RunFilter(parked=True, workflow=await full_id(world, workflow))
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = await world.list_runs(where, limit=500, cursor=cursor)
        found += [
            run.run_id
            for run in page.items
            if run.parked is not None and code in (None, run.parked.code)
        ]
        cursor = page.cursor
        if cursor is None:
            return found[::-1]


def _said(resumed: int, others: int, unfit: int, dry_run: bool) -> str:
    runs = "1 run" if resumed == 1 else f"{resumed} runs"
    if not resumed:
        said = "no run goes on" if others or unfit else "no such parked runs"
    elif dry_run:
        said = f"{runs} would go on"
    else:
        said = f"{runs} {'goes' if resumed == 1 else 'go'} on with the next worker"
    if others:
        said += f"; {others} {'was' if others == 1 else 'were'} not parked"
    if unfit:
        said += f"; {unfit} {'does' if unfit == 1 else 'do'} not fit the new code"
    return said
