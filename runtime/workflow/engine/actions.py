"""Pending actions from outside: which questions a run asks, and giving it an answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from workflow.authoring.context import moment
from workflow.authoring.payloads import validated
from workflow.codec import Codec
from workflow.errors import PendingActionError, RunEndedError, WorkflowRunNotFoundError
from workflow.policy.actions import check_option
from workflow.policy.shapes import type_of
from workflow.world.port import World
from workflow.world.records import HookRecord, Letter

__all__ = ["PendingAction", "action_of", "answer", "pending"]


@dataclass(frozen=True)
class PendingAction:
    """A question that a run asks a person: what its body gave to `pending_action()`.

    `options` are the texts that may be answered, None when there are no such limits. `since` and
    `expires` are when it was asked and when it is too late (UTC).
    """

    step: str
    type: str
    message: str
    options: tuple[str, ...] | None
    since: datetime
    expires: datetime


def action_of(hook: HookRecord) -> PendingAction | None:
    """The pending action that an open hook is, None for what authors call a hook."""
    about = _about(hook)
    if about is None:
        return None
    options = about["options"]
    return PendingAction(
        step=about["step"],
        type=about["type"],
        message=about["message"],
        options=None if options is None else tuple(options),
        since=moment(hook.created_at),
        expires=moment(about["expires"]),
    )


async def pending(world: World, run_id: str) -> tuple[PendingAction, ...]:
    """The questions of a run that nobody has answered, the oldest first.

    Raises WorkflowRunNotFoundError.
    """
    if await world.get_run(run_id) is None:
        raise WorkflowRunNotFoundError(run_id)
    asked = [(hook, action_of(hook)) for hook in await world.list_hooks(run_id)]
    answered: set[str] = set()
    if any(action for _, action in asked):
        letters = await world.list_letters(run_id)  # on their way to the body
        answered = {letter.ref for letter in letters if letter.kind == "hook_received"}
    return tuple(a for hook, a in asked if a is not None and hook.hook_id not in answered)


async def answer(world: World, codec: Codec, run_id: str, step: str, value: Any) -> None:
    """Answer the pending action `step` of a run. Durable when this returns, and final.

    Raises PendingActionError when the run does not ask that (any more) or the value does not fit,
    RunEndedError, WorkflowRunNotFoundError, SerializationError with the path to the value.
    """
    hooks = await world.list_hooks(run_id)
    found = next((h for h in hooks if (a := _about(h)) is not None and a["step"] == step), None)
    if found is None:
        raise await _why_not(world, run_id, step)
    about = _about(found) or {}
    check_option(step, about["options"], value)
    if shape := about.get("shape") or about.get("class"):
        value = _fitting(codec, about, shape, value)
    payload = codec.encode(value, path="input", references=False)
    letter = Letter(kind="hook_received", payload=payload, dedupe=f"answer {found.hook_id}")
    posted = await world.post_to_token(found.token, letter)
    if posted.outcome == "duplicate":
        raise PendingActionError(f"{step!r} of {run_id} was answered already", step=step)
    if posted.outcome != "posted":
        raise await _why_not(world, run_id, step)


def _about(hook: HookRecord) -> dict[str, Any] | None:
    meta = msgspec.json.decode(hook.meta) if hook.meta else {}
    about: dict[str, Any] | None = meta.get("action")
    return about


def _fitting(codec: Codec, about: dict[str, Any], shape: Any, value: Any) -> Any:
    """The value as the type that the body wants, if this process knows it: the body looks too."""
    kind = type_of(shape, codec.class_of)
    if kind is None:
        return value
    step = about["step"]
    try:
        return validated(kind, value)
    except ValueError as error:  # pydantic's ValidationError is one
        raise PendingActionError(
            f"the input does not answer {step!r}, which takes {about['type']}: {error}", step=step
        ) from error


async def _why_not(world: World, run_id: str, step: str) -> Exception:
    """Why a run takes no answer to `step`."""
    run = await world.get_run(run_id)
    if run is None:
        return WorkflowRunNotFoundError(run_id)
    if run.completed_at is not None:
        return RunEndedError(f"{run_id} has ended as {run.status}; it asks nothing any more")
    asked = answered = False
    ref = ""
    after = 0
    while events := await world.list_events(run_id, after=after):
        for event in events:
            if event.type == "hook_requested" and event.meta:
                about = msgspec.json.decode(event.meta).get("action")
                if about is not None and about["step"] == step:
                    asked, answered, ref = True, False, event.ref
            elif event.type == "hook_received" and event.ref == ref:
                answered = True
        after = events[-1].seq
    if answered:
        return PendingActionError(f"{step!r} of {run_id} was answered already", step=step)
    if asked:
        return PendingActionError(
            f"{step!r} of {run_id} is not asked any more: it expired, or the workflow gave it up",
            step=step,
        )
    still = [action.step for action in await pending(world, run_id)]
    hint = f"open are: {', '.join(map(repr, still))}" if still else "it asks nothing at the moment"
    return PendingActionError(f"{run_id} has no pending action {step!r}; {hint}", step=step)
