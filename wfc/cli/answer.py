"""`wfc answer`: give a run the input that it waits for."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wfc.cli.worlds import no_such_run, open_world, root_option, world_option

if TYPE_CHECKING:
    from workflow.engine.actions import PendingAction

__all__ = ["answer"]


@click.command()
@click.argument("run_id")
@click.argument("step", required=False)
@click.argument("text", required=False, metavar="INPUT")
@root_option
@world_option
def answer(run_id: str, step: str | None, text: str | None, root: Path, target: str | None) -> None:
    """Answer the pending action STEP of the run RUN_ID with INPUT.

    INPUT is one of the options, where the question has some; otherwise JSON, and text where it is
    no JSON. Without STEP and INPUT, the questions are listed. Exit status 1 when the run does not
    take the answer.

    \b
    Example:
        wfc answer wrun_01J… approval approve
    """
    if step is not None and text is None:
        raise click.UsageError("an answer needs the name of the question and the input")
    sys.exit(asyncio.run(_answer(run_id, step, text, root, target)))


async def _answer(
    run_id: str, step: str | None, text: str | None, root: Path, target: str | None
) -> int:
    from wfc.cli.inspect import classes_of
    from workflow.codec import Codec
    from workflow.engine import actions
    from workflow.errors import (
        PendingActionError,
        RunEndedError,
        SerializationError,
        WorkflowRunNotFoundError,
    )

    world = await open_world(root, target)
    try:
        asked = await actions.pending(world, run_id)
        if step is None or text is None:
            return _list(run_id, asked)
        question = next((action for action in asked if action.step == step), None)
        value = text if question is not None and question.options else _value(text)
        await actions.answer(world, Codec(classes_of(root)), run_id, step, value)
    except WorkflowRunNotFoundError:
        raise no_such_run(world, run_id) from None
    except (PendingActionError, RunEndedError, SerializationError) as error:
        click.echo(str(error), err=True)
        return 1
    finally:
        await world.close()
    click.echo(f"{run_id} goes on with the next worker", err=True)
    return 0


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _list(run_id: str, asked: tuple[PendingAction, ...]) -> int:
    from wfc.cli.show import clean, table

    if not asked:
        click.echo(f"{run_id} asks nothing", err=True)
        return 1
    rows = [("STEP", "TYPE", "OPTIONS", "EXPIRES", "MESSAGE")]
    rows += [
        (
            clean(action.step),
            clean(action.type),
            clean(", ".join(action.options or ())),
            action.expires.isoformat(timespec="seconds"),
            clean(action.message),
        )
        for action in asked
    ]
    click.echo("\n".join(table(rows)))
    return 0
