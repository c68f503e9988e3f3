"""Things that happen at once."""

import asyncio

from workflow import sleep


async def fetch_page(url: str) -> str:
    "use step"
    return url


async def index(text: str) -> None:
    "use step"


async def notify(who: str) -> None:
    "use step"


async def crawl(urls: list[str], fast: bool) -> list[str]:
    """Gather in all its forms."""
    "use workflow"
    one, two = await asyncio.gather(fetch_page("a"), fetch_page("b"))
    pages = await asyncio.gather(*(fetch_page(url) for url in urls))
    later = [index(page) for page in pages]
    extra = notify("boss")
    more = []
    for page in pages:
        more.append(index(page))
    if fast:
        await asyncio.gather(*later, extra, *more)
    done, _ = await asyncio.wait(
        [asyncio.create_task(fetch_page(one)), asyncio.create_task(fetch_page(two))],
        return_when=asyncio.FIRST_COMPLETED,
        timeout=30,
    )
    for result in asyncio.as_completed([fetch_page("x"), fetch_page("y")]):
        await index(await result)
    return pages


async def groups(urls: list[str]) -> None:
    """Task groups and tasks."""
    "use workflow"
    async with asyncio.TaskGroup() as group:
        group.create_task(notify("a"))
        group.create_task(notify("b"))
    async with asyncio.TaskGroup() as group:
        first = group.create_task(fetch_page("first"))
        for url in urls:
            await sleep(1)
            group.create_task(fetch_page(url))
        await index(await first)
    background = asyncio.create_task(notify("background"))
    await index("meanwhile")
    await background
    asyncio.create_task(notify("never awaited"))


async def races(who: str) -> str:
    """Time limits."""
    "use workflow"
    try:
        page = await asyncio.wait_for(fetch_page(who), timeout=5)
        async with asyncio.timeout(60):
            await index(page)
            await notify(who)
    except TimeoutError:
        await notify("late")
        return "late"
    return page
