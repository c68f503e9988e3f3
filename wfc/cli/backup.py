"""`wfc backup`: copy the database of the local world while it is in use."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import click

from wfc.cli.worlds import Refused, open_bare_world, root_option

__all__ = ["backup"]


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@root_option
def backup(file: Path, root: Path) -> None:
    """Copy the runs of the local world into FILE, as of one moment, while workers go on.

    FILE must not exist. To go back to it, stop all workers, move `workflow.db`, `workflow.db-wal`
    and `workflow.db-shm` out of the data directory, and put the copy there as `workflow.db`. A
    PostgreSQL world is backed up with pg_dump.
    """
    world = os.environ.get("WORKFLOW_TARGET_WORLD") or "local"
    if world not in ("local", "embedded"):  # else somebody takes a copy of nothing for a backup
        raise Refused(
            f"WORKFLOW_TARGET_WORLD is {world}, and this copies the local world only. PostgreSQL "
            "has pg_dump; for the local world say WORKFLOW_TARGET_WORLD=local"
        )
    if not file.absolute().parent.is_dir():
        raise click.BadParameter(f"there is no folder {file.parent}", param_hint="'FILE'")
    asyncio.run(_backup(file, root))
    click.echo(f"{file}: {file.stat().st_size / 1_000_000:.1f} MB", err=True)


async def _backup(file: Path, root: Path) -> None:
    from workflow.errors import WorldError
    from workflow.worlds.local import LocalWorld

    world = await open_bare_world(root, "local")
    try:
        assert isinstance(world, LocalWorld)
        await world.backup(file)
    except WorldError as error:
        raise click.ClickException(str(error)) from None
    finally:
        await world.close()
