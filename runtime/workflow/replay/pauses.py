"""When a run is paused: it waits for people, and for nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workflow.replay.live import LiveRun

__all__ = ["waits_for_people"]

_BY_THE_WAY = frozenset({"lifetime", "deadline", "grace"})


def waits_for_people(live: LiveRun, open_waits: Iterable[str]) -> bool:
    """Whether a body waits for pending actions only; `open_waits` are the kinds of its waits.

    What could move the body without a person is a step, a sleep or time-out, a child that it
    awaits, and a hook that it awaits. Lifetimes of the actions and the run's deadline do not count:
    they end the waiting, they are not waited for.
    """
    if not any(action.awaited for action in live.actions.values()):
        return False
    if live.ended or live.steps or not _BY_THE_WAY.issuperset(open_waits):
        return False
    if any(child.awaited for child in live.children.values()):
        return False
    return not any(hook.awaited and hook.step is None for hook in live.hooks.values())
