"use step"

import urllib.request


async def download(url: str) -> bytes:
    """Fetch a page."""
    with urllib.request.urlopen(url) as page:
        return page.read()


def shorten(page: bytes, length: int) -> bytes:
    if len(page) > length:
        return page[:length]
    return page


def _not_a_step() -> None: ...
