import asyncio

from workflow import create_hook


async def slow() -> int:
    "use step"
    return 1


class Base:
    def name(self) -> str:
        return "base"


class Report(Base):
    async def send(self) -> None:
        async def mail() -> str:
            "use step"
            return super().name()

        await mail()


async def count(pages: list[str]) -> int:
    "use workflow"
    import statistics

    total = 0
    hook = create_hook(token="approve")
    task = asyncio.create_task(slow())
    double = lambda n: n * 2  # noqa: E731
    words = (page.split() for page in pages)
    fine = (len(pages), "data")

    def helper(page: str) -> list[str]:
        return page.split()

    class Row:
        pass

    async def add(page: str) -> float:
        "use step"
        nonlocal total

        def inner() -> None:
            nonlocal total
            total = 2

        inner()
        total += len(helper(page)) + double(fine[0])
        Row(next(words))
        await task
        await hook
        await slow()
        return statistics.mean([1, 2])

    for page in pages:
        await add(page)
    return total
