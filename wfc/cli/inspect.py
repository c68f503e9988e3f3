"""`wfc inspect`: look at runs, their steps, events and hooks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from wfc.cli import given
from wfc.cli.keys import keys
from wfc.cli.worlds import Refused, no_such_run, open_world, root_option, world_option

if TYPE_CHECKING:
    from workflow.codec import Codec
    from workflow.world.port import World
    from workflow.world.records import HookRecord, Status

__all__ = ["classes_of", "full_id", "inspect"]

json_option = click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")


@click.group()
def inspect() -> None:
    """Look at runs, their steps, events and hooks."""


inspect.add_command(keys)


@inspect.command(short_help="List runs.")
@click.option(
    "--status",
    type=click.Choice(
        ["pending", "running", "paused", "completed", "failed", "cancelled", "parked"]
    ),
    help="Only runs with this status; parked ones are open, whatever else they are.",
)
@click.option("--workflow", help="Only runs of this workflow: its full id, or its name.")
@click.option(
    "--attribute",
    "attributes",
    multiple=True,
    metavar="NAME=VALUE",
    callback=given.attributes,
    help="Only runs with this attribute; may be given several times.",
)
@click.option("--parent", metavar="RUN", help="Only runs that this run has started.")
@click.option(
    "--limit",
    default=50,
    show_default=True,
    type=click.IntRange(1, 1000),
    help="How many runs are listed at most.",
)
@json_option
@root_option
@world_option
def runs(
    status: Status | Literal["parked"] | None,
    workflow: str | None,
    attributes: dict[str, str],
    parent: str | None,
    limit: int,
    as_json: bool,
    root: Path,
    target: str | None,
) -> None:
    """List runs, newest first."""
    from wfc.cli.show import clean, moment, run_json, table
    from workflow.policy.lineage import PARENT
    from workflow.world.records import RunFilter

    searched = attributes if parent is None else {**attributes, PARENT: parent}

    async def show(world: World, codec: Codec) -> None:
        parked = True if status == "parked" else None
        wanted = None if status == "parked" else status
        where = RunFilter(
            status=wanted,
            parked=parked,
            workflow=await full_id(world, workflow),
            attributes=searched,
        )
        page = await world.list_runs(where, limit=limit)
        if as_json:
            click.echo(json.dumps([run_json(run, codec) for run in page.items], indent=2))
            return
        if not page.items:
            click.echo("no runs", err=True)
            return
        rows = [("RUN", "WORKFLOW", "STATUS", "CREATED", "EVENTS")]
        rows += [
            (
                run.run_id,
                clean(run.workflow.rpartition("//")[2]),
                "parked" if run.parked is not None else run.status,
                moment(run.created_at) or "",
                str(run.head),
            )
            for run in page.items
        ]
        click.echo("\n".join(table(rows)))
        if page.cursor is not None:
            click.echo(f"(the newest {limit}; --limit shows more)", err=True)

    _with_world(target, root, show)


@inspect.command(short_help="Show one run: why it waits, steps, events.")
@click.argument("run_id")
@json_option
@root_option
@world_option
def run(run_id: str, as_json: bool, root: Path, target: str | None) -> None:
    """Show one run: why it waits, its steps with their attempts, and its events."""
    from wfc.cli.progress import NOBODY, has_workers, open_children, steps_of, waiting
    from wfc.cli.show import (
        clean,
        deadline_of,
        event_json,
        event_line,
        origin_lines,
        run_json,
        table,
    )
    from workflow.policy.counting import counted
    from workflow.policy.names import short_name

    async def show(world: World, codec: Codec) -> None:
        record = await world.get_run(run_id)
        if record is None:
            raise no_such_run(world, run_id)
        events = await _all_events(world, run_id)
        letters = await world.list_letters(run_id)
        steps = steps_of(record, events, await world.list_tasks(run_id), letters, world.now())
        data = run_json(record, codec)
        data["deadline"] = deadline_of(events)
        if as_json:
            data["steps"] = steps
            data["events"] = [event_json(event, codec) for event in events]
            data["undelivered"] = [letter.kind for letter in letters]
            click.echo(json.dumps(data, indent=2))
            return
        if record.parked is not None:
            data["status"] = f"{record.status}, parked"
        for key in ("run_id", "workflow", "status", "created_at", "completed_at", "input"):
            click.echo(clean(f"{key:<13} {_text(data[key])}"))
        for line in origin_lines(data):
            click.echo(clean(line))
        if record.status == "completed":
            click.echo(clean(f"{'result':<13} {_text(data['output'])}"))
        if data["error"]:
            error = data["error"]
            click.echo(clean(f"{'error':<13} {error['type']}: {error['message']}"))
            for line in error["traceback"].rstrip().splitlines():
                click.echo(clean(f"              {line}"))
        children = {
            child: await world.get_run(child)
            for child in (open_children(events) if record.completed_at is None else ())
        }
        for reason in waiting(record, events, steps, children):
            click.echo(clean(f"{'waiting':<13} {reason}"))
        if record.completed_at is None and not await has_workers(world):
            click.echo(f"{'waiting':<13} {NOBODY}")
        if steps:
            rows = [("STEP", "STATUS", "ATTEMPT", "ID", "")]
            rows += [
                (
                    clean(short_name(step["name"])),
                    step["status"],
                    str(step["attempt"]),
                    step["step_id"],
                    clean(step["detail"]),
                )
                for step in steps
            ]
            click.echo("\n" + "\n".join(table(rows)))
        click.echo("\nEVENTS")
        for event in events:
            click.echo(event_line(event, record.created_at))
        if record.completed_at is not None and letters:
            late = counted(len(letters), "letter")
            click.echo(f"\n{late} came too late; kept, undelivered")

    _with_world(target, root, show)


@inspect.command(short_help="List open hooks and webhooks.")
@click.option("--run", "run_id", metavar="RUN_ID", help="Only those of this run.")
@json_option
@root_option
@world_option
def hooks(run_id: str | None, as_json: bool, root: Path, target: str | None) -> None:
    """List open hooks and webhooks, and the questions of runs to people."""
    from wfc.cli.show import clean, moment, plain, table

    async def show(world: World, codec: Codec) -> None:
        if run_id is not None and await world.get_run(run_id) is None:
            raise no_such_run(world, run_id)
        found = await world.list_hooks(run_id)
        if as_json:
            rows = [
                {
                    "hook_id": hook.hook_id,
                    "run_id": hook.run_id,
                    "token": hook.token,
                    "webhook": hook.webhook,
                    "kind": _kind(hook),
                    "created_at": moment(hook.created_at),
                    "metadata": plain(hook.metadata, codec),
                }
                for hook in found
            ]
            click.echo(json.dumps(rows, indent=2))
            return
        if not found:
            click.echo("no open hooks", err=True)
            return
        lines = [("TOKEN", "KIND", "RUN", "CREATED")]
        lines += [
            (
                clean(hook.token),
                _kind(hook),
                hook.run_id,
                moment(hook.created_at) or "",
            )
            for hook in found
        ]
        click.echo("\n".join(table(lines)))

    _with_world(target, root, show)


def _kind(hook: HookRecord) -> str:
    from workflow.engine.actions import action_of

    if action_of(hook) is not None:
        return "pending action"
    return "webhook" if hook.webhook else "hook"


async def full_id(world: World, workflow: str | None) -> str | None:
    """The id that a short name stands for, going by the newest runs."""
    from workflow.world.records import RunFilter

    if workflow is None or workflow.startswith("workflow//"):
        return workflow
    known = {run.workflow for run in (await world.list_runs(RunFilter(), limit=1000)).items}
    found = sorted(name for name in known if name.rpartition("//")[2] == workflow)
    if len(found) > 1:
        raise click.UsageError(
            f"{workflow!r} is ambiguous; give the full id:\n  " + "\n  ".join(found)
        )
    return found[0] if found else workflow


async def _all_events(world: World, run_id: str) -> list[Any]:
    events: list[Any] = []
    while page := await world.list_events(run_id, after=len(events)):
        events.extend(page)
    return events


def _with_world(
    target: str | None, root: Path, show: Callable[[World, Codec], Awaitable[None]]
) -> None:
    async def work() -> None:
        from workflow.codec import Codec

        world = await open_world(root, target)
        try:
            await show(world, Codec(classes_of(root)))
        finally:
            await world.close()

    asyncio.run(work())


def classes_of(root: Path) -> dict[str, type]:
    """The project's classes, for showing values; without a build, values are shown as recorded."""
    import contextlib

    from wfc.cli.worlds import built_project

    with contextlib.suppress(Refused):
        return built_project(root).registry.classes
    return {}


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return "" if value is None else text
