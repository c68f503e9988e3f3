"""`wfc worker`: work on runs without serving HTTP."""

from __future__ import annotations

import asyncio
import logging
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wfc.cli.worlds import Refused, built_project, place_of, root_option, world_of, world_option

if TYPE_CHECKING:
    from workflow.engine.project import Project

__all__ = ["worker"]


@click.command()
@root_option
@world_option
def worker(root: Path, target: str | None) -> None:
    """Work on runs until SIGINT or SIGTERM; start as many as you like.

    A worker that is asked to stop lets running steps finish for a few seconds and hands the rest
    to the others at once. One that finds the database away waits until it answers.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    asyncio.run(_work(built_project(root), root, target))


async def _work(project: Project, root: Path, target: str | None) -> None:
    from workflow.engine import Application
    from workflow.errors import WorldError, WorldUnavailableError
    from workflow.waiting import is_set_within

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        application = Application(world_of(root, target), project)
    except (WorldError, ValueError) as error:
        raise Refused(str(error)) from None
    delay = 0.5
    while True:
        try:
            await application.start()
            break
        except WorldUnavailableError as error:
            click.echo(f"{error}; trying again in {delay:g} s", err=True)
        except (WorldError, ValueError) as error:
            raise Refused(str(error)) from None
        if await is_set_within(stop, delay):
            return
        delay = min(delay * 2, 4.0)
    workflows = len(project.registry.workflows)
    noun = "workflow" if workflows == 1 else "workflows"
    place = place_of(application.world)
    click.echo(f"working on {workflows} {noun} in {place}; Ctrl-C stops", err=True)
    try:
        await stop.wait()
    finally:
        await application.stop()
