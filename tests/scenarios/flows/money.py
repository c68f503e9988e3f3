"""Classes of another file: one with a form of its own in the log, one whose methods are steps."""

from __future__ import annotations

from typing import Any


class Money:
    """An amount that says itself how it is recorded."""

    def __init__(self, cents: int, currency: str) -> None:
        self.cents = cents
        self.currency = currency

    def __workflow_serialize__(self) -> dict[str, Any]:
        return {"c": self.cents, "k": self.currency}

    @classmethod
    def __workflow_deserialize__(cls, data: dict[str, Any]) -> Money:
        return cls(data["c"], data["k"])


class Account:
    """A class with nothing but steps."""

    @staticmethod
    async def open(owner: str) -> str:
        "use step"
        return f"account of {owner}"
