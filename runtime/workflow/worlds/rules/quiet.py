"""Knowing that there is nothing to claim, without asking the storage.

A worker looks for work after every change, and most changes are steps of runs that it holds itself.
So it is remembered what the last look found: until somebody creates work or a timer passes, the
answer is the same.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable

from workflow.world.records import Micros

__all__ = ["Quiet"]


class Quiet:
    """What each claimer found out last. Safe to use from several threads."""

    def __init__(self, news_of_others: Callable[[], int] = lambda: 0) -> None:
        """`news_of_others()` is a number that grows when another process makes work."""
        self._news_of_others = news_of_others
        self._lock = threading.Lock()
        self._news = 1
        self._found: dict[Hashable, tuple[int, Micros | None]] = {}

    def end(self) -> None:
        """There may be something to claim. Call it after the commit that made it so."""
        with self._lock:
            self._news += 1

    @property
    def news(self) -> int:
        """To be read before a look and handed to `found_nothing_more` after it."""
        return self._news + self._news_of_others()

    def found_nothing_more(self, who: Hashable, news: int, next_due: Micros | None) -> None:
        """Nothing is left for `who` until `next_due`, None for never, if nothing happens."""
        with self._lock:
            if len(self._found) > 1000:  # workers that are long gone
                self._found.clear()
            self._found[who] = (news, next_due)

    def holds(self, who: Hashable, now: Micros) -> bool:
        """Whether a look of `who` would find nothing."""
        news, next_due = self._found.get(who, (0, None))
        return news == self.news and (next_due is None or now < next_due)

    def next_due(self, who: Hashable) -> Micros | None:
        """What the last look of `who` said."""
        return self._found[who][1]
