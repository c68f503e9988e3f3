"""`wfc prune`: delete old runs, and the code that no run needs any more."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from wfc.cli import given
from wfc.cli.worlds import open_world, root_option, world_option

__all__ = ["prune"]

# How many runs are deleted in one transaction: workers write in between.
_PORTION = 200


@click.command()
@click.option(
    "--older-than",
    "age",
    metavar="DURATION",
    required=True,
    callback=given.duration,
    help="How long ago a run must have ended: 30d, 12h, '2 weeks'.",
)
@click.option(
    "--status",
    "statuses",
    type=click.Choice(["completed", "failed", "cancelled"]),
    multiple=True,
    help="Only runs that ended like this; may be given several times. Default: all of them.",
)
@click.option("--dry-run", is_flag=True, help="Print the ids of the runs and delete nothing.")
@root_option
@world_option
def prune(
    age: float, statuses: tuple[str, ...], dry_run: bool, root: Path, target: str | None
) -> None:
    """Delete runs that ended long ago, with their logs, mail and streams.

    Open runs are never deleted. The idempotency keys of deleted runs can be used again. Bundles go
    when no run is pinned to them and no worker has used them for as long, and for a day at least.
    May run beside workers.
    """
    asyncio.run(_prune(age, statuses, dry_run, root, target))


async def _prune(
    age: float, statuses: tuple[str, ...], dry_run: bool, root: Path, target: str | None
) -> None:
    from typing import cast

    from workflow.errors import WorldError
    from workflow.policy.keeping import KEPT
    from workflow.world.port import ENDED
    from workflow.world.records import Status

    world = await open_world(root, target)
    wanted = cast(tuple[Status, ...], statuses) or ENDED
    now = world.now()
    before = now - round(age * 1_000_000)
    count = 0
    try:
        if dry_run:
            for run_id in await world.prune(before, wanted, 2**31, dry_run=True):
                click.echo(run_id)
                count += 1
        else:
            while gone := await world.prune(before, wanted, _PORTION):
                count += len(gone)
        bundles = await world.prune_bundles(min(before, now - KEPT), dry_run=dry_run)
    except WorldError as error:
        raise click.ClickException(f"after {_runs(count)}: {error}") from None
    finally:
        await world.close()
    done = "would be deleted" if dry_run else "deleted"
    click.echo(f"{_runs(count)} {done}", err=True)
    if bundles:
        click.echo(f"{_bundles(len(bundles))} {done}, which no run is pinned to", err=True)
    if count and not dry_run and world.name == "local":
        click.echo("the file keeps its size, new runs use the space (see `wfc backup`)", err=True)


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count} runs"


def _bundles(count: int) -> str:
    return "1 bundle" if count == 1 else f"{count} bundles"
