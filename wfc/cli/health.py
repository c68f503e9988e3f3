"""`wfc health`: does the world answer, and is anybody at work?"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import click

from wfc.cli.worlds import Refused, open_world, root_option, world_option

__all__ = ["health"]


@click.command()
@click.option(
    "--workers",
    "wanted",
    default=1,
    show_default=True,
    type=click.IntRange(0),
    help="How many workers have to be alive.",
)
@click.option("--json", "as_json", is_flag=True, help="JSON instead of text.")
@root_option
@world_option
def health(wanted: int, as_json: bool, root: Path, target: str | None) -> None:
    """Say whether the world can be reached and workers are alive.

    Exit status 1 when fewer workers than wanted show signs of life, 2 when the world cannot be
    reached.
    """
    found = asyncio.run(_look(root, target))
    found["healthy"] = found["workers"] >= wanted
    if as_json:
        click.echo(json.dumps(found))
    else:
        click.echo(f"world    {found['world']}, reachable in {found['milliseconds']} ms")
        click.echo(f"workers  {found['workers']} alive")
        parked = found["parked"]
        click.echo(f"parked   {parked} {'run' if parked == 1 else 'runs'}")
        if not found["healthy"]:
            noun = "worker is" if wanted == 1 else "workers are"
            click.echo(f"unhealthy: {wanted} {noun} wanted; see `wfc worker`", err=True)
    sys.exit(0 if found["healthy"] else 1)


async def _look(root: Path, target: str | None) -> dict[str, Any]:
    from time import perf_counter

    from workflow.errors import WorldError
    from workflow.world.records import NO_STEPS, RunFilter

    world = await open_world(root, target)
    try:
        begun = perf_counter()
        leases = await world.list_workers()
        took = perf_counter() - begun
        workers = [each for each in leases if each.registry != NO_STEPS]
        parked = 0
        cursor: str | None = None
        while True:
            page = await world.list_runs(RunFilter(parked=True), limit=500, cursor=cursor)
            parked += len(page.items)
            cursor = page.cursor
            if cursor is None:
                break
    except WorldError as error:
        raise Refused(str(error)) from None
    finally:
        await world.close()
    return {
        "world": world.name,
        "milliseconds": round(took * 1000, 1),
        "workers": len(workers),
        "parked": parked,
    }
