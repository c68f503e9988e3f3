"""What the commands that work on runs share: the project around the current folder, and a world."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wfc.project import ProjectError, load_project

if TYPE_CHECKING:
    from workflow.engine.project import Project
    from workflow.world.port import World

__all__ = ["built_project", "open_world", "root_option", "world_option"]

root_option = click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    show_default="the current folder",
    help="The project's folder.",
)
world_option = click.option(
    "--world",
    "target",
    metavar="NAME",
    help="local, memory, or module:factory. Default: WORKFLOW_TARGET_WORLD, then local.",
)


def built_project(root: Path) -> Project:
    """Load what `wfc build` made. Raises UsageError (exit status 2), which says what to do."""
    from workflow.engine.project import Project
    from workflow.errors import BundleError

    try:
        settings = load_project(root)
        return Project.load(settings.root / settings.generated)
    except (ProjectError, BundleError) as error:
        raise click.UsageError(str(error)) from None


async def open_world(target: str | None) -> World:
    """Open a world. Raises UsageError when it cannot be found or opened."""
    from workflow.connect import connect
    from workflow.errors import WorldError

    try:
        world = connect(target)
        await world.open()
    except WorldError as error:
        raise click.UsageError(str(error)) from None
    return world
