import pages
import steps


async def preview(url: str) -> bytes:
    "use workflow"
    page = await pages.fetch_page(url)
    return await steps.shorten(page, 80)
