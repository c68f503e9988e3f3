# Made by wfc from flows.py; do not edit.

async def crawl(urls: list[str], fast: bool) -> list[str]:
    """Gather in all its forms."""
    ...

async def groups(urls: list[str]) -> None:
    """Task groups and tasks."""
    ...

async def races(who: str) -> str:
    """Time limits."""
    ...
