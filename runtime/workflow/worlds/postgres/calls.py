"""Names for posts without a dedupe key, so that one can be made again.

When a connection is lost while a post is committed, nobody knows whether the letter is in. So the
call leaves its name among the letter keys of the run, and the second try finds it there. It is
looked for during the tries of one call, and never again: names of before are deleted when the next
one comes, or a run that takes a payload every second would collect them all its life.
"""

from __future__ import annotations

import secrets

from workflow.world.records import Micros

__all__ = ["bound", "is_call", "name"]

# Microseconds for which a name is kept at least: longer than all tries of a call take.
_KEPT = 600_000_000

_BEGIN = "call "


def name(now: Micros) -> str:
    """A name that no other call has. Names sort by their time."""
    return f"{_BEGIN}{now:016d} {secrets.token_hex(8)}"


def is_call(key: str) -> bool:
    """Whether a letter key may be the name of a call. A caller's own key may look like one."""
    return key.startswith(_BEGIN)


def bound(now: Micros) -> str:
    """What sorts after the names that may be deleted, and before the others."""
    return f"{_BEGIN}{max(0, now - _KEPT):016d}"
