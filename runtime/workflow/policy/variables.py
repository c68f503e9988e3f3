"""The environment variables that mean something to us, and names that were meant to be one. Pure.

A misspelt variable is worse than a wrong value: nothing complains, and the default holds. Other
tools may have variables that begin with `WORKFLOW_`, too. So nothing is said of a name that merely
is not ours, but only of one that looks like a slip: letters that are wrong, words that are left out
or stand in another order.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["NAMES", "misspelt"]

NAMES = frozenset(
    [
        "WORKFLOW_BASE_URL",
        "WORKFLOW_COMPRESS_ABOVE",
        "WORKFLOW_EMBEDDED_BASE_URL",
        "WORKFLOW_EMBEDDED_DATA_DIR",
        "WORKFLOW_ENCRYPTION_KEYS",
        "WORKFLOW_FAILPOINT",
        "WORKFLOW_FETCH_MAX_BYTES",
        "WORKFLOW_FETCH_PRIVATE",
        "WORKFLOW_GENERATED",
        "WORKFLOW_HTTP_KEYS",
        "WORKFLOW_LEASE",
        "WORKFLOW_MAX_CLAIMS",
        "WORKFLOW_MAX_EVENTS",
        "WORKFLOW_MAX_ROUNDS",
        "WORKFLOW_PARK_MISSING_AFTER",
        "WORKFLOW_PENDING_ACTION_TIMEOUT",
        "WORKFLOW_POSTGRES_JOB_PREFIX",
        "WORKFLOW_POSTGRES_POOLER",
        "WORKFLOW_POSTGRES_URL",
        "WORKFLOW_POSTGRES_WORKER_CONCURRENCY",
        "WORKFLOW_PROCESSES",
        "WORKFLOW_REPLAY_CHECK",
        "WORKFLOW_TARGET_WORLD",
        "WORKFLOW_TRANSPORT",
        "WORKFLOW_WEBHOOK_MAX_BYTES",
        "WORKFLOW_WEBHOOK_TIMEOUT",
        "WORKFLOW_WORKER_CONCURRENCY",
    ]
)

_OF_ANY_WORLD = "_WORKER_CONCURRENCY"
_ALIKE = 0.75  # how much of a word has to be right: LAESE is LEASE, and URL is not DIR
_SAME = {"LOCAL": "EMBEDDED", "WORKFLOWS": "WORKFLOW"}


def misspelt(names: Iterable[str]) -> dict[str, str]:
    """Of the variables that are set, those that are probably misspelt, with the right names."""
    found: dict[str, str] = {}
    for name in sorted(names):
        if name in NAMES or not name.upper().startswith("WORKFLOW") or _is_of_a_world(name):
            continue
        if (meant := _meant(name)) is not None:
            found[name] = meant
    return found


def _is_of_a_world(name: str) -> bool:
    return name.startswith("WORKFLOW_") and name.endswith(_OF_ANY_WORLD)


def _meant(name: str) -> str | None:
    """The only name of ours that somebody who wrote `name` can have had in mind."""
    words = [_SAME.get(word, word) for word in name.upper().strip("_").split("_") if word]
    for is_like in (_has_slips, _in_another_order, _leaves_out):
        close = [ours for ours in sorted(NAMES) if is_like(words, ours.split("_"))]
        if close:
            return close[0] if len(close) == 1 else None
    # An underscore too few.
    joined = {ours.replace("_", ""): ours for ours in NAMES}
    return joined.get("".join(words))


def _has_slips(words: list[str], ours: list[str]) -> bool:
    return len(words) == len(ours) and all(map(_alike, words, ours))


def _in_another_order(words: list[str], ours: list[str]) -> bool:
    return sorted(words) == sorted(ours)


def _leaves_out(words: list[str], ours: list[str]) -> bool:
    return 1 < len(words) < len(ours) and set(words) < set(ours) and words[-1] == ours[-1]


def _alike(word: str, ours: str) -> bool:
    from difflib import SequenceMatcher

    # The first letter is seldom wrong, and RELEASE has nothing to do with LEASE.
    return word[0] == ours[0] and SequenceMatcher(None, word, ours).ratio() >= _ALIKE
