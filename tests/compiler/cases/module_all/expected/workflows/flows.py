

from steps import _audit, charge, refund, vat




async def order(cents: int) -> int:
    await charge(cents + vat(cents))
    await _audit("charged")
    return await _undo(cents)


async def _undo(cents: int) -> int:
    return await refund(cents)




