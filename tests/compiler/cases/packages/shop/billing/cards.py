import stripe

from .. import stock


async def charge(cents: int) -> int:
    "use step"
    return stripe.charge(cents)


async def refund(cents: int) -> int:
    "use step"
    return stripe.refund(cents, stock.COUNT)
