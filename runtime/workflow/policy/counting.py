"""Numbers of things, as people write them."""

from __future__ import annotations

__all__ = ["counted"]


def counted(number: int, noun: str) -> str:
    """`1 value`, `2 values`, `1,000 values`; `0 values`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
