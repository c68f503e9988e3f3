"""What the commands that work on runs share: the project around the current folder, and a world."""

from __future__ import annotations

import os
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wfc.discover import enclosing
from wfc.project import ProjectError, load_project

if TYPE_CHECKING:
    from workflow.engine.project import Project
    from workflow.world.port import World

__all__ = [
    "Refused",
    "built_project",
    "no_such_run",
    "open_bare_world",
    "open_world",
    "place_of",
    "root_option",
    "world_of",
    "world_option",
]


class Refused(click.ClickException):
    """What is in the way is not how the command was called: the message without the usage."""

    exit_code = 2


root_option = click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    show_default="the current folder",
    help="The project's folder; its runs are in .workflow-data there.",
)
world_option = click.option(
    "--world",
    "target",
    metavar="NAME",
    help="local, postgres, memory, or module:factory. Default: WORKFLOW_TARGET_WORLD, then local.",
)


def built_project(root: Path) -> Project:
    """Load what `wfc build` made. Raises Refused (exit status 2), which says what to do."""
    from workflow.engine.project import Project
    from workflow.errors import BundleError

    try:
        settings = load_project(root)
        return Project.load(settings.root / settings.generated)
    except (ProjectError, BundleError) as error:
        raise Refused(f"{error}{_elsewhere(root)}") from None
    except Exception as error:  # a module of the project raises when it is imported
        raise Refused(_at_import(error)) from None


def _elsewhere(root: Path) -> str:
    """Where the project is, for a command that was called in a folder inside of it."""
    if (root / "generated").exists():
        return ""
    found = enclosing(root)
    return "" if found is None else f". This folder lies in the project {found}: go there"


def _at_import(error: Exception) -> str:
    """The error of a module of the project, with the lines of its traceback that are not ours."""
    text = traceback.TracebackException.from_exception(error)
    ours = [n for n, frame in enumerate(text.stack) if Path(frame.filename).name == "step.py"]
    if ours:
        text.stack = traceback.StackSummary.from_list(text.stack[ours[0] + 1 :])
    return "a module of the project cannot be imported:\n" + "".join(text.format()).rstrip()


def no_such_run(world: World, run_id: str) -> Refused:
    """The error for an id that the world does not know; it says where was looked."""
    return Refused(f"no run {run_id!r} in {place_of(world)}; `wfc inspect runs` lists those it has")


def place_of(world: World) -> str:
    """Where the runs of a world are, in words; no password is among them."""
    folder = getattr(world, "data_dir", None)
    if folder is not None:
        return f"the local world in {folder}"
    database = getattr(world, "database", None)
    if database is not None:
        return f"{database.place}, schema {database.schema}"
    return f"the world {world.name}"


def world_of(root: Path, target: str | None) -> World:
    """The world of a project, not open yet: SQLite lies in the project's folder.

    Raises Refused when there is no world of that name.
    """
    from workflow.connect import connect
    from workflow.errors import WorldError

    name = target or os.environ.get("WORKFLOW_TARGET_WORLD") or "local"
    if name in ("local", "embedded") and "WORKFLOW_EMBEDDED_DATA_DIR" not in os.environ:
        from workflow.worlds.local import create_local_world

        return create_local_world(root / ".workflow-data")
    try:
        return connect(name)
    except WorldError as error:
        raise Refused(str(error)) from None


async def open_world(root: Path, target: str | None) -> World:
    """Open a world to look at. Raises Refused when it does not exist or cannot be opened."""
    from workflow.engine.sealing import sealing
    from workflow.errors import WorldError

    world = await open_bare_world(root, target)
    try:
        return sealing(world)
    except WorldError as error:
        await world.close()
        raise Refused(str(error)) from None


async def open_bare_world(root: Path, target: str | None) -> World:
    """As `open_world`, with the values as they are stored: encrypted ones stay it."""
    from workflow.errors import WorldError

    world = world_of(root, target)
    folder = getattr(world, "data_dir", None)
    if isinstance(folder, Path) and not folder.exists():  # looking must not make one
        raise Refused(
            f"there is no {folder}: no run was ever started here. --root names the project, "
            f"WORKFLOW_EMBEDDED_DATA_DIR another place{_elsewhere(root)}"
        )
    try:
        await world.open()
        return world
    except WorldError as error:
        raise Refused(str(error)) from None
