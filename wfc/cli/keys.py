"""`wfc inspect keys`: the keys this process has, and how many open runs need which."""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wfc.cli.worlds import Refused, open_bare_world, root_option, world_option

if TYPE_CHECKING:
    from workflow.engine.keys import Keys
    from workflow.world.port import World

__all__ = ["keys"]


@click.command(short_help="List encryption keys and who needs them.")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")
@root_option
@world_option
def keys(as_json: bool, root: Path, target: str | None) -> None:
    """List encryption keys by id, and how many open runs were started with each.

    `encrypts` is the first key of WORKFLOW_ENCRYPTION_KEYS, `decrypts` are the others, `missing`
    those that open runs need and this process does not have. Exit status 1 when keys are missing.
    """
    found = asyncio.run(_look(root, target))
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        from wfc.cli.show import table

        rows = [("KEY", "USE", "OPEN RUNS")]
        rows += [(each["key"] or "none", each["use"], str(each["open_runs"])) for each in found]
        click.echo("\n".join(table(rows)))
        if not any(each["key"] for each in found):
            click.echo("no keys are set, and no open run needs one", err=True)
    missing = [each for each in found if each["use"] == "missing"]
    raise SystemExit(1 if missing else 0)


async def _look(root: Path, target: str | None) -> list[dict[str, Any]]:
    from workflow.engine.keys import Keys, keys_of
    from workflow.errors import WorldError

    world = await open_bare_world(root, target)
    try:
        known = keys_of(world, os.environ) or Keys()
        needed, here = await _needed(world, known)
    except WorldError as error:
        raise Refused(str(error)) from None
    finally:
        await world.close()
    own = [each.hex() for each in known.ids]
    rows: list[dict[str, Any]] = [
        {
            "key": each,
            "use": "decrypts" if n else "encrypts",
            "open_runs": needed.pop(each, 0),
        }
        for n, each in enumerate(own)
    ]
    plain = needed.pop(None, 0)
    rows += [
        {"key": each, "use": "the world's" if each in here else "missing", "open_runs": count}
        for each, count in sorted(needed.items(), key=str)
    ]
    if plain:
        rows.append({"key": None, "use": "not encrypted", "open_runs": plain})
    return rows


async def _needed(world: World, known: Keys) -> tuple[Counter[str | None], set[str]]:
    """How many open runs began with which key, and which of those keys this process has."""
    from workflow.codec.encryption import key_of
    from workflow.world.records import RunFilter, Status

    needed: Counter[str | None] = Counter()
    here: set[str] = set()
    statuses: tuple[Status, ...] = ("pending", "running", "paused")
    for status in statuses:
        cursor: str | None = None
        while True:
            page = await world.list_runs(RunFilter(status=status), limit=500, cursor=cursor)
            for run in page.items:
                sealed = key_of(run.input)
                key = None if sealed is None else sealed.hex()
                needed[key] += 1
                if key is not None and key not in here and not known.ids:
                    here |= {each.id.hex() for each in await known.of(run.run_id)}
            cursor = page.cursor
            if cursor is None:
                break
    return needed, here
