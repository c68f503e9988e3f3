import plugins.tax
import shop.billing.cards as cards
from plugins import tax as taxes
from shop import charge, give_back, reserve


async def order(item: str, cents: int) -> list[int]:
    "use workflow"
    await reserve(item)
    await charge(cents)
    await cards.charge(cents)
    await plugins.tax.tax(cents)
    return [await taxes.tax(cents), await give_back(cents)]
