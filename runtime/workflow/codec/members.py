"""Keys of dictionaries and members of sets: what would not come back as it was is not written.

They are hashed and compared when they are read. Two that are written alike become one; and hashing
one takes as long as it has parts, where parts that stand in several places count each time.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from workflow.codec.refusals import Refused

__all__ = ["MAX_PARTS", "check"]

# Hashing a tuple visits everything below it, and shared entries can make that astronomic.
MAX_PARTS = 100_000


def check(
    entries: Sequence[str], weights: dict[int, int], members: Sequence[int], what: str
) -> int:
    """How many parts reading has to hash. Raises Refused for what cannot be read back.

    `weights` is kept from one call to the next.
    """
    if len(set(members)) < len(members):
        raise Refused(
            f"two {what} are recorded alike, and only one of them would come back. NaN is such a "
            "value, and so is each functools.partial: they are not equal to their own copies."
        )
    total = 0
    for index in members:
        weight = _weight(entries, weights, index)
        total += weight if weight > 1 else 0
        if weight > MAX_PARTS:
            raise Refused(
                f"one of the {what} has more than {MAX_PARTS} parts, and reading it would take "
                "too long. Use what tells it from the others, such as an id."
            )
    return total


def _weight(entries: Sequence[str], weights: dict[int, int], index: Any) -> int:
    """As `Reader._weight` finds it."""
    if type(index) is not int or index < 0 or entries[index][:1] not in ("[", "{"):
        return 1
    known = weights.get(index)
    if known is None:
        weights[index] = 1  # for circles
        raw = json.loads(entries[index])
        known = 1
        for part in raw.values() if type(raw) is dict else raw:
            known += _weight(entries, weights, part)
        known = weights[index] = min(known, 2**60)
    return known
