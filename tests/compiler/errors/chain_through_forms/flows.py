from helpers import Cart, outer


async def order(item: str) -> int:
    "use workflow"
    return await Cart().fill(item) + outer()
