"""What is recorded of a pending action, and whether an input answers it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workflow.errors import PendingActionError
from workflow.policy.durations import seconds_of

__all__ = ["LIFETIME", "check_option", "lifetime_setting"]

LIFETIME = 30 * 86_400_000_000
"""Microseconds for which a pending action waits by default."""


def lifetime_setting(environ: Mapping[str, str]) -> int | None:
    """The lifetime in microseconds that WORKFLOW_PENDING_ACTION_TIMEOUT gives to new runs.

    None when it is not set. Raises ValueError for anything but a duration.
    """
    text = environ.get("WORKFLOW_PENDING_ACTION_TIMEOUT")
    if not text:
        return None
    try:
        seconds = seconds_of(text)
    except ValueError as error:
        raise ValueError(f"WORKFLOW_PENDING_ACTION_TIMEOUT: {error}") from None
    if seconds <= 0:
        raise ValueError("WORKFLOW_PENDING_ACTION_TIMEOUT must be longer than nothing")
    return round(seconds * 1_000_000)


def check_option(step: str, options: Sequence[str] | None, value: Any) -> None:
    """Raise PendingActionError when the action has options and `value` is none of them."""
    if options is not None and value not in options:
        raise PendingActionError(
            f"{value!r} is none of the options of {step!r}, which are "
            + ", ".join(map(repr, options)),
            step=step,
        )
