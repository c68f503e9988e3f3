"""What listings of runs and hooks select, and a page of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast, get_args

from workflow.hook_record import HookRecord
from workflow.policy.lineage import PARENT
from workflow.policy.names import is_storable
from workflow.runs import Run
from workflow.world.records import HookFilter, RunFilter, Status

__all__ = ["HookPage", "RunPage", "check_page", "filter_of", "hooks_of"]

R = TypeVar("R")


@dataclass(frozen=True)
class RunPage(Generic[R]):
    """Some runs, newest first. `cursor` is where the next page begins, None on the last one."""

    runs: tuple[R, ...]
    cursor: str | None

    @property
    def has_more(self) -> bool:
        """Whether there is another page."""
        return self.cursor is not None


@dataclass(frozen=True)
class HookPage:
    """Some open hooks, the oldest first. `cursor` is where the next page begins, None on the last
    one."""

    hooks: tuple[HookRecord, ...]
    cursor: str | None

    @property
    def has_more(self) -> bool:
        """Whether there is another page."""
        return self.cursor is not None


def filter_of(
    workflow: str | None,
    status: Status | None,
    attributes: Mapping[str, str] | None,
    parent: str | Run[Any] | None,
) -> RunFilter:
    """What to select. Raises ValueError for a status that no run can have, TypeError for attributes
    that are no texts."""
    if status is not None and status not in get_args(Status):
        raise ValueError(f"a status is one of {', '.join(get_args(Status))}, not {status!r}")
    given = cast("object", {} if attributes is None else attributes)
    if not isinstance(given, Mapping):
        raise TypeError(f"attributes= are a dict of names and texts, not {type(given).__name__}")
    if parent is not None and not isinstance(parent, str | Run):
        raise TypeError(f"parent= is a run or its id, not {parent!r:.80}")
    wanted = dict(cast("Mapping[str, str]", given))
    for name, text in wanted.items():
        if not isinstance(text, str):
            raise TypeError(f"attribute {name!r} must be text, not {type(text).__name__}")
    if parent is not None:
        wanted[PARENT] = parent.run_id if isinstance(parent, Run) else parent
    return RunFilter(workflow=workflow, status=status, attributes=wanted)


def hooks_of(run: object, token_prefix: object, webhook: object) -> HookFilter:
    """Which hooks to select. Raises TypeError for what is no run, no text, no truth value."""
    if run is not None and not isinstance(run, str | Run):
        raise TypeError(f"run= is a run or its id, not {run!r:.80}")
    if not isinstance(token_prefix, str):
        raise TypeError(f"token_prefix= is what tokens begin with, not {token_prefix!r:.80}")
    if webhook is not None and not isinstance(webhook, bool):
        raise TypeError(f"webhook= is True, False, or None for both, not {webhook!r:.80}")
    run_id = run.run_id if isinstance(run, Run) else run
    return HookFilter(run_id=run_id, prefix=token_prefix, webhook=webhook)


def check_page(limit: object, cursor: object, what: str = "run") -> None:
    """Raises ValueError for a size that no page has, and for what was no page's cursor."""
    if type(limit) is not int or not 1 <= limit <= 1000:
        raise ValueError(f"a page has 1 to 1000 {what}s, not {limit!r:.80}")
    if cursor is not None and (not isinstance(cursor, str) or not is_storable(cursor)):
        raise ValueError(f"{cursor!r:.80} is not a cursor of a {what} listing")
