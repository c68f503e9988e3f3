"""`wfc check --against-runs`: which open runs would not go on with this build, and why."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wfc.cli.worlds import built_project, open_world, root_option, world_option

if TYPE_CHECKING:
    from workflow.engine.against import Verdict

__all__ = ["check"]


@click.command()
@click.option(
    "--against-runs",
    is_flag=True,
    help="Replay the logs of the open runs and look for the steps they wait for.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each open run, a line.")
@root_option
@world_option
def check(against_runs: bool, as_json: bool, root: Path, target: str | None) -> None:
    """Say before a deploy what this build means for the runs that are open.

    Open runs stay on the code they were begun with; their steps are those of the new build. So a
    run would stop when its log does not replay here, when its code is not in the world, or when it
    waits for a step that this build does not have or that takes other arguments. Nothing is
    changed. Exit status 1 when a run would not continue.
    """
    if not against_runs:
        raise click.UsageError(
            "say what to check: --against-runs. Findings in the code are for `wfc build`"
        )
    sys.exit(asyncio.run(_check(root, target, as_json)))


async def _check(root: Path, target: str | None, as_json: bool) -> int:
    from workflow.engine.against import examine

    project = built_project(root)
    world = await open_world(root, target)
    try:
        verdicts = [verdict async for verdict in examine(world, project)]
    finally:
        await world.close()
    for verdict in verdicts:
        text = json.dumps(_data(verdict), ensure_ascii=False) if as_json else _text(verdict)
        if text:
            click.echo(text)
    stopped = sum(not verdict.continues for verdict in verdicts)
    old = sum(verdict.old_code for verdict in verdicts)
    missing = sum(verdict.continues and bool(verdict.missing) for verdict in verdicts)
    click.echo(
        f"{_count(len(verdicts), 'open run')}: {stopped} would not continue, "
        f"{old} of all stay on old code"
        + (f", {missing} may call steps that are not here" if missing else ""),
        err=True,
    )
    return 1 if stopped else 0


def _data(verdict: Verdict) -> dict[str, object]:
    return {
        "run_id": verdict.run_id,
        "workflow": verdict.workflow,
        "bundle": verdict.bundle,
        "code": "old" if verdict.old_code else "new",
        "continues": verdict.continues,
        "problems": list(verdict.problems),
        "under_new_code": verdict.under_new or None,
        "missing_steps": list(verdict.missing),
        "notes": list(verdict.notes),
    }


def _text(verdict: Verdict) -> str:
    """A run in lines for people; empty when there is nothing to say about it."""
    lines = [f"would not continue: {problem}" for problem in verdict.problems]
    if verdict.old_code:
        lines.append(f"stays on old code, bundle {verdict.bundle[:12]}")
        if verdict.under_new:
            lines.append(f"under the new code it would stop: {verdict.under_new}")
    lines += [f"its code may still call {step}, which is not here" for step in verdict.missing]
    lines += verdict.notes
    if not lines:
        return ""
    name = verdict.workflow.rpartition("//")[2]
    return "\n  ".join([f"{verdict.run_id} {name}", *lines])


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
