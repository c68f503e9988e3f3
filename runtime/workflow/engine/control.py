"""Asking a run to stop, and ending it, from outside of its body."""

from __future__ import annotations

import msgspec

from workflow.codec import Codec
from workflow.engine.lineage import stop_letters_of
from workflow.errors import RunEndedError, WorkflowRunCancelledError, WorkflowRunNotFoundError
from workflow.policy.endings import reason_of
from workflow.world.port import World
from workflow.world.records import Event, Letter, NewEvent

__all__ = ["cancel", "post", "terminate"]


async def cancel(world: World, codec: Codec, run_id: str, reason: str) -> None:
    """Ask the body to stop. A parked run, whose body cannot run, ends at once.

    Raises RunEndedError, WorkflowRunNotFoundError.
    """
    reason = reason_of(reason)
    run = await world.get_run(run_id)
    if run is not None and run.parked is not None:
        await terminate(world, codec, run_id, reason)
        return
    await post(world, run_id, Letter(kind="cancel", meta=_meta(reason)))


async def terminate(world: World, codec: Codec, run_id: str, reason: str) -> None:
    """End a run now, without its body. Raises RunEndedError, WorkflowRunNotFoundError."""
    reason = reason_of(reason)
    if await world.get_run(run_id) is None:
        raise WorkflowRunNotFoundError(run_id)
    event = NewEvent(type="run_cancelled", at=world.now(), meta=_meta(reason))
    error = codec.encode_error(WorkflowRunCancelledError(run_id, reason))
    bound = stop_letters_of(run_id, await _log(world, run_id))
    if not await world.terminate(run_id, event, error, "terminated"):
        raise RunEndedError(f"{run_id} has ended; there is nothing left to stop or to wake")
    for child, letter in bound:  # not one transaction: this is the hard way
        await world.post(child, letter)


async def post(world: World, run_id: str, letter: Letter) -> None:
    """Put a letter into a run's mail. Raises RunEndedError, WorkflowRunNotFoundError."""
    posted = await world.post(run_id, letter)
    if posted.outcome == "missing":
        raise WorkflowRunNotFoundError(run_id)
    if posted.outcome == "ended":
        raise RunEndedError(f"{run_id} has ended; there is nothing left to stop or to wake")


async def _log(world: World, run_id: str) -> list[Event]:
    log: list[Event] = []
    while page := await world.list_events(run_id, after=len(log)):
        log.extend(page)
    return log


def _meta(reason: str) -> bytes:
    return msgspec.json.encode({"reason": reason})
