"""Correlation ids: `step_…`, `hook_…`, `wait_…`.

They must be the same on every replay and different between runs (a step id is meant to be used as
an idempotency key elsewhere), sort by time, and look like the run ids: ULIDs, whose random half is
a hash of the run id and a counter.
"""

from __future__ import annotations

import hashlib

__all__ = ["child_id", "correlation_id", "ulid"]

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def ulid(milliseconds: int, entropy: bytes) -> str:
    """Spell 48 bits of time and 80 bits of `entropy` (10 bytes) as a 26-character ULID."""
    number = (milliseconds << 80) | int.from_bytes(entropy, "big")
    return "".join([_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5)])


def correlation_id(kind: str, run_id: str, counter: int, now: int) -> str:
    """The id of the run's `counter`-th durable call, made at `now` (microseconds)."""
    digest = hashlib.blake2b(f"{run_id}/{counter}".encode(), digest_size=10).digest()
    return f"{kind}_{ulid(now // 1000, digest)}"


def child_id(seed: bytes, counter: int, now: int) -> str:
    """The id of the run that the `counter`-th durable call of a run starts at `now`.

    From the seed, so that nobody who knows the run's id can take the child's before it is there.
    """
    digest = hashlib.blake2b(b"child %d" % counter, key=seed, digest_size=10).digest()
    return f"wrun_{ulid(now // 1000, digest)}"
