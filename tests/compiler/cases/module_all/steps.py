"""Steps of the shop."""
"use step"

from typing import overload

import requests

__all__ = ["charge"] + ["refund"]
__all__ += ["_audit"]


@overload
def charge(cents: int) -> int: ...
@overload
def charge(cents: str) -> str: ...
def charge(cents):
    return requests.post("https://pay.example", json=cents).json()


async def refund(cents: int) -> int:
    return -charge(cents)


def _audit(line: str) -> None:
    print(line)


def vat(cents: int) -> int:
    """Not listed, so an ordinary function."""
    return cents // 5
