"""`wfc run`: start a workflow, work on it in this process, and print its result."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wfc.cli.worlds import Refused, built_project, root_option, world_of, world_option
from wfc.runtime_errors import troubles

if TYPE_CHECKING:
    from workflow.engine.project import Project
    from workflow.runs import Run
    from workflow.world.port import World

__all__ = ["arguments_of", "run"]


@click.command()
@click.argument("workflow")
@click.option(
    "--input",
    "text",
    default="{}",
    metavar="JSON",
    help="A JSON object: its members become arguments, as the annotations say.",
)
@click.option("--quiet", is_flag=True, help="Do not print events.")
@root_option
@world_option
def run(workflow: str, text: str, quiet: bool, root: Path, target: str | None) -> None:
    """Run WORKFLOW (its name, or its full id) and print its result as JSON.

    A result that is a stream is waited for and printed as an array of its values.
    What the input holds is turned into the annotated types: objects into models and dataclasses,
    text into dates. Events go to stderr as they are recorded, the result to stdout. Exit status: 0
    the run completed, 1 it failed or was cancelled, 2 wrong usage, 130 interrupted (the run stays
    in the world, and any worker goes on with it). A run that is parked exits with 1 as well.

    \b
    Example:
        wfc run user_signup --input '{"email": "a@b.c"}'
    """
    arguments = arguments_of(text)
    project = built_project(root)
    # The end of the run is printed below; the engine's own report of it would be the second one.
    logging.getLogger("workflow.engine").addHandler(logging.NullHandler())
    try:
        # What steps and bodies print belongs with the events: stdout is for the result alone.
        with contextlib.redirect_stdout(sys.stderr):
            status, output = asyncio.run(
                _run(project, workflow, arguments, world_of(root, target), quiet)
            )
        if output is not None:
            click.echo(output)
    except KeyboardInterrupt:
        click.echo("interrupted; the run goes on with the next worker (wfc worker)", err=True)
        status = 130
    sys.exit(status)


def arguments_of(text: str) -> dict[str, Any]:
    """What the text of --input holds. Raises UsageError."""
    try:
        arguments = json.loads(text)
    except json.JSONDecodeError as error:
        raise click.UsageError(f"--input is not JSON: {error}") from None
    if not isinstance(arguments, dict):
        raise click.UsageError(
            "--input must be a JSON object: its members become keyword arguments, as in "
            """--input '{"email": "a@b.c"}'"""
        )
    return arguments


async def _run(
    project: Project, name: str, arguments: dict[str, Any], world: World, quiet: bool
) -> tuple[int, str | None]:
    """The exit status, and the result as JSON if there is one."""
    from wfc.cli.show import jsonable
    from workflow.api import start
    from workflow.engine import Application
    from workflow.errors import (
        SerializationError,
        StreamError,
        WorkflowNotRegisteredError,
        WorkflowRunCancelledError,
        WorkflowRunFailedError,
        WorldError,
    )
    from workflow.policy.json_arguments import arguments_from_json

    try:
        workflow_id = project.registry.id_of(name)
        application = Application(world, project)
        await application.start()
    except (WorkflowNotRegisteredError, WorldError) as error:
        raise Refused(str(error)) from None
    try:
        try:
            args, kwargs = arguments_from_json(project.registry.workflows[workflow_id], arguments)
            handle = await start(workflow_id, *args, **kwargs)
        except (TypeError, ValueError, SerializationError) as error:
            raise Refused(f"--input does not fit: {error}") from None
        click.echo(handle.run_id, err=True)
        printer = None if quiet else asyncio.create_task(_print_events(application, handle))
        parked = asyncio.create_task(_until_parked(application, handle))
        result = asyncio.ensure_future(_result(handle))
        try:
            await asyncio.wait((result, parked), return_when=asyncio.FIRST_COMPLETED)
            if printer is not None and result.done():
                await printer
            if not result.done():
                click.echo(f"the run is parked: {parked.result()}", err=True)
                click.echo(f"mend the cause, then: wfc resume {handle.run_id}", err=True)
                return 1, None
            text = json.dumps(jsonable(result.result()), ensure_ascii=False)
            # Half of a surrogate pair can be printed as JSON's escape only.
            return 0, text.encode(errors="backslashreplace").decode()
        except (WorkflowRunFailedError, WorkflowRunCancelledError, StreamError) as error:
            _explain(error)
            return 1, None
        finally:
            for task in (printer, parked, result):
                if task is not None:
                    task.cancel()
    finally:
        await application.stop()


async def _result(handle: Run[Any]) -> Any:
    from workflow import Readable

    result = await handle.return_value
    if isinstance(result, Readable):  # written by the worker of this command, so it is waited for
        return [value async for value in result]
    return result


async def _until_parked(application: Any, handle: Run[Any]) -> str:
    """Return the reason as soon as the run is parked: nobody here would mend it."""
    change = 0
    while True:
        change = await application.world.wait_for_change(change, None)
        run = await application.world.get_run(handle.run_id)
        if run.parked is not None:
            return f"{run.parked.code}: {run.parked.reason}"


async def _print_events(application: Any, handle: Run[Any]) -> None:
    """Print the log as it grows, until the event that ends the run."""
    from wfc.cli.show import event_line

    change = seen = started = 0
    while True:
        change = await application.world.wait_for_change(change, None)
        for event in await application.world.list_events(handle.run_id, after=seen):
            started = started or event.at
            seen = event.seq
            click.echo(event_line(event, started), err=True)
            if event.type in ("run_completed", "run_failed", "run_cancelled"):
                return


def _explain(error: BaseException) -> None:
    """The error, the traceback of the body as it was recorded, and where to read more."""
    click.echo(str(error), err=True)
    text = getattr(error.__cause__, "workflow_traceback", None)
    if text:
        click.echo(str(text).rstrip(), err=True)
    code = getattr(error, "error_code", getattr(error, "code", ""))
    if code != "workflow-error" and code in troubles():
        click.echo(f"{code}, more with `wfc explain {code}`", err=True)
