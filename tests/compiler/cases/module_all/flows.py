"use workflow"

from steps import _audit, charge, refund, vat

__all__ = ("order",)


async def order(cents: int) -> int:
    await charge(cents + vat(cents))
    await _audit("charged")
    return await _undo(cents)


async def _undo(cents: int) -> int:
    return await refund(cents)


async def public_helper(cents: int) -> int:
    return cents
