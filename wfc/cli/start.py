"""`wfc start`: start a run, and leave the work to the workers."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wfc.cli import given
from wfc.cli.run import arguments_of
from wfc.cli.worlds import Refused, built_project, root_option, world_of, world_option

if TYPE_CHECKING:
    from workflow.engine.project import Project
    from workflow.world.port import World

__all__ = ["start"]


@click.command()
@click.argument("workflow")
@click.option(
    "--input",
    "text",
    default="{}",
    metavar="JSON",
    help="A JSON object: its members become arguments, as the annotations say.",
)
@click.option("--key", help="Idempotency key: a second start with it gives the first run.")
@click.option(
    "--attribute",
    "attributes",
    multiple=True,
    metavar="NAME=VALUE",
    callback=given.attributes,
    help="A text to find the run by; may be given several times.",
)
@click.option(
    "--delay",
    metavar="DURATION",
    callback=given.moment,
    help="Before this the run does not begin: 10m, or 2030-12-31T18:00+01:00.",
)
@click.option(
    "--deadline",
    metavar="DURATION",
    callback=given.moment,
    help="By then the run has to be done: '2 hours', or a moment as for --delay.",
)
@root_option
@world_option
def start(
    workflow: str,
    text: str,
    key: str | None,
    attributes: dict[str, str],
    delay: float | datetime | None,
    deadline: float | datetime | None,
    root: Path,
    target: str | None,
) -> None:
    """Start a run of WORKFLOW (its name, or its full id) and print its id.

    The workers do the work, now or when they are there: see `wfc worker`. `wfc run` does it here.

    \b
    Example:
        wfc start user_signup --input '{"email": "a@b.c"}'
    """
    arguments = arguments_of(text)
    options = {
        "idempotency_key": key,
        "attributes": attributes,
        "delay": delay,
        "deadline": deadline,
    }
    work = _start(built_project(root), workflow, arguments, world_of(root, target), options)
    click.echo(asyncio.run(work))


async def _start(
    project: Project, name: str, arguments: dict[str, Any], world: World, options: dict[str, Any]
) -> str:
    """The id of the run."""
    from workflow.api import with_options
    from workflow.engine import Application
    from workflow.errors import SerializationError, WorkflowNotRegisteredError, WorldError
    from workflow.policy.json_arguments import arguments_from_json

    try:
        workflow_id = project.registry.id_of(name)
        async with Application(world, project, worker=False):
            args, kwargs = arguments_from_json(project.registry.workflows[workflow_id], arguments)
            return (await with_options(**options).start(workflow_id, *args, **kwargs)).run_id
    except (WorkflowNotRegisteredError, WorldError) as error:
        raise Refused(str(error)) from None
    except (TypeError, ValueError, SerializationError) as error:
        raise Refused(f"that does not fit: {error}") from None
