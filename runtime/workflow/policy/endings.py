"""Why somebody ends a run, as it is recorded. Pure."""

from __future__ import annotations

from workflow.policy.names import is_storable

__all__ = ["reason_of"]

MAX_REASON = 512


def reason_of(reason: object) -> str:
    """The first 512 characters of a reason. Raises TypeError for anything but text, ValueError for
    text that no world can store."""
    if not isinstance(reason, str):
        raise TypeError(f"reason= is text, not {type(reason).__name__}")
    if not is_storable(reason):
        raise ValueError(f"reason= is text without U+0000 and surrogates, not {reason[:80]!r}")
    return reason[:MAX_REASON]
