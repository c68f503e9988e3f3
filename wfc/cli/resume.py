"""`wfc resume`: let a parked run go on."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

from wfc.cli.worlds import open_world, root_option, world_option

__all__ = ["resume"]


@click.command()
@click.argument("run_id")
@root_option
@world_option
def resume(run_id: str, root: Path, target: str | None) -> None:
    """Let the parked run RUN_ID go on, once its cause is mended.

    Any worker replays its log from the start; if log and code still disagree, it is parked again.
    Exit status 1 when the run was not parked.
    """
    sys.exit(asyncio.run(_resume(run_id, root, target)))


async def _resume(run_id: str, root: Path, target: str | None) -> int:
    world = await open_world(root, target)
    try:
        run = await world.get_run(run_id)
        if run is None:
            raise click.UsageError(f"no run {run_id!r} in this world; see `wfc inspect runs`")
        if not await world.unpark(run_id):
            click.echo(f"{run_id} is not parked, it is {run.status}", err=True)
            return 1
        click.echo(f"{run_id} goes on with the next worker", err=True)
        return 0
    finally:
        await world.close()
