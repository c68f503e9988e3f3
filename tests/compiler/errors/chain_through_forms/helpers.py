from deep import country, lookup


class Cart:
    async def fill(self, item: str) -> int:
        return lookup(item)


def outer() -> int:
    def inner() -> int:
        return len(country())

    return inner()
