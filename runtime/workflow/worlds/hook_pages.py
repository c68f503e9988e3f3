"""Pages of open hooks: which hooks a listing selects, and the place where it goes on.

The place is that of the last hook shown: when it was opened, and the ids of its run and itself. It
may be gone when the next page is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from workflow.world.records import HookFilter, HookPage, HookRecord, Micros

__all__ = ["page", "query", "select"]

Place = tuple[Micros, str, str]


def select(
    hooks: Iterable[HookRecord], where: HookFilter, limit: int, cursor: str | None
) -> HookPage:
    """A page of `hooks`, all the open ones of a world."""
    after = None if cursor is None else _read(cursor)
    found = [
        hook
        for hook in hooks
        if where.run_id in (None, hook.run_id)
        and hook.token.startswith(where.prefix)
        and where.webhook in (None, hook.webhook)
        and (after is None or _place(hook) > after)
    ]
    return page(sorted(found, key=_place)[: limit + 1], limit)


def query(where: HookFilter, limit: int, cursor: str | None) -> dict[str, Any]:
    """The parameters of the query `page_of_hooks`, which gives one hook more than a page has."""
    at, run_id, hook_id = (None, None, None) if cursor is None else _read(cursor)
    return {
        "run_id": where.run_id,
        "prefix": where.prefix,
        "webhook": where.webhook,
        "at": at,
        "cursor_run": run_id,
        "cursor_hook": hook_id,
        "limit": limit + 1,
    }


def page(found: Iterable[HookRecord], limit: int) -> HookPage:
    """The first `limit` of what was found, and where the next page begins if there is more."""
    hooks = tuple(found)
    items = hooks[:limit]
    if len(hooks) <= limit or not items:
        return HookPage(items=items)
    return HookPage(items=items, cursor=":".join(map(str, _place(items[-1]))))


def _place(hook: HookRecord) -> Place:
    return hook.created_at, hook.run_id, hook.hook_id


def _read(cursor: str) -> Place:
    created_at, _, rest = cursor.partition(":")
    run_id, colon, hook_id = rest.rpartition(":")
    if not colon or not created_at.isdecimal() or len(created_at) > 18:
        raise ValueError(f"{cursor!r:.80} is not a cursor of a hook listing")
    return int(created_at), run_id, hook_id
