"""A travel agency to play with: a service outside, with a memory of its own in a file.

It does what a good service does for callers that may repeat themselves: the same key books once,
and what is cancelled stays cancelled.
"""

from __future__ import annotations

import json
from pathlib import Path

LEDGER = Path("bookings.jsonl")


class SoldOut(Exception):
    """There is nothing left to book."""


async def book(what: str, city: str, *, key: str) -> str:
    """Book `what` and return the number of the booking; the same number for the same key.

    Raises SoldOut: nobody rents cars in Venice.
    """
    if (what, city) == ("car", "Venice"):
        raise SoldOut(f"no {what} in {city}")
    number = f"{what}-{key}"
    if {"booked": number} not in entries():
        _write({"booked": number})
    return number


async def cancel(number: str) -> None:
    """Cancel a booking. A second time changes nothing."""
    if {"cancelled": number} not in entries():
        _write({"cancelled": number})


def entries() -> list[dict[str, str]]:
    """What happened so far, oldest first."""
    return [json.loads(line) for line in LEDGER.read_text().splitlines()] if LEDGER.exists() else []


def _write(entry: dict[str, str]) -> None:
    with LEDGER.open("a") as file:
        file.write(json.dumps(entry) + "\n")
