"""What a body prints and logs, kept until the turn is recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

__all__ = ["Utterance"]


class Utterance(NamedTuple):
    """A line that a body has printed (under the logger `print`) or logged, and the further
    attributes that the record of it gets."""

    logger: str
    level: int
    message: str
    extra: Mapping[str, Any] = {}
