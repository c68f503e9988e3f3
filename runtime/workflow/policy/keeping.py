"""How long a world keeps code that no run is pinned to.

A worker says of the code it works with that it is in use: when it starts, every hour, and before it
pins a run to it if an hour has passed. So code of which nobody has said so for a day is nobody's.
"""

from __future__ import annotations

__all__ = ["KEPT", "SAY_AGAIN"]

SAY_AGAIN = 3_600_000_000
"""Microseconds after which a worker says again that its code is in use."""

KEPT = 24 * SAY_AGAIN
"""Microseconds for which code is kept at least after the last time that this was said."""
