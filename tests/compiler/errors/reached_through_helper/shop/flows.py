from shop import prices


async def order(item: str) -> int:
    "use workflow"
    return prices.total(item)
